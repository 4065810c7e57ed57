"""A file without a name: the kernel removes it when it is closed, and when we are killed.

Every method is called in the file thread alone.
"""

import os
from collections.abc import Sequence
from typing import Final

_PIECES: Final = 1000
"""Below the kernel's IOV_MAX (1024): more buffers than that in one call are an error."""


class NamelessFile:
    """Bytes appended, then read from anywhere; OSError where the disk says no."""

    __slots__ = ("_file", "_folder")

    def __init__(self, folder: str) -> None:
        """Remember where; the file is opened with the first append."""
        self._folder = folder
        self._file = -1

    def append(self, blocks: Sequence[bytes]) -> None:
        """Write all of `blocks` behind what is there."""
        if self._file < 0:
            self._file = os.open(self._folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        for first in range(0, len(blocks), _PIECES):
            write_all(self._file, blocks[first : first + _PIECES])

    def read(self, offset: int, count: int) -> bytes:
        """Read at most `count` bytes; none at the end."""
        return os.pread(self._file, count, offset)

    def close(self) -> None:
        """Close, which removes it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def write_all(file: int, blocks: Sequence[bytes]) -> None:
    """Write every byte of `blocks`; the kernel may take fewer than it is given."""
    wanted = sum(map(len, blocks))
    written = os.writev(file, blocks)
    if written == wanted:
        return
    rest = memoryview(b"".join(blocks))[written:]
    while rest:
        rest = rest[os.write(file, rest) :]
