"""What does a server answer to exactly these bytes?

- What is written here is what goes out: nothing is repaired, added or stuffed.
- Replies are cut by RFC 5321 §4.2.1 alone: "the text on each line ... begins with the reply code, followed immediately
  by a hyphen" on every line but the last.
- A server may reset the connection behind its last reply; what had arrived before is kept.
"""

import asyncio
import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

from tidewaiter.model.sentence import Sentence, SentenceError

REPLY: Final = re.compile(rb"(?:([0-9]{3})-[^\n]*\n)*([0-9]{3})(?:[^-\n][^\n]*)?\n")


class SilenceError(SentenceError):
    """The server neither answered nor closed in time."""


class ClosedError(SentenceError):
    """The server closed where a reply was due."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One reply: its code, and all of its lines as they came."""

    code: int
    wire: bytes

    @property
    def good(self) -> bool:
        """The code begins with a 2."""
        return 200 <= self.code <= 299

    def __str__(self) -> str:
        """Write it on one line."""
        return " / ".join(self.wire.decode("latin-1").split("\r\n")).strip(" /")


class Caller(asyncio.Protocol):
    """One connection to a server."""

    def __init__(self) -> None:
        self.replies: list[Answer] = []
        """Every reply so far, the greeting first."""
        self.closed = False
        self._unread = b""
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def call(cls, host: str, port: int, within: float) -> Self:
        """Connect; raises OSError, or SilenceError after `within` seconds."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within):
                _, caller = await loop.create_connection(cls, host, port)
        except TimeoutError:
            raise SilenceError(Sentence("no connection in {seconds} s", seconds=within)) from None
        return caller

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let each write leave at once: where we cut is where it is cut."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        with suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Cut what came into replies."""
        self._unread += data
        while found := REPLY.match(self._unread):
            self.replies.append(Answer(int(found[2]), found[0]))
            self._unread = self._unread[found.end() :]
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - a reset is as good as a close
        """Nothing more will come."""
        self.closed = True
        self._news.set()

    def write(self, wire: bytes) -> None:
        """Send exactly `wire`; nothing happens once the server has closed."""
        if self._transport and not self.closed:
            self._transport.write(wire)

    async def until(self, count: int, within: float) -> bool:
        """Wait until there are `count` replies or the server has closed; False after `within` seconds of neither."""
        try:
            async with asyncio.timeout(within):
                while len(self.replies) < count and not self.closed:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def ask(self, wire: bytes, within: float) -> Answer:
        """Send `wire` and give the reply to it; raises ClosedError, or SilenceError after `within` seconds."""
        wanted = len(self.replies) + 1
        self.write(wire)
        if not await self.until(wanted, within):
            raise SilenceError(Sentence("no reply to {wire!r} in {seconds} s", wire=wire[:60], seconds=within))
        if len(self.replies) < wanted:
            behind = self.replies[-1] if self.replies else Sentence("nothing")
            raise ClosedError(Sentence("closed behind {reply}", reply=behind))
        return self.replies[wanted - 1]

    async def secure(self, context: ssl.SSLContext, within: float) -> None:
        """Make the TLS handshake; raises ClosedError where it fails."""
        assert self._transport is not None
        try:
            self._transport = await asyncio.get_running_loop().start_tls(
                self._transport, self, context, ssl_handshake_timeout=within
            )
        except OSError as error:  # an ssl.SSLError is one
            raise ClosedError(Sentence("no handshake: {reason}", reason=error)) from None

    def hang_up(self) -> None:
        """Close our side, with nothing of ours left to send."""
        if self._transport:
            self._transport.abort()
