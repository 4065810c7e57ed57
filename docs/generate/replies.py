"""What the gateway answers by itself: codes and texts, from every place in its source where a reply is made."""

import ast
from collections.abc import Iterator
from pathlib import Path

import tidewaiter

_SPEAKERS = ("wire", "delivery", "gateway")
_SOURCE = Path(tidewaiter.__file__).parent

_LEAD = """\
# Replies

Written by `make docs` from every place in `wire`, `delivery` and `gateway` where a reply is made.

These are the gateway's own; `…` stands for what is written at the time: the host's name, the transaction's id.
A reply to RCPT, to DATA or to the end of a message may also be the next hop's, handed on with its code.

- A `4xx` asks the sender to come again: the next hop is down, busy or slow, or the gateway is at a limit.
- A `5xx` is final. Most of them say that a command was malformed or out of order.
- `550 5.6.0` says that the content held odd bytes: see [the rules](rules/index.md).
- `554 5.5.0` says that the client did not wait where it must. Something between it and us may have added commands, or the client is a spammer's program. The connection is closed and nothing of what was pipelined is executed.
- `554 5.7.1` says that we relay for nobody: the domain has no route here, or the client's network is not named.

| code | enhanced | text |
|---|---|---|
"""


def page() -> str:
    """Write the page."""
    files = [file for folder in _SPEAKERS for file in sorted((_SOURCE / folder).rglob("*.py"))]
    rows = sorted({row for file in files for row in _replies(ast.parse(file.read_text(encoding="utf-8")))})
    return _LEAD + "".join(f"| {code} | {enhanced} | {text} |\n" for code, enhanced, text in rows)


def _replies(tree: ast.AST) -> Iterator[tuple[str, str, str]]:
    """Find `Reply(code, enhanced, (text, …))`, and `closing(enhanced, text)`, which makes a 421 that names the host."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Name("Reply"), [code, enhanced, ast.Tuple([text, *_])]):
                yield _text(code), _text(enhanced), _text(text)
            case ast.Call(ast.Attribute(attr="closing"), [enhanced, text]):
                yield "421", _text(enhanced), f"… {_text(text)}"


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value):
            return str(value)
        case ast.JoinedStr(parts):
            return "".join(map(_text, parts))
    return "…"
