"""What all connections of one worker share: where they keep mail, whom they hand it to, where they are counted."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from tidewaiter.config import Settings
from tidewaiter.gateway.connections import Connections
from tidewaiter.gateway.crowd import Crowd
from tidewaiter.gateway.descriptors import Descriptors
from tidewaiter.gateway.doubts import Doubts
from tidewaiter.gateway.examiner import Examiner
from tidewaiter.gateway.recorder import Recorder
from tidewaiter.gateway.turns import Turns
from tidewaiter.net.deadline import Watch
from tidewaiter.store.spool import SpoolRoom


@dataclass(slots=True)
class Station:
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
    under_way: int = 0
    """Transactions that have not been answered yet, or whose next hop has not answered us."""
    turns: Turns = field(init=False)
    crowd: Crowd = field(init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make what needs no more than the loop."""
        self.turns = Turns(self.loop)
        self.crowd = Crowd(self.settings.limits, self.connections, self.descriptors, self.recorder)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run what must be a coroutine; the loop alone would keep no reference to it."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
