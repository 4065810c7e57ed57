"""A receiver that plays any dialect: its row says what ends the content, what ends a command, and what follows.

Used to try the learner, the prober and the show on programs that are not at hand.
It keeps what each transaction was, as the program that it plays would have seen it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from tidewaiter.lines.machine import Splitter, State
from tidewaiter.lines.pattern import Pattern, anywhere, either, matches_empty
from tidewaiter.lines.pattern import after as read_on
from tidewaiter.lines.symbol import Symbol, symbols
from tidewaiter.model.dialect import ReaderDialect, Then

HOST: Final = "127.0.0.1"
SIZE: Final = 200_000
OFFERS: Final = ("PIPELINING", "8BITMIME")


@dataclass(frozen=True, slots=True)
class Taken:
    """One transaction as the played program saw it."""

    reverse_path: bytes
    forward_paths: tuple[bytes, ...]
    wire: bytes
    """From 354 to the byte that ended it."""
    accepted: bool


@dataclass
class Player:
    """One program played: shared by all of its connections."""

    reader: ReaderDialect
    offers: tuple[str, ...] = OFFERS
    size: int = SIZE
    """The limit past which the row's `oversize` comes true, in bytes; offered as SIZE."""
    lmtp: bool = False
    taken: list[Taken] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.splitter = Splitter(self.reader)
        self.line = either(*(anywhere(words) for words in self.reader.lines))


@asynccontextmanager
async def playing(player: Player) -> AsyncIterator[int]:
    """Listen on loopback, and give the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Line(player), HOST, 0, backlog=512)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Line(asyncio.Protocol):
    """One connection: command mode, or the content, byte class by byte class."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._command = b""
        self._ending: Pattern = player.line
        self._reading: State | None = None
        self._wire = bytearray()
        self._left = 0
        self._paths: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._answers: dict[bytes, Callable[[bytes], Iterator[str]]] = {
            b"HELO": self._helo,
            b"LHLO" if player.lmtp else b"EHLO": self._ehlo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"QUIT": self._quit,
        }

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say("220 player.test ESMTP")

    def data_received(self, data: bytes) -> None:
        """Read what one read returned: its end is the edge that some programs depend on."""
        for at, symbol in enumerate(symbols(data)):
            byte, last = data[at : at + 1], at == len(data) - 1
            if self._transport is None or self._transport.is_closing():
                return
            if self._reading is None:
                self._command_byte(byte, symbol)
            else:
                self._content_byte(self._reading, byte, symbol, last=last)
        if self._reading is not None:
            self._edge(self._reading)

    def _command_byte(self, byte: bytes, symbol: Symbol) -> None:
        self._command += byte
        self._ending = read_on(self._ending, symbol)
        if matches_empty(self._ending):
            verb, _, argument = self._command.strip(b"\r\n").partition(b" ")
            self._command, self._ending = b"", self._player.line
            for reply in self._answers.get(verb.upper(), self._unknown)(argument):
                self._say(reply)

    def _content_byte(self, reading: State, byte: bytes, symbol: Symbol, *, last: bool) -> None:
        self._wire += byte
        read = self._player.splitter.feed(reading, symbol)
        self._left -= 1
        if read.end is None and self._left == -1:
            read = self._player.splitter.oversize(read.state) or read
        self._reading = read.state
        if read.end is not None:
            self._end(read.end, last=last)

    def _edge(self, reading: State) -> None:
        read = self._player.splitter.feed(reading, Symbol.EDGE)
        self._reading = read.state
        if read.end is not None:
            self._end(read.end, last=True)

    def _end(self, end: Then, *, last: bool) -> None:
        if end.goes_on == "content":
            self._say(f"{end.code} refused, and what follows is content")
            self._left = self._player.size
            return
        dropped = end.goes_on == "commands after edge" and not last
        self._reading = None
        if not dropped:
            reverse_path, *forward_paths = self._paths
            self._player.taken.append(Taken(reverse_path, tuple(forward_paths), bytes(self._wire), end.accepted))
        for _ in range(len(self._paths) - 1 if self._player.lmtp and end.accepted else 1):
            self._say("500 5.5.1 Pipelining not supported" if dropped else f"{end.code} the content has ended")
        if not end.envelope_kept:
            self._paths = []
        if dropped or end.goes_on == "close":
            self._close()

    def _helo(self, _: bytes) -> Iterator[str]:
        yield "250 player.test"

    def _ehlo(self, _: bytes) -> Iterator[str]:
        lines = ["player.test", *self._player.offers, f"SIZE {self._player.size}"]
        yield "\r\n".join([*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}"])

    def _mail(self, argument: bytes) -> Iterator[str]:
        yield "503 5.5.1 nested MAIL" if self._paths else "250 2.1.0 ok"
        self._paths = self._paths or [argument]

    def _rcpt(self, argument: bytes) -> Iterator[str]:
        yield "250 2.1.5 ok" if self._paths else "503 5.5.1 MAIL first"
        self._paths += [argument] if self._paths else []

    def _data(self, _: bytes) -> Iterator[str]:
        if len(self._paths) < 2:
            yield "503 5.5.1 RCPT first"
            return
        self._wire, self._left = bytearray(), self._player.size
        # The content begins where a read begins, as far as the program can tell.
        self._reading = self._player.splitter.feed(self._player.splitter.start, Symbol.EDGE).state
        yield "354 go on"

    def _rset(self, _: bytes) -> Iterator[str]:
        self._paths = []
        yield "250 2.0.0 ok"

    def _noop(self, _: bytes) -> Iterator[str]:
        yield "250 2.0.0 ok"

    def _quit(self, _: bytes) -> Iterator[str]:
        yield "221 2.0.0 bye"
        self._close()

    def _unknown(self, _: bytes) -> Iterator[str]:
        yield "500 5.5.2 what?"

    def _close(self) -> None:
        if self._transport:
            self._transport.close()

    def _say(self, reply: str) -> None:
        if self._transport:
            self._transport.write(reply.encode() + b"\r\n")
