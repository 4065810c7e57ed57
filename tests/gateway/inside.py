"""A worker's inside in this process: everything between its sockets, without a supervisor and without a clerk."""

import asyncio
import os
from functools import partial
from pathlib import Path

from tidewaiter.config import Settings
from tidewaiter.config.settings import Listener
from tidewaiter.delivery.hops import Hops
from tidewaiter.gateway import connections, doubts
from tidewaiter.gateway.connections import Connections
from tidewaiter.gateway.descriptors import Descriptors
from tidewaiter.gateway.doubts import Doubts
from tidewaiter.gateway.examiner import Examiner
from tidewaiter.gateway.handover import Handover
from tidewaiter.gateway.listening import HopRoute, Listening
from tidewaiter.gateway.reach import Reach
from tidewaiter.gateway.recorder import Recorder
from tidewaiter.gateway.station import Station
from tidewaiter.net.deadline import Watch
from tidewaiter.net.tls import server_context
from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.spool import SpoolRoom

ROOM_FOR_ALL = 2**40
COLUMNS = 2
DESCRIPTORS = ("configuration", "link", "log", "state", "connections", "doubts")


def alone(**descriptors: int) -> Handover:
    """Give what the only worker is handed; a descriptor that is not named is none."""
    return Handover(
        generation=1,
        index=0,
        workers=1,
        column=0,
        columns=COLUMNS,
        file="gateway.toml",
        listeners=(),
        **(dict.fromkeys(DESCRIPTORS, -1) | descriptors),
    )


class Inside:
    """What a worker makes of `settings`, whose paths start at `folder`, and whose log lines go to `log`."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        log: int,
        files: FileThread | None = None,
        doubts_kept: Doubts | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        limits = settings.limits
        self._folder = folder
        self._state = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._connections, self._doubts = connections.create(COLUMNS), doubts.create(self._state, COLUMNS)
        self._files = files = files or FileThread(loop)
        self.settings = settings
        self.doubts = doubts_kept or Doubts(self._doubts, 0)
        handover = alone(log=log, state=self._state, connections=self._connections, doubts=self._doubts)
        memory = limits.spool_memory, limits.spool_memory_total, limits.spool_total
        self.station = Station(
            settings=settings,
            loop=loop,
            watch=Watch(loop),
            recorder=Recorder(handover, loop),
            room=SpoolRoom(files, str(folder), *memory, ROOM_FOR_ALL),
            connections=Connections(self._connections, COLUMNS, 0),
            doubts=self.doubts,
            examiner=Examiner(loop),
            descriptors=Descriptors.of_process(settings, 1),
        )
        news = partial(Reach, self.station.recorder)
        self.hops = Hops(settings, self.station.watch, files, 1, lambda path: str(folder / path), news)

    def listening(self, listener: Listener) -> Listening:
        """Give what serves one of its listeners."""
        routes = self.settings.route
        found = [HopRoute(route.domains, self.hops.of(route)) for route in routes if listener.role in route.roles]
        context = None
        if listener.certificate is not None and listener.key is not None:
            context = server_context(str(self._folder / listener.certificate), str(self._folder / listener.key))
        return Listening(self.station, listener, found, context)

    async def close(self) -> None:
        """Let go of everything but the log."""
        for hop in self.hops.all():
            hop.close()
        await self.station.examiner.close()
        await self.station.recorder.close(0.0)
        self._files.close()
        self.doubts.close()
        self.station.connections.close()
        for descriptor in (self._state, self._connections, self._doubts):
            os.close(descriptor)
