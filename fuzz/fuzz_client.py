"""The SMTP client, whose server says anything, cut anyhow, while it is asked to do anything.

Byte 0 counts the commands that follow it, one byte each; the next byte says how the rest is cut; the rest is the wire,
byte for byte. Between two commands the client hears one packet; behind the last it hears the others.
What must hold is kept by a book that knows nothing of the client: the replies as a regular expression finds them, and
what some server may still hold of an envelope.
"""

import contextlib
import itertools
import re
from collections.abc import Callable

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import Broken, Client, Early, Heard, LocalProtocolError, Offers, Replied, State, Verb

PARTS = (
    "src/tidewaiter/wire/client.py",
    "src/tidewaiter/wire/replied.py",
    "src/tidewaiter/wire/offers.py",
    "src/tidewaiter/wire/states.py",
    "src/tidewaiter/wire/xclient.py",
)
EAR = "tidewaiter.wire.client:Client.receive"
VECTORS = ("next hop",)

_A = Address("a", "b.test")
_REPLY = re.compile(rb"((?:([2-5]\d\d)-[^\r\n\0]*\r\n)*)([2-5]\d\d)(?: [^\r\n\0]*)?\r\n")
_NOT_KNOWN = (b"500", b"501", b"502", b"504")
_COMMANDS: tuple[Callable[[Client], None], ...] = (
    Client.ehlo,
    lambda client: client.mail(Mail(_A, 5)),
    lambda client: client.rcpt(_A),
    Client.data,
    lambda client: client.content(b".\r\nx"),
    Client.end,
    lambda client: client.bdat(4),
    Client.rset,
    Client.starttls,
    lambda client: client.xclient({}),  # see `_Book.do`
    Client.started_tls,
    Client.quit,
    lambda _client: None,
)
_XCLIENT, _WAIT = 9, len(_COMMANDS) - 1
_ATTRIBUTE = re.compile(rb" (NAME|ADDR|PORT|PROTO|HELO)=((?:[!-*,-<>-~]|\+[0-9A-F]{2})+)")


def says(wire: bytes) -> bytes:
    """The input that delivers `wire` to a client that has a message to send, one packet a line."""
    return _input((0, 1, 2, 12, 12, 3, 4, 5, 11), wire)


def _input(commands: tuple[int, ...], wire: bytes, size: int = 0) -> bytes:
    return bytes([len(commands), *commands, size]) + wire


_EHLO = b"220 a\r\n250-a\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 XCLIENT NAME HELO\r\n"
_OK = b"250 2.0.0 Ok\r\n"
SEEDS = [
    says(_EHLO + _OK * 2 + b"354 Go\r\n" + _OK + b"221 Bye\r\n"),
    _input((0, 1, 2, 12, 12, 6, 4, 12, 1, 11), _EHLO + _OK * 5),
    _input((0, 1, 2, 2, 12, 12, 12, 3, 4, 5, 7, 1), _EHLO + _OK * 3 + b"354 Go\r\n451 No\r\n" + _OK * 2),
    _input((0, 1, 2, 12, 12, 3, 7, 1), _EHLO + _OK * 2 + b"554 No\r\n" + _OK * 2),
    _input((0, 8, 10, 0), _EHLO + b"220 Go\r\n250 b\r\n250-b\r\n250 SIZE\r\n"),
    _input((0, 8, 12, 10, 0, 1), _EHLO + b"220 Go\r\n250 b\r\n" + _OK),
    _input((0, 9, 12, 0, 1), _EHLO + b"220 b\r\n250 b\r\n" + _OK),
    _input((0, 1, 2, 12, 12, 6, 12, 4), _EHLO + _OK * 2 + b"552 5.3.4 Too big\r\n"),
    _input((0, 1, 2, 12), _EHLO + b"550 No\r\n250 Ok\r\n"),
    _input((0, 12, 1, 12, 2, 12), b"220 a\r\n500 What\r\n250 a\r\n" + _OK * 2),
    _input((0, 7, 12, 12), _EHLO + _OK + b"250 smuggled\r\n"),
    _input((0, 7, 12, 7), _EHLO + b"250-a\r\n550 b\r\n" + b"250 a\nb\r\n"),
    _input(
        (0, 12, 12, 1, 2, 12, 12, 12, 12, 6, 4, 12), b"220 a\r\n250-a\r\n250 CHUNKING\r\n" + _OK * 2 + b"552 N\r\n", 7
    ),
]


def one_input(data: bytes) -> None:
    """Hold every invariant of the client against one input."""
    if not data or len(data) < data[0] % 32 + 2:
        return
    number = data[0] % 32
    commands, size, wire = data[1 : number + 1], data[number + 1] % 32, data[number + 2 :]
    book = _Book()
    packets = [wire[at : at + size] for at in range(0, len(wire), size)] if size else _lines(wire)
    packets.reverse()
    book.hear(packets.pop() if packets else b"")
    for command in commands:
        book.do(command % len(_COMMANDS))
        if command % len(_COMMANDS) in (_WAIT, 0, 3, 5, 7) and packets:
            book.hear(packets.pop())
    while packets:
        book.hear(packets.pop())


