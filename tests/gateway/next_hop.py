"""A next hop that does as it is told, and remembers what it was told.

It reads DATA by the one end and BDAT by its count, and answers each command with what the test wrote down for it.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self, cast

HOST = "127.0.0.1"
END = b"\r\n.\r\n"
OFFERS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 52428800")

Answer = str | Callable[[str], str]
CLOSE = "close"
"""An answer that is none: the connection is closed."""
SILENCE = "silence"
"""An answer that never comes."""


@dataclass
class Taken:
    """A message that was answered 250."""

    mail: str
    recipients: tuple[str, ...]
    content: bytes
    """As it was meant: the stuffing of DATA taken out."""
    by: str


@dataclass
class NextHop:
    """The server; `answers` maps a verb (or `greeting`, `end`) to what is said, a list to one answer after another."""

    offers: tuple[str, ...] = OFFERS
    answers: dict[str, Any] = field(default_factory=dict)
    """Each value an `Answer`, or a list of them."""
    taken: list[Taken] = field(default_factory=list)
    commands: list[list[str]] = field(default_factory=list)
    """Of each connection."""
    wire: list[bytearray] = field(default_factory=list)
    """Every byte of each connection."""
    port: int = 0
    held: "asyncio.Event | None" = None
    """While it is there and not set, the end of content is not answered."""
    deaf: bool = False
    """Behind 354 it reads no more."""
    context: ssl.SSLContext | None = None
    """For STARTTLS, or with `implicit` for TLS from the first byte."""
    implicit: bool = False
    open: int = 0
    most: int = 0
    """Connections open at once, at most."""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, port: int = 0) -> None:
        """Listen."""
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(
            self._serve, HOST, port, limit=2**26, ssl=self.context if self.implicit else None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything at once, as a crash would."""
        self._server.close()
        self.drop()
        await self._server.wait_closed()

    def drop(self) -> None:
        """Cut every connection."""
        for writer in self._writers:
            writer.transport.abort()

    @property
    def said(self) -> list[str]:
        """Every command, of all connections in order."""
        return [line for connection in self.commands for line in connection]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self.open += 1
        self.most = max(self.most, self.open)
        self.commands.append([])
        self.wire.append(bytearray())
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, EOFError):
                await _Conversation(self, reader, writer, self.commands[-1], self.wire[-1]).run()
        finally:
            self.open -= 1
            self._writers.discard(writer)
            writer.close()

    def answer(self, what: str, otherwise: str, line: str = "") -> str:
        """Choose what is said."""
        found = self.answers.get(what, otherwise)
        if isinstance(found, list):
            found = found.pop(0) if found else otherwise
        return str(found if isinstance(found, str) else found(line))


@dataclass
class _Conversation:
    hop: NextHop
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    commands: list[str]
    wire: bytearray
    mail: str = ""
    recipients: list[str] = field(default_factory=list)
    chunks: bytes = b""

    async def run(self) -> None:
        await self._say(self.hop.answer("greeting", "220 hop.test ESMTP"))
        while True:
            line = await self._line()
            self.commands.append(line)
            verb = line.split(" ")[0].split(":")[0].upper()
            await getattr(self, f"_{verb.lower()}", self._other)(line)

    async def _line(self) -> str:
        data = await self.reader.readuntil(b"\r\n")
        self.wire += data
        return data[:-2].decode()

    async def _say(self, reply: str) -> bool:
        if reply == CLOSE:
            raise EOFError
        if reply == SILENCE:
            await asyncio.Event().wait()
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()
        return reply[0] in "23"

    async def _other(self, line: str) -> None:
        verb = line.split(" ", 1)[0].upper()
        await self._say(self.hop.answer(verb, "250 2.0.0 Ok", line))

    async def _ehlo(self, line: str) -> None:
        offers = "\r\n".join(f"250-{offer}" for offer in self.hop.offers)
        await self._say(self.hop.answer("EHLO", f"250-hop.test\r\n{offers}\r\n250 ENHANCEDSTATUSCODES", line))

    _lhlo = _ehlo

    async def _mail(self, line: str) -> None:
        if await self._say(self.hop.answer("MAIL", "250 2.1.0 Ok", line)):
            self.mail, self.recipients, self.chunks = line, [], b""

    async def _rcpt(self, line: str) -> None:
        if await self._say(self.hop.answer("RCPT", "250 2.1.5 Ok", line)):
            self.recipients.append(line.partition("<")[2].rpartition(">")[0])

    async def _rset(self, line: str) -> None:
        self.mail, self.recipients = "", []
        await self._say(self.hop.answer("RSET", "250 2.0.0 Ok", line))

    async def _starttls(self, line: str) -> None:
        if await self._say(self.hop.answer("STARTTLS", "220 2.0.0 Go ahead", line)):
            if self.hop.context is None:
                return  # it says that it does, and goes on in plain text
            await self.writer.start_tls(self.hop.context)

    async def _quit(self, _line: str) -> None:
        await self._say("221 2.0.0 Bye")
        raise EOFError

    async def _data(self, line: str) -> None:
        if await self._say(self.hop.answer("DATA", "354 Go ahead", line)):
            if self.hop.deaf:
                cast(asyncio.Transport, self.writer.transport).pause_reading()
                await asyncio.Event().wait()
            stuffed = b"\r\n"
            while not stuffed.endswith(END):
                # One line first: the line end before the final dot may be that of the DATA command.
                separator = b"\r\n" if len(stuffed) == len(b"\r\n") else b"\r\n.\r\n"
                stuffed += await self._take(self.reader.readuntil(separator))
            await self._end(stuffed.replace(b"\r\n.", b"\r\n")[2:-2], "DATA")

    async def _bdat(self, line: str) -> None:
        _, count, *last = line.split(" ")
        self.chunks += await self._take(self.reader.readexactly(int(count)))
        if last:
            await self._end(self.chunks, "BDAT")
        else:
            await self._say("250 2.0.0 Ok")

    async def _take(self, reading: Awaitable[bytes]) -> bytes:
        data = await reading
        self.wire += data
        return data

    async def _end(self, content: bytes, by: str) -> None:
        if self.hop.held is not None:
            await self.hop.held.wait()
        reply = self.hop.answer("end", "250 2.0.0 Ok: queued as 4ABCDEF123")
        if reply[0] == "2":
            self.hop.taken.append(Taken(self.mail, tuple(self.recipients), content, by))
        self.mail, self.recipients = "", []
        await self._say(reply)
