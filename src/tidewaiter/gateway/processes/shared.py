"""What the supervisor keeps for all its children: the state folder, the two maps, and their columns."""

import os
import socket
from contextlib import suppress
from pathlib import Path

from tidewaiter.gateway.processes import connections, doubts
from tidewaiter.gateway.processes.handover import CLERK_SOCKET
from tidewaiter.store.told import at

GENERATIONS = 4
"""Generations of workers that may live at once: the newest, and older ones that finish."""


class Shared:
    """Made once, by the supervisor; its descriptors go along with every handover."""

    def __init__(self, folder: str, state: int, workers: int) -> None:
        """Make the maps for so many workers a generation, and the clerk; `state` is the open folder.

        :raises OSError: if the state folder cannot be written.
        """
        self.columns = workers * GENERATIONS + 1
        self.state = state
        self.connections = connections.create(self.columns)
        with at(Path(folder) / doubts.FILE):
            self.doubts = doubts.create(state, self.columns)
        with at(Path(folder) / CLERK_SOCKET):
            self.clerk_socket = _local_listener(state)
        self._free = list(range(self.columns))
        self._connections = connections.Connections(self.connections, self.columns, 0)
        self._doubts = doubts.Doubts(self.doubts, 0)

    @property
    def free_columns(self) -> int:
        """How many more processes can be started."""
        return len(self._free)

    def take_column(self) -> int:
        """A column for a new process."""
        return self._free.pop(0)

    def release_column(self, column: int) -> list[str]:
        """Give back a dead process's column; the ids of the transactions it left in doubt."""
        self._connections.forget(column)
        self._free.append(column)
        return self._doubts.take(column)

    def doubts_of_the_past(self) -> list[str]:
        """The ids that an earlier supervisor's family left, when it was killed as a whole."""
        return self._doubts.take_all()


def _local_listener(state: int) -> socket.socket:
    """The socket on which the clerk hears workers; held here, so that they wait while it restarts."""
    with suppress(FileNotFoundError):  # an earlier supervisor's; we hold the lock
        os.unlink(CLERK_SOCKET, dir_fd=state)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        listener.bind(f"/proc/self/fd/{state}/{CLERK_SOCKET}")
    finally:
        os.umask(before)
    listener.listen(64)
    return listener
