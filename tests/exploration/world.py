"""One run: a worker's inside, next hops that are programs, clients, and a clock; what came of it, to be judged.

Everything between a client's socket and a next hop's is the real thing, composed as a worker composes it.
Times are a tenth of the defaults, each in the same relation to the others: looks at deadlines cost the most of a run.
"""

import asyncio
import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import structs

from tests.exploration.client import Client, Message
from tests.exploration.clock import Clock, StandstillError
from tests.exploration.company import Company, Dress
from tests.exploration.hop import Hop, Program
from tests.exploration.moments import Step
from tests.exploration.wire import End
from tests.gateway.inside import Inside
from tidewaiter.config import Settings, parse
from tidewaiter.config.settings import Timeouts
from tidewaiter.config.values import Duration
from tidewaiter.gateway import doubts
from tidewaiter.gateway.doubts import SLOTS, Doubts
from tidewaiter.gateway.handover import CLERK_SOCKET
from tidewaiter.gateway.session import Session
from tidewaiter.store.file_thread import FileThread

Result = TypeVar("Result")
CONFIGURATION: Final = """\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "127.0.0.1:25"
role = "inbound"
[[route]]
domains = ["inside.test"]
next_hop = {hops}
connections = {connections}
tls = "{tls}"
"""
ADDRESS: Final = "192.0.2.{}"
SPARE: Final = "198.51.100.1"
PATIENCE: Final = 5.0
"""Seconds between two messages, and at the end, beyond what the settings allow."""


class Files(FileThread):
    """The file thread without a thread: the work is done at once, and heard of in the next turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def run(self, work: Callable[[], Result], then: Callable[[Any], None]) -> None:
        try:
            result: object = work()
        except OSError as error:
            result = error
        self._loop.call_soon(then, result)

    def close(self) -> None:
        """Nothing runs."""


@cache
def settings(dress: Dress, company: Company) -> Settings:
    """Give the settings of a run."""
    scheme = "lmtp" if dress.lmtp else "smtp"
    hops = [f"{scheme}://hop.test:25"] + [f"{scheme}://spare.test:25"] * company.spare
    text = CONFIGURATION.format(hops=hops, connections=company.connections, tls=dress.tls).replace("'", '"')
    parsed = parse(text.encode(), "gateway.toml")
    limits = structs.replace(
        parsed.limits,
        next_hop_wait=Duration(3),
        next_hop_idle=Duration(3),
        final_reply=Duration(57),
        command_time=Duration(30),
        spool_memory=4096,
    )
    timeouts = Timeouts(**{each: Duration(getattr(Timeouts(), each) / 10) for each in Timeouts.__struct_fields__})
    route = structs.replace(parsed.route[0], idle=Duration(3), timeouts=timeouts)
    return structs.replace(parsed, limits=limits, route=(route,))


@dataclass
class Run:
    """What was played, and what came of it."""

    dress: Dress
    company: Company
    steps: Sequence[Step]
    forever: bool = False
    settings: Settings = field(init=False)
    loop: Clock = field(init=False)
    program: Program = field(init=False)
    hops: list[Hop] = field(default_factory=list)
    """The first is the one that goes wrong."""
    clients: list[Client] = field(default_factory=list)
    """All of them, in the order in which they came."""
    ours: list[End] = field(default_factory=list)
    """Our ends of the clients' connections."""
    log: list[dict[str, Any]] = field(default_factory=list)
    left: dict[str, object] = field(default_factory=dict)
    """What should not be there when all is over."""
    left_after: float = 0.0
    """Seconds from the order to leave until the worker could."""
    standstill: str = ""

    def __str__(self) -> str:
        steps = ", then ".join(map(str, self.steps)) + (", for ever" if self.forever else "")
        return f"{steps} | {self.dress.name} | {self.company.name}"


def play(run: Run) -> Run:
    """Play it from the start of the worker to its end."""
    run.settings = settings(run.dress, run.company)
    run.loop = loop = Clock()
    asyncio.set_event_loop(loop)
    try:
        _Stage(run).play()
    except StandstillError as error:
        run.standstill = str(error)
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return run


