"""What the gateway answers by itself: codes and texts, from the table that the server speaks from."""

from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies

_LEAD = """\
# Replies

Written from `src/tidewaiter/wire/replies.py` by `make docs`.

These are the gateway's own.
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
    known = {reply for reply in vars(replies).values() if isinstance(reply, Reply)}
    rows = sorted((reply.code, reply.enhanced, " ".join(reply.lines)) for reply in known)
    return _LEAD + "".join(f"| {code} | {enhanced} | {text} |\n" for code, enhanced, text in rows)
