"""The configuration reference, from the types of the settings and the text below each field."""

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from msgspec import NODEFAULT

from tidewaiter.config import settings
from tidewaiter.config.schema import Key, keys_of
from tidewaiter.config.values import WRITERS
from tidewaiter.model import position
from tidewaiter.model.position import Positions

_WORDS: Final = {bool: "true or false", int: "a whole number", str: "a string"}
_LEAD: Final = """\
# Configuration

Written from `src/tidewaiter/config/settings.py` by `make docs`.

The file is TOML.
An unknown key is an error, and so is a number without its unit: sizes are `998B`, `256KiB`, `50MiB`, `1GiB`; durations `250ms`, `30s`, `5m`, `12h`, `30d`.
A relative path starts at the folder of the file.
A table in double brackets may stand several times.
`tidewaiter config check FILE` says what is wrong, with file, line and key, and runs nothing.
"""


def page() -> str:
    """Write the page."""
    return _LEAD + "".join(_tables(settings.Settings, "", "The file itself"))


def _tables(kind: type[Any], path: str, title: str, base: object = None) -> Iterator[str]:
    """Write the section of one table, then those of the tables below it."""
    keys = list(keys_of(kind, base))
    texts = _texts(kind)
    yield _section(kind, title, [key for key in keys if not key.tabled], texts)
    for key in keys:
        if key.tabled:
            where = f"{path}.{key.name}".lstrip(".")
            lead = f"`[[{where}]]`" if key.listed else f"`[{where}]`"
            yield from _tables(key.kind, where, f"{lead}\n\n{_sentences(texts[key.name])}", _base(key))


def _base(key: Key) -> object:
    return key.default if isinstance(key.default, Positions) else None


def _section(kind: type[Any], title: str, keys: list[Key], texts: dict[str, str]) -> str:
    lines = ["", f"## {title}", "", _sentences(inspect.cleandoc(kind.__doc__ or "")), ""]
    lines += ["| key | value | default |", "|---|---|---|"]
    lines += [f"| `{key.name}` | {_value(key)} | {_default(key)} |" for key in keys]
    lines += ["", *(f"- `{key.name}`: {_sentences(texts[key.name])}" for key in keys)]
    return "\n".join(lines) + "\n"


def _texts(kind: type[Any]) -> dict[str, str]:
    """Read the string below each field, which Python itself does not keep."""
    module = position if kind is Positions else settings
    [body] = [
        node.body
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef) and node.name == kind.__name__
    ]
    found = {}
    for field, text in zip(body, [*body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            is_text = isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
            found[field.target.id] = inspect.cleandoc(str(text.value.value)) if is_text else ""  # type: ignore[union-attr]
    return found


def _sentences(text: str) -> str:
    return " ".join(text.split())


def _value(key: Key) -> str:
    if isinstance(key.kind, type) and issubclass(key.kind, Enum):
        said = ", ".join(f"`{member.value}`" for member in key.kind)
    else:
        said = _WORDS.get(key.kind) or _named(key)
    bounds = [f"{word} {_written(key, limit)}" for word, limit in _bounds(key) if limit is not None]
    return ("a list of: " if key.listed else "") + ", ".join([said, *bounds])


def _named(key: Key) -> str:
    parts = getattr(key.kind, "__args__", (key.kind,))
    names = {
        "IPv4Network": "a network",
        "IPv6Network": "a network",
        "TcpHop": "a next hop",
        "SocketHop": "a next hop",
        "MaildirHop": "a next hop",
        "Endpoint": "address and port",
        "PurePosixPath": "a path",
        "Size": "a size",
        "Duration": "a duration",
        "Hostname": "a domain name",
        "Greeting": "one line of text",
        "DomainPattern": "a domain, `*.` and a domain, or `*`",
    }
    return " or ".join(dict.fromkeys(names[part.__name__] for part in parts))


def _bounds(key: Key) -> list[tuple[str, Any]]:
    return [("at least", key.bounds.ge), ("at most", key.bounds.le)]


def _written(key: Key, value: Any) -> str:  # noqa: ANN401  # any value of a setting
    if isinstance(value, Enum):
        return f"`{value.value}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    writer = WRITERS.get(key.kind, str)
    return f"`{writer(key.kind(value) if isinstance(value, (int, float)) else value)}`"


def _default(key: Key) -> str:
    if key.default is NODEFAULT:
        return "must be given"
    if key.default is None or key.default == ():
        return "none"
    if key.listed:
        return ", ".join(_written(key, value) for value in key.default)
    return _written(key, key.default)
