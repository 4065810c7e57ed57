"""Is everything back where it was? Asked of a gateway at the end of every test that runs one, so that no leak can hide.

`running_gateway` asks it of a worker's inside, `Family` of processes, and the fixture of `tests/conftest.py` of those
who ran either. What the test itself holds, its clients and the hops that it plays, is told apart by ports and by code.
"""

import asyncio
import gc
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, Final

import tidewaiter
from tests.gateway.inside import Inside
from tidewaiter.config.settings import Settings
from tidewaiter.config.values import TcpHop
from tidewaiter.delivery.hop import SmtpHop
from tidewaiter.gateway.mail.listening import Listening
from tidewaiter.gateway.processes.doubts import SLOT_BYTES, SLOTS

SECONDS: Final = 5.0
OURS: Final = str(Path(tidewaiter.__file__).parent)
RESET: Final = (-1, -1)

Debts = Callable[[], Iterable[str]]


def assert_conserved(folder: Path, events: Iterable[dict[str, Any]], faults: Sequence[str] = ()) -> None:
    """Hold processes that have ended to what they logged, and to what they left in `folder`."""
    assert_no_fault_but(faults, events)
    left = [str(file) for file in folder.glob("**/spool/*")]
    assert not left, f"left in the spool: {left}"


def assert_no_fault_but(named: Sequence[str], events: Iterable[dict[str, Any]]) -> None:
    """Hold every fault that was logged to those that the test has named."""
    faults = [line for line in events if line["event"] == "fault" and not any(name in str(line) for name in named)]
    assert not faults, faults


async def settle(debts: Debts) -> None:
    """Wait until nothing is owed; what is not given back in time fails the test by its name."""
    deadline = asyncio.get_running_loop().time() + SECONDS
    await asyncio.sleep(0)  # what was to be called soon may still fail
    while left := list(debts()):
        assert asyncio.get_running_loop().time() < deadline, f"not given back: {', '.join(left)}"
        await asyncio.sleep(0.005)


def owed(inside: Inside, listenings: Iterable[Listening]) -> Iterator[str]:
    """Name what sessions have not given back though they have ended; the inside is still open."""
    worker = inside.worker
    counts = {
        "sessions": sum(len(each.sessions) for each in listenings),
        "connections counted": worker.connections.total(),
        "transactions under way": worker.under_way,
        "bytes in the spool": worker.room.used,
        "bytes in memory": worker.room.memory_used,
        "shared slots": SLOTS - len(inside.doubts._free) + _slots_named(inside),
        "clients that wait for their turn": len(worker.turns._waiting),
    }
    yield from _told(counts)
    for hop in inside.hops.all():
        if isinstance(hop, SmtpHop):
            yield from _owed_by(hop)


def _owed_by(hop: SmtpHop) -> Iterator[str]:
    pool = hop.pool
    counts = {
        "who wait for a connection": len(pool._queue) + len(pool._fresh),
        "networks that are counted": len(pool._queue._held),
        "silent holders of a connection": len(pool._silent),
        "connections lent": pool._open - len(pool._opening) - len(pool._idle),
    }
    yield from (f"{hop.name}: {each}" for each in _told(counts))


def _slots_named(inside: Inside) -> int:
    ends = range(0, SLOTS * SLOT_BYTES, SLOT_BYTES)
    return sum(1 for at in ends if inside.doubts._map[at])


def _told(counts: dict[str, int]) -> Iterator[str]:
    return (f"{what}: {count}" for what, count in counts.items() if count)


class Before:
    """What there was before a gateway began; `left` names what of it is there since, once its inside is closed."""

    def __init__(self, settings: Settings) -> None:
        self._hops = {hop.port for route in settings.route for hop in route.next_hop if isinstance(hop, TcpHop)}
        self._descriptors = dict(descriptors())
        self._tasks = asyncio.all_tasks()
        self._timers = set(map(id, _timers()))

    def left(self, inside: Inside, ports: Iterable[int]) -> Iterator[str]:
        """Name what the gateway that served `ports` has left behind."""
        served = set(ports)
        for descriptor, what in descriptors():
            if what not in (self._descriptors.get(descriptor), os.devnull):  # libuv keeps that for EMFILE
                ends = _ends(descriptor) if what.startswith("socket:") else (0, 0)
                # A hop's end, a client's end, or one that was reset: the loop closes those of ours by itself.
                if ends[0] not in self._hops and ends[1] not in served and ends != RESET:
                    yield f"descriptor {descriptor} ({what}, from {ends[0]} to {ends[1]})"
        yield from (f"task {task!r}" for task in asyncio.all_tasks() - self._tasks if _is_ours(task))
        if asked := len(inside.worker.examiner._asked):
            yield f"questions to the examiner: {asked}"
        watch = inside.worker.watch
        yield from (f"deadline {each._late!r}" for due in watch._due.values() for each in due if each._at < inf)
        for timer in _timers():
            if id(timer) not in self._timers and (owner := _owner(timer)) is not watch and owner is not None:
                yield f"timer {timer!r}"


def descriptors() -> Iterator[tuple[int, str]]:
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of this very listing
            yield int(entry.name), str(entry.readlink())


def _ends(descriptor: int) -> tuple[int, int]:
    """Give the ports of a socket, its own and its peer's; 0 where there is none, `RESET` once there are none left."""
    with socket.socket(fileno=os.dup(descriptor)) as found:
        if found.family == socket.AF_UNIX:
            return 0, 0
        ends = _port(found.getsockname), _port(found.getpeername)
    return ends if any(ends) else RESET


def _port(name: Callable[[], Any]) -> int:
    try:
        return int(name()[1])
    except (OSError, IndexError):
        return 0


def _is_ours(task: "asyncio.Task[object]") -> bool:
    code = getattr(task.get_coro(), "cr_code", None)
    return code is None or code.co_filename.startswith(OURS)  # a compiled coroutine shows no code


def _timers() -> list[object]:
    """Give the timers of the running loop, which uvloop keeps in a set that only the collector sees."""
    sets = [each for each in gc.get_referents(asyncio.get_running_loop()) if type(each) is set]
    return [timer for each in sets for timer in each if type(timer).__name__ == "TimerHandle"]


def _owner(timer: object) -> object:
    """Give the object of ours whose method a timer calls; None where it is not ours."""
    called: object = next(iter(gc.get_referents(timer)), None)
    while isinstance(called, partial):
        called = called.func
    owner = getattr(called, "__self__", None)
    return owner if type(owner).__module__.startswith("tidewaiter.") else None
