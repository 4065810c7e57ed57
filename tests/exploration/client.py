"""A client that sends messages, notes when it heard what, and may leave at a moment that somebody else chooses."""

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from tests.exploration.wire import End

if TYPE_CHECKING:
    from tests.exploration.clock import Clock


FEW = b"y" * 110 + b"\r\n"
LINE = b"x" * 990 + b"\r\n"


class Heard(NamedTuple):
    """A command, and what came of it."""

    asked: float
    command: str
    replied: float
    reply: str
    """Empty where the connection ended instead."""


class Leaving(Enum):
    """How a client goes."""

    FIN = "half-closes"
    RST = "resets"


@dataclass(frozen=True, slots=True)
class Message:
    """What it sends: `subject` names it wherever it goes."""

    subject: str
    recipients: tuple[str, ...]
    parameters: str = ""
    odd: bytes = b""
    """A line of content besides."""
    filler: int = 0
    """Octets of content beside the few."""
    regrets: bool = False
    """It says the envelope, takes it back, and says it again."""
    rests: float = 0.0
    """Seconds of silence behind its recipients."""

    @property
    def sender(self) -> str:
        return f"{self.subject}@client.test"

    @property
    def content(self) -> bytes:
        return f"Subject: {self.subject}\r\n\r\n".encode() + self.odd + FEW + LINE * (self.filler // len(LINE))


@dataclass
class Client(asyncio.Protocol):
    """One connection to the gateway; its side of the talk."""

    loop: "Clock"
    message: Message
    heard: list[Heard] = field(default_factory=list)
    gone: Leaving | None = None
    task: asyncio.Task[None] = field(init=False)
    _unread: bytes = b""
    _wakes: asyncio.Future[None] | None = None
    _over: bool = False
    _asked: tuple[float, str] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, End)
        self.end = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        self._wake()

    def eof_received(self) -> bool:
        self._over = True
        self._wake()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self._over = True
        self._wake()

    def leave(self, how: Leaving) -> None:
        """Go now; behind a FIN, what is still said is read."""
        if self.gone is None and not self._over:
            self.gone = how
            if how is Leaving.RST:
                self.end.reset()
            else:
                self.end.write_eof()

    @property
    def waits(self) -> str:
        """What it asked and has heard no reply to; empty where there is nothing."""
        return f"{self._asked[1]}, asked at {self._asked[0]:.3f}" if self._asked and not self.gone else ""

    @property
    def final(self) -> str:
        """What became of the message, or of its first recipient where none was taken; empty where it never heard."""
        for heard in reversed(self.heard):
            if heard.command in {"content", "DATA"}:
                return heard.reply
        refused = [heard.reply for heard in self.heard if heard.command.startswith(("RCPT", "MAIL"))]
        return refused[-1] if refused else ""

    def of(self, command: str) -> list[Heard]:
        """What it heard to this command."""
        return [heard for heard in self.heard if heard.command.startswith(command)]

    @property
    def named(self) -> list[str]:
        """The recipients of its last envelope that were taken."""
        named: list[str] = []
        for heard in self.heard:
            if heard.command.startswith("MAIL"):
                named = []
            elif heard.command.startswith("RCPT") and heard.reply.startswith("250"):
                named.append(heard.command[9:-1])
        return named

    # The talk.

    async def send(self) -> None:
        """Send the message, from the greeting to QUIT."""
        await self._listen("greeting")
        await self._ask("EHLO client.test")
        message = self.message
        if message.regrets:
            await self._envelope()
            await self._ask("RSET")
        taken = await self._envelope()
        if taken and message.rests:
            await asyncio.sleep(message.rests)
        if taken and (await self._ask("DATA")).startswith("354"):
            await self._ask("content", message.content + b".\r\n")
        await self._ask("QUIT")
        self.end.close()

    async def _envelope(self) -> bool:
        if not (await self._ask(f"MAIL FROM:<{self.message.sender}>{self.message.parameters}")).startswith("250"):
            return False
        replies = [await self._ask(f"RCPT TO:<{recipient}>") for recipient in self.message.recipients]
        return any(reply.startswith("250") for reply in replies)

    async def _ask(self, command: str, data: bytes = b"") -> str:
        if self._over or self.gone is not None:
            return ""
        self.end.write(data or command.encode() + b"\r\n")
        return await self._listen(command)

    async def _listen(self, command: str) -> str:
        self._asked = asked, _ = self.loop.now, command
        reply = ""
        while not reply and not (self._over and not self._unread):
            reply = self._take()
            if not reply and not self._over:
                self._wakes = self.loop.create_future()
                await self._wakes
        self._asked = None
        self.heard.append(Heard(asked, command, self.loop.now, reply))
        return reply

    def _take(self) -> str:
        """Take one whole reply, if it is there."""
        at = 0
        while (end := self._unread.find(b"\r\n", at)) >= 0:
            last = self._unread[at + 3 : at + 4] != b"-"
            at = end + 2
            if last:
                reply, self._unread = self._unread[:end], self._unread[at:]
                return reply.decode("ascii")
        return ""

    def _wake(self) -> None:
        if self._wakes is not None and not self._wakes.done():
            self._wakes.set_result(None)
