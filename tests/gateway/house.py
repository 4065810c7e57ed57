"""A worker's inside, listening on loopback in this process: everything between two sockets is real.

Its settings come from the text of a configuration, its log lines lie in memory, and it has no clerk.
"""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

import msgspec
from blockbuster import BlockBuster
from msgspec import structs

from tidewaiter.config import parse
from tidewaiter.delivery.hops import Hops
from tidewaiter.gateway import connections, doubts
from tidewaiter.gateway.connections import Connections
from tidewaiter.gateway.desk import read_line
from tidewaiter.gateway.doubts import Doubts
from tidewaiter.gateway.examiner import Examiner
from tidewaiter.gateway.handover import Handover
from tidewaiter.gateway.listening import HopRoute, Listening
from tidewaiter.gateway.reach import Reach
from tidewaiter.gateway.recorder import Recorder
from tidewaiter.gateway.session import Session
from tidewaiter.gateway.station import Station
from tidewaiter.net.deadline import Watch
from tidewaiter.net.tls import server_context
from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.records import Refusal, Transaction
from tidewaiter.store.spool import SpoolRoom

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
class House:
    """What a test may look at."""

    station: Station
    listenings: list[Listening]
    hops: Hops
    memory: Memory
    doubts: Doubts
    ports: list[int]

    @property
    def port(self) -> int:
        return self.ports[0]

    async def recorded(self) -> Transaction:
        """Wait for the one record of a transaction."""
        await until(lambda: self.memory.transactions, "a record")
        [record] = self.memory.transactions
        return record

    async def settled(self) -> None:
        """Wait until no transaction is under way."""
        await until(lambda: not self.station.under_way, "the end of all transactions")


@asynccontextmanager
async def house(folder: Path, configuration: str, **shorter: float) -> AsyncIterator[House]:
    """Serve `configuration`, whose paths start at `folder`, on ports that the kernel chose.

    `shorter` are limits below what a configuration may say, so that a test need not wait for them.
    """
    loop = asyncio.get_running_loop()
    settings = parse(configuration.encode(), "gateway.toml")
    limits = structs.replace(settings.limits, **shorter)
    settings = structs.replace(settings, limits=limits)
    files = FileThread(loop)
    state = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    memory = Memory()
    connections_map, doubts_file = connections.create(2), doubts.create(state, 2)
    kept = Doubts(doubts_file, 0)
    room = SpoolRoom(files, str(folder), limits.spool_memory, limits.spool_memory_total, limits.spool_total, 2**40)
    watch = Watch(loop)
    handover = Handover(
        generation=1,
        index=0,
        workers=1,
        column=0,
        columns=2,
        file="gateway.toml",
        configuration=-1,
        listeners=(),
        link=-1,
        log=memory.descriptor,
        state=state,
        connections=connections_map,
        doubts=doubts_file,
    )
    recorder = Recorder(handover, loop)
    station = Station(settings, loop, watch, recorder, room, Connections(connections_map, 2, 0), kept, Examiner(loop))
    hops = Hops(settings, watch, files, 1, lambda path: str(folder / path), Reach(recorder).heard)
    listenings = []
    servers = []
    for listener in settings.listener:
        routes = [HopRoute(route.domains, hops.of(route)) for route in settings.route if listener.role in route.roles]
        context = None
        if listener.certificate is not None and listener.key is not None:
            context = server_context(str(folder / listener.certificate), str(folder / listener.key))
        listening = Listening(station, listener, routes, context)
        listenings.append(listening)
        servers.append(
            await loop.create_server(
                lambda listening=listening: cast(asyncio.Protocol, Session(listening)),
                HOST,
                0,
                ssl=context if listening.implicit_tls else None,
            )
        )
    await asyncio.gather(*(hop.learn() for hop in hops.all()))
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    # Behind the start, which may wait for its thread and its files, a call that blocks the loop is a failure.
    detector = BlockBuster(scanned_modules=["tidewaiter"])
    detector.activate()
    try:
        yield House(station, listenings, hops, memory, kept, ports)
    finally:
        detector.deactivate()
        for server in servers:
            server.close()
        for listening in listenings:
            for session in list(listening.sessions):
                session.abort()
        for hop in hops.all():
            hop.close()
        await station.examiner.close()
        await asyncio.sleep(0.01)
        await recorder.close(0.0)
        memory.close()
        files.close()
        kept.close()
        for descriptor in (state, connections_map, doubts_file):
            os.close(descriptor)


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
