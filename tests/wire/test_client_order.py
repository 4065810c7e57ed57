"""Every sequence of commands and replies to length 5, against the most forgetful and the least forgetful server.

The model keeps what some server may still hold of an envelope: one that keeps it when content is refused (Postfix did
until 3.11.6), one that opens a transaction at RCPT alone. A connection may go back to the pool, and MAIL may be sent,
only where no such server holds anything (promise 5). Equal ends are followed once, as in `test_server_order`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest

from tests.conftest import Count
from tidewaiter.lines.writer import Writer
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import Client, LocalProtocolError, Replied, State
from tidewaiter.wire.replied import ReplyReader

A = Address("a", "b.test")
EHLO = b"250-hop.test\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 XCLIENT NAME\r\n"
CODES = (250, 451, 550, 421)


@dataclass(frozen=True)
class Model:
    """What is certain of the server, whoever wrote it."""

    greeted: bool = False
    hello: bool = False
    sender: bool = False
    recipients: int = 0
    content: bool = False
    held: bool = False
    """Some server may hold an envelope."""
    closed: bool = False
    tls: bool = False

    def fresh(self) -> "Model":
        return replace(self, sender=False, recipients=0, content=False, held=False)

    def spoiled(self) -> "Model":
        return replace(self, sender=False, recipients=0, content=False, held=True)

    @property
    def clean(self) -> bool:
        return self.hello and not self.held and not self.content


class Move(NamedTuple):
    """What is sent, what comes back, when it may be sent, and what it leaves behind."""

    send: Callable[[Client], None]
    replies: bytes
    may: Callable[[Model], bool]
    leaves: Callable[[Model], Model]


def _line(code: int) -> bytes:
    return b"%d Words\r\n" % code


def _close_or(code: int, then: Callable[[Model], Model]) -> Callable[[Model], Model]:
    return (lambda m: replace(m.fresh(), hello=False, closed=True)) if code == 421 else then


def _ehlo(code: int) -> Move:
    reply = EHLO if code == 250 else _line(code)
    leaves = _close_or(code, lambda m: replace(m, hello=code == 250))
    return Move(Client.ehlo, reply, lambda m: m.greeted and not m.hello, leaves)


def _mail(code: int) -> Move:
    leaves = _close_or(code, lambda m: replace(m, sender=code == 250, held=code == 250))
    return Move(lambda client: client.mail(Mail(A)), _line(code), lambda m: m.clean, leaves)


def _rcpt(code: int) -> Move:
    leaves = _close_or(code, lambda m: replace(m, recipients=m.recipients + (code == 250)))
    return Move(lambda client: client.rcpt(A), _line(code), lambda m: m.sender and not m.content, leaves)


def _group(mail: int, rcpt: int) -> Move:
    def send(client: Client) -> None:
        client.mail(Mail(A))
        client.rcpt(A)

    def leaves(m: Model) -> Model:
        if mail == 250:
            return replace(m, sender=True, recipients=int(rcpt == 250), held=True)
        return m.spoiled() if rcpt == 250 else m

    return Move(
        send, _line(mail) + _line(rcpt), lambda m: m.clean, _close_or(421 if 421 in (mail, rcpt) else 0, leaves)
    )


def _data(code: int) -> Move:
    leaves = _close_or(code, lambda m: replace(m, content=True) if code == 354 else m.spoiled())
    return Move(Client.data, _line(code), lambda m: m.recipients > 0 and not m.content, leaves)


def _end(code: int) -> Move:
    def send(client: Client) -> None:
        client.end()

    return Move(
        send, _line(code), lambda m: m.content, _close_or(code, lambda m: m.fresh() if code == 250 else m.spoiled())
    )


def _bdat(code: int) -> Move:
    def send(client: Client) -> None:
        client.bdat(3)
        client.content(b".\r\n")

    leaves = _close_or(code, lambda m: m.fresh() if code == 250 else m.spoiled())
    return Move(send, _line(code), lambda m: m.recipients > 0 and not m.content, leaves)


def _rset(code: int) -> Move:
    leaves = _close_or(code, lambda m: m.fresh() if code == 250 else m.spoiled())
    return Move(Client.rset, _line(code), lambda m: m.hello and not m.content, leaves)


def _quit(code: int) -> Move:
    def may(m: Model) -> bool:
        return m.greeted and not m.content

    return Move(Client.quit, _line(code), may, lambda m: replace(m.fresh(), hello=False, closed=True))


def _starttls(code: int) -> Move:
    leaves = _close_or(code, lambda m: replace(m, hello=False, tls=True) if code == 220 else m)
    return Move(Client.starttls, _line(code), lambda m: m.clean and not m.tls, leaves)


def _xclient(code: int) -> Move:
    leaves = _close_or(code, lambda m: replace(m, hello=False) if code == 220 else m)
    return Move(lambda client: client.xclient({"NAME": "c"}), _line(code), lambda m: m.clean, leaves)


def _greeting(code: int) -> Move:
    def may(m: Model) -> bool:
        return not m.greeted

    return Move(lambda _client: None, _line(code), may, lambda m: replace(m, greeted=code == 220, closed=code != 220))


MAKERS: tuple[tuple[Callable[[int], Move], tuple[int, ...]], ...] = (
    (_ehlo, (*CODES, 500)),
    (_mail, CODES),
    (_rcpt, CODES),
    (_data, (354, 451, 550, 421)),
    (_end, CODES),
    (_bdat, CODES),
    (_rset, CODES),
    (_quit, (221, 451, 550)),
    (_starttls, (220, 454, 554)),
    (_xclient, (220, 451, 550, 421)),
)
MOVES = {f"{make.__name__[1:]} {code}": make(code) for make, codes in MAKERS for code in codes} | {
    f"mail {mail}, rcpt {rcpt}": _group(mail, rcpt) for mail in CODES[:3] for rcpt in CODES
}


@pytest.mark.interpreted
def test_no_connection_is_used_again_while_some_server_may_hold_an_envelope(count: Count) -> None:
    depth = count("commands and replies in a row, every sequence", 5, 7)
    seen: set[object] = set()
    front: list[tuple[Move, ...]] = [(_greeting(220),)]
    for code in (451, 554, 421):
        assert _follow((_greeting(code),))[1].closed
    followed = 0
    for _ in range(depth):
        ahead = []
        for path in front:
            for name in MOVES:
                key, model = _follow((*path, MOVES[name]))
                followed += 1
                if (key, model) not in seen and not model.closed:
                    seen.add((key, model))
                    ahead.append((*path, MOVES[name]))
        front = ahead
    assert followed > 1000, "the walk has lost its way"


def _follow(path: tuple[Move, ...]) -> tuple[object, Model]:
    client, model = Client("mx.test"), Model()
    for move in path:
        allowed = move.may(model)
        try:
            move.send(client)
        except LocalProtocolError:
            assert not allowed, path
            continue
        assert allowed, path
        client.output()
        events = client.receive(move.replies)
        if client.output() == b"HELO mx.test\r\n":
            events += client.receive(move.replies)
        assert all(isinstance(event, Replied) for event in events), path
        if client.state is State.HANDSHAKE:
            client.started_tls()
        client.output()
        model = move.leaves(model)
    assert client.idle == (model.clean and not model.closed), path
    assert (client.state is State.CLOSED) == model.closed, path
    assert client.outstanding == 0, path
    return _key(client), model


def _key(client: Client) -> tuple[object, ...]:
    """All that the client knows."""
    values = (getattr(client, name) for name in Client.__slots__)
    return tuple(_frozen(value) for value in values)


def _frozen(value: object) -> object:
    if isinstance(value, ReplyReader):
        assert value.empty
        return None
    if isinstance(value, Writer):
        return value.state
    return value if isinstance(value, bytes | str | int | frozenset) else repr(value)
