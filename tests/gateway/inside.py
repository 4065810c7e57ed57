"""A worker's inside in this process: everything between its sockets, without a supervisor and without a clerk."""

import asyncio
import os
from pathlib import Path

from tidewaiter.config import Settings
from tidewaiter.gateway.composition import Composition
from tidewaiter.gateway.processes import connections, doubts
from tidewaiter.gateway.processes.doubts import Doubts
from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.store.file_thread import FileThread

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


class Inside(Composition):
    """What a worker makes of `settings`, whose paths start at `folder`, and whose log lines go to `log`."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        log: int,
        files: FileThread | None = None,
        doubts_kept: Doubts | None = None,
    ) -> None:
        self._state = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._connections, self._doubts = connections.create(COLUMNS), doubts.create(self._state, COLUMNS)
        self._files = files or FileThread(asyncio.get_running_loop())
        self.doubts = doubts_kept or Doubts(self._doubts, 0)
        handed = alone(log=log, state=self._state, connections=self._connections, doubts=self._doubts)
        super().__init__(settings, handed, self._files, self.doubts, folder=folder, spool=str(folder))
        self.worker.room.disk = ROOM_FOR_ALL

    async def close(self, seconds: float = 0.0) -> None:
        """Let go of everything but the log."""
        await super().close(seconds)
        self._files.close()
        self.doubts.close()
        self.worker.connections.close()
        for descriptor in (self._state, self._connections, self._doubts):
            os.close(descriptor)