def _lines(wire: bytes) -> list[bytes]:
    """One packet a reply, so that an honest dialogue is heard as one; what is no reply comes as it is."""
    found = [match.end() for match in _REPLY.finditer(wire)]
    edges = [0, *found, len(wire)]
    return [wire[start:end] for start, end in itertools.pairwise(edges) if start < end]


class _Book:
    """The client, and what is certain about its server."""

    def __init__(self) -> None:
        self.client = Client("mx.test")
        self.wire, self.read, self.skipped = b"", 0, 0
        self.sent = 1
        self.held = self.broken = self.content = False

    def do(self, command: int) -> None:
        """Give one command; XCLIENT tells of a client whose name is whatever the server said last."""
        name = self.wire[-12:].decode("latin-1")
        with contextlib.suppress(LocalProtocolError):
            if command == _XCLIENT:
                self.client.xclient(dict.fromkeys(("NAME", "HELO"), name))
            else:
                _COMMANDS[command](self.client)
        self._send(name)

    def _send(self, name: str = "") -> None:
        said = self.client.output()
        _told(said, name)
        assert not (self.broken and said), "it speaks to a server that is not to be believed"
        # Content of this harness is never a line by itself, but for the end.
        lines = said.replace(b"..\r\nx", b"x").replace(b".\r\nx", b"x").split(b"\r\n")
        assert lines.pop() in (b"", *[b"x" * number for number in range(1, 20)]), said
        self.sent += len([line for line in lines if line.strip(b"x")])

    def hear(self, packet: bytes) -> None:
        client = self.client
        handshake = client.state is State.HANDSHAKE
        before, sent, owed = client.state, self.sent, client._left  # noqa: SLF001 - what it owes is the invariant
        self.wire += packet
        events = client.receive(packet)
        assert before is not State.CLOSED or not events, "an event behind the end"
        assert not (handshake and packet) or isinstance(events[-1], Broken), "plain text is kept for TLS"
        assert not (owed and any(isinstance(event, Replied) for event in events)), "a chunk goes on behind its reply"
        for event in events:
            self._note(event)
        assert self.read + self.skipped <= sent, "a reply to nothing"
        assert not client.idle or not self.held, "a connection with an envelope is called idle"
        assert client.state is State.CLOSED or client.outstanding or self._is_read(), "what nobody asked for is kept"
        if client.state in (State.GREETED, State.HANDSHAKE, State.CLOSED) and client.state is not before:
            assert client.state is State.HANDSHAKE or client.offers == Offers(enhanced=False), "old offers"
        self._send()

    def _note(self, event: Heard) -> None:
        assert not self.broken, "an event behind the end"
        if isinstance(event, Broken | Early):
            self.broken = True
            assert self.client.state is State.CLOSED
            return
        self._count(event)
        code, verb = event.reply.code, event.verb
        accepted = code < 300
        if verb in (Verb.MAIL, Verb.RCPT):
            self.held = self.held or accepted
        elif verb in (Verb.END, Verb.RSET, Verb.STARTTLS, Verb.XCLIENT) and accepted:
            self.held = False
        # RFC 5321 section 4.2.1: of a code that a client does not know, the first digit says what to do.
        assert (verb is not Verb.DATA) or code >= 300, "DATA was accepted without 354"
        assert code // 100 != 3 or verb is Verb.DATA, "354 to something else"

    def _count(self, event: Replied) -> None:
        """Each reply is the next one on the wire, and none is left out but what HELO stands in for."""
        found = [match for match in _REPLY.finditer(self.wire) if match[2] in (None, match[3])]
        if event.verb is Verb.HELO:
            assert found[self.read + self.skipped][3] in _NOT_KNOWN
            self.skipped += 1
        assert self.read + self.skipped < len(found), "a reply that is none"
        assert int(found[self.read + self.skipped][3]) == event.reply.code, "another command's reply"
        self.read += 1

    def _is_read(self) -> bool:
        """Whether the replies that were reported are all that came."""
        found = [match.end() for match in _REPLY.finditer(self.wire)][: self.read + self.skipped]
        return (found[-1] if found else 0) == len(self.wire)


def _told(said: bytes, name: str) -> None:
    """XCLIENT tells the name as it is, and nothing else (Postfix's XCLIENT_README, RFC 3461 section 4)."""
    _, begun, line = said.partition(b"XCLIENT")
    if not begun:
        return
    told, end, rest = line.partition(b"\r\n")
    assert (end, rest) == (b"\r\n", b""), "something behind XCLIENT"
    attributes = _ATTRIBUTE.findall(told)
    assert b"".join(b" %s=%s" % each for each in attributes) == told, "what is no attribute is told"
    assert len({key for key, _ in attributes}) == len(attributes), "an attribute is told twice"
    for _, value in attributes:
        meant = re.sub(rb"\+(..)", lambda pair: bytes.fromhex(pair[1].decode()), value).decode()
        assert meant == (name or "[UNAVAILABLE]"), "another name is told"
