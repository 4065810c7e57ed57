"""Which transactions may be doubled if we die now? Those between the final dot and our reply.

When a next hop has said 250 and we die before our own 250, the sender comes again (RFC 1047), and
no program can prevent it; but whoever survives can name the messages. Their ids lie in a file in
the state folder that all processes map: a page of it outlives the death of every process of ours.
Each process writes only its own column. A slot's length byte is written last, and cleared first,
so that a kill between two writes leaves a whole id or none.
"""

import mmap
import os
from typing import Self

SLOT_BYTES = 32
SLOTS = 4096
"""Transactions in doubt at once in one process; more are counted as not covered by `overflow`."""

FILE = "doubts"
"""The file's name within the state folder."""


def create(state: int, columns: int) -> int:
    """Return the descriptor of the file in the folder, long enough for so many processes.

    What it holds from before is kept: those are the doubts of a life that ended badly.
    """
    descriptor = os.open(FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=state)
    length = max(os.fstat(descriptor).st_size, columns * SLOTS * SLOT_BYTES)
    os.posix_fallocate(descriptor, 0, length)  # a full disk must not become SIGBUS later
    return descriptor


class Doubts:
    """One process's view of the file."""

    def __init__(self, descriptor: int, column: int) -> None:
        """Map it; the column is the one that `begin` and `end` write."""
        self._map = mmap.mmap(descriptor, 0)
        self._free = [self._offset(column, slot) for slot in range(SLOTS)]
        self.overflow = 0
        """Transactions that found no free slot."""

    def begin(self, transaction: str) -> int:
        """Note a transaction's id (at most 31 ASCII characters) just before its final dot.

        Returns the slot, for `end`; -1 where none was free.
        """
        if not self._free:
            self.overflow += 1
            return -1
        offset = self._free.pop()
        name = transaction.encode("ascii")
        self._map[offset + 1 : offset + 1 + len(name)] = name
        self._map[offset] = len(name)
        return offset

    def end(self, slot: int) -> None:
        """Strike the transaction out: its reply has been handed to the kernel, or it failed."""
        if slot >= 0:
            self._map[slot] = 0
            self._free.append(slot)

    def take(self, column: int) -> list[str]:
        """Return the ids that a dead process left in its column, and clear it."""
        return self._take(range(self._offset(column, 0), self._offset(column + 1, 0), SLOT_BYTES))

    def take_all(self) -> list[str]:
        """Return the ids that any process left, and clear the file; for the supervisor's start."""
        return self._take(range(0, len(self._map), SLOT_BYTES))

    def close(self) -> None:
        """Unmap."""
        self._map.close()

    def __enter__(self) -> Self:
        """Return the view itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Unmap."""
        self.close()

    def _take(self, offsets: range) -> list[str]:
        taken = []
        for offset in offsets:
            if length := self._map[offset]:
                taken.append(self._map[offset + 1 : offset + 1 + length].decode("ascii", "replace"))
                self._map[offset] = 0
        return taken

    @staticmethod
    def _offset(column: int, slot: int) -> int:
        return (column * SLOTS + slot) * SLOT_BYTES
