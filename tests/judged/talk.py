"""One session with a server, step by step: exactly these bytes, and exactly these replies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.peers import PeerError
from tests.peers.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes, and how each reply to them must begin; `tls` follows them, or the server's `closed`."""

    send: bytes
    expect: tuple[str, ...]
    tls: bool = False
    closed: bool = False
    together: bool = False
    """It may not be cut at a line's end: a reply would come between, and the rest would be in order."""
    cut: int = 0
    """So many bytes go first and alone: what is behind them is sent when the server has read them."""


@dataclass(frozen=True, slots=True)
class Case:
    """A session and what it must leave behind."""

    name: str
    steps: tuple[Step, ...]
    due: tuple[bytes, ...]
    """The contents that the receiver must hold then, when every reply was the one expected."""
    early: bool = False
    """The first step's bytes are on the wire before the server could greet."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a session went."""

    wrong: tuple[str, ...] = ()
    refusal: str = ""
    """The reply of 4xx or 5xx that came in place of the 250 to a whole message."""


GREETED = Step(b"", ("220",))
HELLO = Step(b"EHLO client.outside.example\r\n", ("250",))
ENVELOPE = (
    Step(b"MAIL FROM:<honest@outside.example>\r\n", ("250",)),
    Step(b"RCPT TO:<rcpt@inside.test>\r\n", ("250",)),
)
DATA = Step(b"DATA\r\n", ("354",))
QUIT = Step(b"QUIT\r\n", ("221",), closed=True)


def message(content: bytes) -> tuple[Step, ...]:
    """Give the steps that send honest content, in which no line begins with a dot, and have it accepted."""
    return (*ENVELOPE, DATA, Step(content + b".\r\n", ("250",)))


def play(port: int, case: Case, before: Sequence[Step] = (), after: Sequence[Step] = ()) -> Said:
    """Say hello, then what stands before, the case itself and what stands behind it, then goodbye.

    A case that is early has nothing before it; one that is refused or closed has nothing behind it.
    """
    if case.early:
        return _early(port, case)
    with Raw(port, within=WITHIN) as connection:
        for step in (GREETED, HELLO, *before):
            if said := _say(connection, step):
                return Said((said,))
        for step in case.steps:
            if (said := _say(connection, step)) and step is case.steps[-1] and step.expect == ("250",):
                return Said(refusal=said)
            if said:
                return Said((said,))
        rest = () if case.steps[-1].closed else (*after, QUIT)
        return Said(tuple(said for step in rest if (said := _say(connection, step))))


def _early(port: int, case: Case) -> Said:
    with Raw(port, within=WITHIN, early=True) as connection:
        _send(connection, case.steps[0])
        return Said(tuple(_compared(case.steps[0], _rest(connection))))


def _say(connection: Raw, step: Step) -> str:
    """Send, and give what was wrong with the replies; nothing if all was well."""
    _send(connection, step)
    try:
        replies = [str(connection.reply()) for _ in step.expect]
    except PeerError as error:
        return str(error)
    if step.tls:
        connection.secure()
    if step.closed:
        replies += _rest(connection)
    return "".join(_compared(step, replies))


def _send(connection: Raw, step: Step) -> None:
    if step.cut:
        connection.write(step.send[: step.cut])
        connection.wait_until_read()
    connection.write(step.send[step.cut :])
    if not step.expect and not step.closed:  # nothing that is said tells that it came before what is sent next
        connection.wait_until_read()


def _rest(connection: Raw) -> list[str]:
    end = connection.finish()
    return [*map(str, end.replies), *([] if end.closed else ["the connection was not closed"])]


def _compared(step: Step, replies: list[str]) -> list[str]:
    same = len(replies) == len(step.expect) and all(map(str.startswith, replies, step.expect))
    return [] if same else [f"{step.send[-80:]!r} was answered {replies}, not {step.expect}"]
