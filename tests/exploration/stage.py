"""Where a run is played: a worker's inside, next hops that are programs, clients, and a clock.

Everything between a client's socket and a next hop's is the real thing, composed as a worker composes it.
"""

import asyncio
import atexit
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tests.exploration.client import Client, Message
from tests.exploration.clock import Clock, StandstillError
from tests.exploration.hop import Hop, Program
from tests.exploration.world import Run, settings
from tests.gateway.inside import Inside
from tidewaiter.delivery.hop import SmtpHop
from tidewaiter.gateway.mail.session import Session
from tidewaiter.gateway.processes import doubts
from tidewaiter.gateway.processes.doubts import SLOTS, Doubts
from tidewaiter.gateway.processes.handover import CLERK_SOCKET
from tidewaiter.store.file_thread import FileThread

Result = TypeVar("Result")
ADDRESS: Final = "192.0.2.{}"
SPARE: Final = "198.51.100.1"
AGAIN: Final = 2
"""Messages, at most, beyond one for each step, until one was sent behind the last of them."""
PATIENCE: Final = 5.0
"""Seconds between two messages, and at the end, beyond what the settings allow."""


def play(run: Run) -> Run:
    """Play it as its script has it."""
    with staged(run) as stage:
        _play(stage)
    return run


@contextmanager
def staged(run: Run) -> Iterator["Stage"]:
    """Start the worker, let it be played on, then let it leave."""
    run.settings = settings(run.dress, run.company)
    run.loop = loop = Clock()
    asyncio.set_event_loop(loop)
    stage = Stage(run)
    loop.run_until_complete(stage.start())
    try:
        yield stage
        stage.leave()
    except StandstillError as error:
        run.standstill = str(error)
    finally:
        stage.close()
        asyncio.set_event_loop(None)
        loop.close()


def _play(stage: "Stage") -> None:
    """Warm up, send the message that meets what goes wrong, then one more until nothing does; then leave."""
    run, company = stage.run, stage.run.company
    for _ in range(company.warm):
        stage.send(rests=0.01)
    stage.until_heard()
    run.program.armed = True
    others = [stage.send(rests=company.rests) for _ in range(company.others if company.rests else 0)]
    if others:
        stage.loop.run_for(0.5)
    stage.first = stage.send(
        recipients=company.recipients, regrets=company.regrets, parameters=company.parameters, odd=company.odd
    )
    for _ in range(0 if company.rests else company.others):
        stage.send()
    stage.until_heard()
    for _ in range(len(run.steps) + AGAIN):
        over = run.program.over or run.forever
        stage.rest()
        stage.send()
        stage.until_heard()
        if over:
            break


class Stage:
    """What a run is played on."""

    first: Client
    """The one who meets what goes wrong."""

    def __init__(self, run: Run) -> None:
        self.run, self.loop = run, run.loop
        _clerk()
        self._open = True
        self.log = os.memfd_create("log")
        self._build_hops()

    def _build_hops(self) -> None:
        run, dress, company = self.run, self.run.dress, self.run.company
        run.program = Program(run.steps, run.forever, armed=False, before=self._just_before)
        midst = 100_000 if dress.filler else 100
        names = [ADDRESS.format(number + 1) for number in range(company.addresses)] + [SPARE] * company.spare
        run.hops = [Hop(self.loop, name, dress.offers, midst=midst, implicit=dress.scheme == "smtps") for name in names]
        run.hops[0].program = run.program
        network = self.loop.network
        network.names = {"hop.test": tuple(names[: company.addresses]), "spare.test": (SPARE,)}
        network.listening = {(hop.name, 25): hop for hop in run.hops}

    async def start(self) -> None:
        """Compose what a worker composes."""
        self.inside = Inside(self.run.settings, _folder(), self.log, Files(self.loop), _doubts())
        self.listening = self.inside.listening(self.run.settings.listener[0])

    def send(self, *, recipients: int = 1, **besides: Any) -> Client:
        """Let one more client come."""
        number = len(self.run.clients)
        message = Message(
            subject=f"message{number}",
            recipients=tuple(f"r{each}@inside.test" for each in range(recipients)),
            **{"filler": self.run.dress.filler} | besides,
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
        if company.drains and not self.inside.worker.draining:
            self._drain()

    def until_heard(self) -> None:
        """Let time pass until every client has heard what became of its message, or should have, long ago."""
        tasks = [client.task for client in self.run.clients if not client.task.done()]
        if tasks:
            until = asyncio.wait(tasks, timeout=3 * self.run.settings.limits.final_reply)
            self.loop.run_until_complete(until)

    def rest(self) -> None:
        """Let as much time pass as the last message took, for a hop that is down is left alone for so long."""
        last = self.run.clients[-1].heard
        took = last[-1].replied - last[0].asked if last else 0.0
        if (
            self.run.company.connections == 1 or self.run.company.leaving
        ):  # an opening that hangs, and has the only place
            took = 2 * self.run.settings.route[0].timeouts.greeting
        self.loop.run_for(PATIENCE + took)

    def _drain(self) -> None:
        self.inside.worker.draining = True
        for session in list(self.listening.sessions):
            session.drain()

    def leave(self) -> None:
        """Leave as a worker does, and look at what is left."""
        run, worker = self.run, self.inside.worker
        self._drain()
        asked = self.loop.now
        until = asked + 3 * run.settings.limits.final_reply
        while (worker.under_way or self.listening.sessions) and self.loop.now < until:
            self.loop.run_for(0.25)
        run.left_after = self.loop.now - asked
        run.left = {"transactions": worker.under_way, "sessions": len(self.listening.sessions)}
        run.left |= {"spool": worker.room.used, "spool in memory": worker.room.memory_used}
        run.left |= {"connections counted": worker.connections.total()}
        run.left |= {"doubts": SLOTS - len(self.inside.doubts._free)}
        pools = [hop.pool for hop in self.inside.hops.all() if isinstance(hop, SmtpHop)]
        self._close_inside()
        self.loop.run_for(1.0)
        if not all(end.lost for end in run.ends):  # a RSET that is not answered
            self.loop.run_for(run.settings.route[0].timeouts.mail)
        run.left |= {"connections": [end.ended for end in run.ends if not end.lost]}
        run.left |= {"places in the pools": sum(pool._open + len(pool._queue) + len(pool._fresh) for pool in pools)}
        run.left |= {"silent in the pools": sum(len(pool._silent) for pool in pools)}
        run.left |= {"timers": [name for name in self.loop.timers if not name.startswith("Talk.")]}
        run.left |= {"tasks": len(asyncio.all_tasks(self.loop))}

    def _close_inside(self) -> None:
        if self._open:
            self._open = False
            self.loop.run_until_complete(self.inside.close())

    def close(self) -> None:
        """Let go of everything, however it ended."""
        self._close_inside()
        self.run.log = [msgspec.json.decode(line) for line in os.pread(self.log, 2**24, 0).splitlines()]
        os.close(self.log)
        while True:
            try:
                _clerk().accept()[0].close()
            except BlockingIOError:
                break


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
def _folder() -> Path:
    """A state folder, for all runs of this process."""
    folder = tempfile.mkdtemp(prefix="exploration-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


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