class _Stage:
    def __init__(self, run: Run) -> None:
        self.run, self.loop = run, run.loop
        _clerk()
        self.log = os.memfd_create("log")
        self._build_hops()

    def _build_hops(self) -> None:
        run, dress, company = self.run, self.run.dress, self.run.company
        run.program = Program(run.steps, run.forever, armed=False, before=self._just_before)
        midst = 100_000 if dress.filler else 100
        names = [ADDRESS.format(number + 1) for number in range(company.addresses)] + [SPARE] * company.spare
        run.hops = [Hop(self.loop, name, dress.offers, midst=midst) for name in names]
        run.hops[0].program = run.program
        network = self.loop.network
        network.names = {"hop.test": tuple(names[: company.addresses]), "spare.test": (SPARE,)}
        network.listening = {(hop.name, 25): hop for hop in run.hops}

    def play(self) -> None:
        """Warm up, send the message that meets what goes wrong, then one more until nothing does; then leave."""
        run, company = self.run, self.run.company
        self.loop.run_until_complete(self._start())
        for _ in range(company.warm):
            self._send(rests=0.01)
        self._until_heard()
        run.program.armed = True
        others = [self._send(rests=company.rests) for _ in range(company.others if company.rests else 0)]
        if others:
            self.loop.run_for(0.5)
        self.first = self._send(recipients=company.recipients, regrets=company.regrets)
        for _ in range(0 if company.rests else company.others):
            self._send()
        self._until_heard()
        for _ in run.steps:
            self._rest()
            self._send()
            self._until_heard()
        self._leave()

    async def _start(self) -> None:
        self.inside = Inside(self.run.settings, _folder(), self.log, Files(self.loop), _doubts())
        self.listening = self.inside.listening(self.run.settings.listener[0])

    def _send(self, *, recipients: int = 1, rests: float = 0.0, regrets: bool = False) -> Client:
        number = len(self.run.clients)
        message = Message(
            subject=f"message{number}",
            recipients=tuple(f"r{each}@inside.test" for each in range(recipients)),
            filler=self.run.dress.filler,
            regrets=regrets,
            rests=rests,
        )
        client = Client(self.loop, message)
        theirs, ours = self.loop.network.pair((f"203.0.113.{number + 1}", 50_000 + number), ("127.0.0.1", 25))
        self.run.ours.append(ours)
        self.run.clients.append(client)
        self.loop.call_soon(theirs.begin, client)
        self.loop.call_soon(ours.begin, Session(self.listening))
        client.task = self.loop.create_task(client.send())
        return client

    def _just_before(self) -> None:
        company = self.run.company
        if company.leaving is not None:
            self.first.leave(company.leaving)
        if company.drains and not self.inside.station.draining:
            self._drain()

    def _until_heard(self) -> None:
        """Let time pass until every client has heard what became of its message, or should have, long ago."""
        tasks = [client.task for client in self.run.clients if not client.task.done()]
        if tasks:
            until = asyncio.wait(tasks, timeout=3 * self.run.settings.limits.final_reply)
            self.loop.run_until_complete(until)

    def _rest(self) -> None:
        """Let as much time pass as the last message took, for a hop that is down is left alone for so long."""
        last = self.run.clients[-1].heard
        self.loop.run_for(PATIENCE + (last[-1].replied - last[0].asked if last else 0.0))

    def _drain(self) -> None:
        self.inside.station.draining = True
        for session in list(self.listening.sessions):
            session.drain()

    def _leave(self) -> None:
        """Leave as a worker does, and look at what is left."""
        run, station = self.run, self.inside.station
        self._drain()
        asked = self.loop.now
        until = asked + 3 * run.settings.limits.final_reply
        while (station.under_way or self.listening.sessions) and self.loop.now < until:
            self.loop.run_for(0.25)
        run.left_after = self.loop.now - asked
        run.left = {"transactions": station.under_way, "sessions": len(self.listening.sessions)}
        run.left |= {"spool": station.room.used, "spool in memory": station.room.memory_used}
        run.left |= {"connections counted": station.connections.total()}
        run.left |= {"doubts": SLOTS - len(self.inside.doubts._free)}
        self.loop.run_until_complete(self.inside.close())
        self.loop.run_for(1.0)
        run.log = [msgspec.json.decode(line) for line in os.pread(self.log, 2**24, 0).splitlines()]
        os.close(self.log)
        _clerk().accept()[0].close()


@cache
def _folder() -> Path:
    """A state folder, for all runs of this process."""
    return Path(tempfile.mkdtemp(prefix="exploration-"))


@cache
def _clerk() -> socket.socket:
    """A clerk who takes connections and never reads: a worker without one knocks twice a second."""
    clerk = socket.socket(socket.AF_UNIX)
    clerk.bind(str(_folder() / CLERK_SOCKET))
    clerk.listen()
    clerk.settimeout(0)
    return clerk


class _Kept(Doubts):
    def close(self) -> None:
        """Stay for the next run."""


@cache
def _doubts() -> Doubts:
    return _Kept(doubts.create(os.open(_folder(), os.O_RDONLY), 1), 0)
