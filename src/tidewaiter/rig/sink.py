"""What does a sender really emit?  A sink that keeps every byte between 354 and the sender's next command.

What a sender writes may hold an end of its own making, so a message is not over where CR LF . CR LF stands: it is over
when a command follows, and until then every byte belongs to it.  The sink answers once, when the first end stands last
in what came, or when the sender falls silent.  No PIPELINING is offered, so an honest sender waits for that answer.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

HOST: Final = "127.0.0.1"
END: Final = b"\r\n.\r\n"
SETTLED: Final = 0.02
"""Seconds without a byte behind an end after which it is answered.

What a sender writes in pieces comes closer together, and an answer in the midst of them confuses it.
"""
QUIET: Final = 0.5
"""The same for a sender that has sent no end as the standard has it."""
VERBS: Final = (b"MAIL", b"RSET", b"NOOP", b"QUIT", b"EHLO", b"HELO", b"RCPT", b"DATA", b"VRFY")
ANSWERS: Final = {
    b"EHLO": b"250-sink.test\r\n250 8BITMIME",
    b"HELO": b"250 sink.test",
    b"DATA": b"354 go on",
    b"QUIT": b"221 2.0.0 bye",
}


@dataclass(frozen=True, slots=True)
class Emitted:
    """One message as it was sent."""

    forward_paths: tuple[str, ...]
    wire: bytes
    """Every byte between 354 and the next command."""


@dataclass
class Sink:
    """All that was sent to it."""

    messages: list[Emitted] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, count: int, silence: float) -> None:
        """Wait until there are `count` messages, or `silence` seconds have brought none."""
        while len(self.messages) < count:
            self.news.clear()
            try:
                async with asyncio.timeout(silence):
                    await self.news.wait()
            except TimeoutError:
                return


@asynccontextmanager
async def sinking(sink: Sink, port: int = 0) -> AsyncIterator[int]:
    """Listen on loopback, and give the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(sink), HOST, port, backlog=512)
    async with server:
        yield server.sockets[0].getsockname()[1]


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._unread = b""
        self._wire: bytes | None = None
        """The message's bytes; None while commands are read."""
        self._answered = False
        self._paths: list[str] = []
        self._transport: asyncio.Transport | None = None
        self._quiet: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._say(b"220 sink.test ESMTP")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - what came, came
        """Keep a message behind which no command came."""
        if self._quiet:
            self._quiet.cancel()
        if self._answered:
            self._keep()

    def data_received(self, data: bytes) -> None:
        """Take content, or commands line by line."""
        if self._answered and data[:4].upper() in VERBS:
            self._keep()
        if self._in_content:
            self._content(data)
            return
        self._unread += data
        while b"\n" in self._unread and not self._in_content:
            line, _, self._unread = self._unread.partition(b"\n")
            self._command(line.strip())

    @property
    def _in_content(self) -> bool:
        return self._wire is not None

    def _content(self, data: bytes) -> None:
        self._wire = (self._wire or b"") + data
        if self._quiet:
            self._quiet.cancel()
        ended = (b"\r\n" + self._wire).endswith(END)
        self._quiet = asyncio.get_running_loop().call_later(SETTLED if ended else QUIET, self._answer)

    def _answer(self) -> None:
        if not self._answered:
            self._answered = True
            self._say(b"250 2.0.0 kept")

    def _keep(self) -> None:
        self._sink.messages.append(Emitted(tuple(self._paths), self._wire or b""))
        self._sink.news.set()
        self._wire, self._answered, self._paths = None, False, []

    def _command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self._paths.append(line.partition(b"<")[2].partition(b">")[0].decode("latin-1"))
        if verb in (b"MAIL", b"RSET"):
            self._paths = []
        if verb == b"DATA":
            self._wire, self._answered = b"", False
        self._say(ANSWERS.get(verb, b"250 2.0.0 ok") if verb in VERBS else b"500 5.5.2 what?")
        if verb == b"QUIT" and self._transport:
            self._transport.close()

    def _say(self, reply: bytes) -> None:
        if self._transport:
            self._transport.write(reply + b"\r\n")
