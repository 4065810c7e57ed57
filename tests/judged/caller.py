"""A client with an address and a name of its own, one of hundreds that a test's loop holds."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

WITHIN = 120.0
PORT = 25
SERVERS = {4: "192.0.2.1", 6: "2001:db8::1"}


@dataclass(frozen=True, slots=True)
class Client:
    """Who it is."""

    address: str
    name: str


@dataclass(slots=True)
class Caller:
    """Its connection."""

    client: Client
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def reply(self) -> str:
        """Give one reply as a line; an empty one where the other side closed."""
        lines = []
        async with asyncio.timeout(WITHIN):
            while line := (await self.reader.readline()).decode().strip():
                lines.append(line)
                if line[3:4] != "-":
                    break
        return " / ".join(lines)

    async def ask(self, command: str) -> str:
        """Say it, and give the reply."""
        self.writer.write(command.encode() + b"\r\n")
        return await self.reply()

    async def hand_over(self, subject: str, *recipients: str) -> list[str]:
        """Send one message; give the replies to the recipients and, where one was taken, to the message."""
        said = [await self.ask(f"MAIL FROM:<sender@{self.client.name}>")]
        said += [await self.ask(f"RCPT TO:<{each}>") for each in recipients]
        if any(each.startswith("250") for each in said[1:]):
            said.append(await self.ask("DATA"))
            said.append(await self.ask(f"From: sender@{self.client.name}\r\nSubject: {subject}\r\n\r\nhello\r\n."))
        else:
            said.append(await self.ask("RSET"))
        return [each for each in said[1:] if not each.startswith(("354", "250 2.0.0 Ok\n"))]


@asynccontextmanager
async def calling(client: Client, hello: str = "EHLO") -> AsyncIterator[Caller]:
    """Connect from its address, be greeted and say hello; at the end say goodbye."""
    server = SERVERS[6 if ":" in client.address else 4]
    reader, writer = await asyncio.open_connection(server, PORT, local_addr=(client.address, 0))
    caller = Caller(client, reader, writer)
    try:
        greeting = await caller.reply()
        assert greeting.startswith("220 "), greeting
        said = await caller.ask(f"{hello} {client.name}")
        assert re.match("250[ -]", said), said
        yield caller
        await caller.ask("QUIT")
    finally:
        writer.close()
