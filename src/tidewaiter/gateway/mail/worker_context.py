"""What all connections of one worker share: where they keep mail, whom they hand it to, where they are counted."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from math import inf
from typing import Final

from tidewaiter.config import Settings
from tidewaiter.gateway.mail.crowd import Crowd
from tidewaiter.gateway.mail.examiner import Examiner
from tidewaiter.gateway.mail.turns import Turns
from tidewaiter.gateway.mail.waiting import UnderWay
from tidewaiter.gateway.processes.connections import Connections
from tidewaiter.gateway.processes.descriptors import Descriptors
from tidewaiter.gateway.processes.doubts import Doubts
from tidewaiter.gateway.record.recorder import Recorder
from tidewaiter.net.deadline import Watch
from tidewaiter.store.spool import Lack, SpoolRoom

SPOOL: Final = "spool"
"""The spool's folder within the state folder."""
LACK_SECONDS: Final = 10.0
"""Between two lines that say that there is no room."""


@dataclass(slots=True)
class WorkerContext:
    """One worker's own."""

    settings: Settings
    loop: asyncio.AbstractEventLoop
    watch: Watch
    recorder: Recorder
    room: SpoolRoom
    connections: Connections
    doubts: Doubts
    examiner: Examiner
    descriptors: Descriptors
    draining: bool = False
    """This process is to leave: no transaction is begun any more."""
    transactions: set[UnderWay] = field(default_factory=set)
    """Those that have not been answered yet, or whose next hop has not answered us."""
    turns: Turns = field(init=False)
    crowd: Crowd = field(init=False)
    _lacking: int = 0
    """Messages that found no room since that was told."""
    _lack_told: float = -inf
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make what needs no more than the loop."""
        self.turns = Turns(self.loop)
        self.crowd = Crowd(self.settings.limits, self.connections, self.descriptors, self.recorder)

    @property
    def under_way(self) -> int:
        """How many transactions are."""
        return len(self.transactions)

    def fault(self, where: str, error: Exception) -> None:
        """Log an exception that nobody expected; whoever calls this answers whoever waits, and gives back the rest."""
        self.recorder.log.error("fault", reason=where, exc_info=error)

    def lacks(self, lack: Lack) -> None:
        """Say in the log that a message could not be kept, where, and how much there is; once for many of them."""
        now = self.loop.time()
        self._lacking += 1
        if now < self._lack_told + LACK_SECONDS:
            return
        self.recorder.log.error(
            "no room for a message",
            folder=f"{self.settings.store.path}/{SPOOL}",
            messages=self._lacking,
            needed=lack.needed,
            disk_free=lack.disk_free,
            spool_used=lack.spool_used,
            spool_total=lack.spool_total,
        )
        self._lacking, self._lack_told = 0, now

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run what must be a coroutine; the loop alone would keep no reference to it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
