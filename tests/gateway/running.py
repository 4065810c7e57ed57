"""A worker's inside, listening on loopback in this process: everything between two sockets is real.

Its settings come from the text of a configuration, its log lines lie in memory, and it has no clerk.
"""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
from blockbuster import BlockBuster
from msgspec import structs

from tests.gateway.conserved import Before, assert_no_fault_but, owed, settle
from tests.gateway.inside import Inside
from tidewaiter.config import parse
from tidewaiter.delivery.hops import Hops
from tidewaiter.gateway.mail.entrance import entrance
from tidewaiter.gateway.mail.listening import Listening
from tidewaiter.gateway.mail.session import Session
from tidewaiter.gateway.mail.worker_context import WorkerContext
from tidewaiter.gateway.processes.doubts import Doubts
from tidewaiter.gateway.record.inbox import read_line
from tidewaiter.store.records import Findings, Refusal, Transaction

HOST = "127.0.0.1"
SECONDS = 25.0
INBOUND = """\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "127.0.0.1:0"
role = "inbound"
{listener}
[[route]]
domains = ["inside.test"]
next_hop = {hops}
{route}
[limits]
{limits}
"""


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something that has to come; what never comes is a failure and not a hang."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"{what} never came"
        await asyncio.sleep(0.005)


class Memory:
    """The log as a file in memory, read as records."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("log")
        os.set_blocking(self.descriptor, False)
        self._last: bytes | None = None

    @property
    def transactions(self) -> list[Transaction]:
        return [line for line in self._lines() if isinstance(line, Transaction)]

    @property
    def refusals(self) -> list[Refusal]:
        return [line for line in self._lines() if isinstance(line, Refusal)]

    @property
    def findings(self) -> list[Findings]:
        return [line for line in self._lines() if isinstance(line, Findings)]

    def told(self, event: str) -> list[dict[str, object]]:
        """Give the lines that tell of `event`."""
        lines = map(msgspec.json.decode, self._bytes().splitlines())
        return [line for line in lines if line["event"] == event]

    def _lines(self) -> Iterator[object]:
        return map(read_line, self._bytes().splitlines())

    def _bytes(self) -> bytes:
        return self._read() if self._last is None else self._last

    def _read(self) -> bytes:
        return os.pread(self.descriptor, 2**24, 0)

    def close(self) -> None:
        """Keep what was logged for whoever asks later."""
        self._last = self._read()
        os.close(self.descriptor)


@dataclass
class RunningGateway:
    """What a test may look at."""

    worker: WorkerContext
    listenings: list[Listening]
    hops: Hops
    memory: Memory
    doubts: Doubts
    ports: list[int]

    @property
    def sessions(self) -> list[Session]:
        """The connections of its first listener."""
        return [session for session in self.listenings[0].sessions if isinstance(session, Session)]

    @property
    def port(self) -> int:
        return self.ports[0]

    async def recorded(self) -> Transaction:
        """Wait for the one record of a transaction."""
        await until(lambda: self.memory.transactions, "a record")
        [record] = self.memory.transactions
        return record

    async def settled(self) -> None:
        """Wait until no transaction is under way, and what is to be said of them has been written."""
        journal = self.worker.recorder._journal
        await until(lambda: not self.worker.under_way and not journal.waiting, "the end of all transactions")


@asynccontextmanager
async def running_gateway(
    folder: Path, configuration: str, faults: Sequence[str] = (), **shorter: float
) -> AsyncIterator[RunningGateway]:
    """Serve `configuration`, whose paths start at `folder`, on ports that the kernel chose.

    `shorter` are limits below what a configuration may say, so that a test need not wait for them. In the end all is
    given back (`conserved`), and the log holds no `fault` but those whose reasons or tracebacks hold one of `faults`.
    """
    settings = parse(configuration.encode(), "gateway.toml")
    settings = structs.replace(settings, limits=structs.replace(settings.limits, **shorter))
    loop = asyncio.get_running_loop()
    before, handler = Before(settings), loop.get_exception_handler()
    memory = Memory()
    inside = Inside(settings, folder, memory.descriptor)
    listenings = [inside.listening(listener) for listener in settings.listener]
    servers = [await _serve(listening) for listening in listenings]
    await asyncio.gather(*(hop.learn() for hop in inside.hops.all()))
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    # Behind the start, which may wait for its thread and its files, a call that blocks the loop is a failure.
    detector = BlockBuster(scanned_modules=["tidewaiter"])
    detector.activate()
    failed = True
    try:
        yield RunningGateway(inside.worker, listenings, inside.hops, memory, inside.doubts, ports)
        failed = False
    finally:
        detector.deactivate()
        for server in servers:
            server.close()
        for listening in listenings:
            for session in list(listening.sessions):
                session.abort()
        try:
            if not failed:
                await settle(lambda: owed(inside, listenings))
        finally:
            await inside.close()
            memory.close()
        loop.set_exception_handler(handler)
        if not failed:
            await settle(lambda: before.left(inside, ports))
            assert_no_fault_but(faults, memory.told("fault"))


async def _serve(listening: Listening) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(entrance(listening), HOST, 0)


class Caller:
    """A client that says exactly these bytes, and reads replies."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def call(cls, port: int, *, hello: str = "EHLO client.test") -> "Caller":
        """Connect, read the greeting, say hello unless it is empty."""
        caller = cls(*await asyncio.open_connection(HOST, port))
        await caller.reply()
        if hello:
            await caller.say(hello)
        return caller

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> str:
        """Read one reply, its lines joined by newlines; empty at the end of the connection."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            reading = asyncio.ensure_future(self.reader.readline())
            await asyncio.wait([reading], timeout=SECONDS)
            assert reading.done(), "no reply comes"
            line = reading.result()
            if not line:
                break
            assert line.endswith(b"\r\n"), line
            lines.append(line[:-2].decode("ascii"))
        return "\n".join(lines)

    async def say(self, *commands: str) -> str:
        """Say commands one after another; give the last reply."""
        reply = ""
        for command in commands:
            await self.send(command.encode() + b"\r\n")
            reply = await self.reply()
        return reply

    async def envelope(self, *recipients: str, mail: str = "MAIL FROM:<a@client.test>") -> None:
        """Say MAIL and RCPT, which must be taken."""
        for command in (mail, *(f"RCPT TO:<{recipient}>" for recipient in recipients or ("b@inside.test",))):
            reply = await self.say(command)
            assert reply.startswith("250"), (command, reply)

    async def data(self, content: bytes) -> str:
        """Send content by DATA, stuffed; give the final reply."""
        reply = await self.say("DATA")
        if not reply.startswith("354"):
            return reply
        stuffed = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
        await self.send(stuffed + (b".\r\n" if stuffed.endswith(b"\r\n") or not stuffed else b"\r\n.\r\n"))
        return await self.reply()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    def vanish(self) -> None:
        """Go by RST, as a client that crashed: a FIN could be half a close, behind which a reply is still read."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def closed(self) -> bool:
        """Tell whether nothing more is said to us."""
        async with asyncio.timeout(SECONDS):
            return await self.reader.read() == b""
