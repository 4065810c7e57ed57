"""Where is a message while nobody has answered for it yet?

In memory while it is small, then in a file without a name.
The spool holds content, unstuffed, as the next hop will see it.
One `SpoolRoom` per worker bounds what all its messages may take, in memory and altogether. It counts what has come,
and not what might come: a small message needs no disk, and is kept where a large one finds none.
"""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.nameless import NamelessFile

BLOCK: Final = 256 * 1024
"""Bytes that are written and read at a time: large enough that changing threads costs nothing beside them."""

DISK_KEPT: Final = 8 * 1024 * 1024
"""Bytes of the disk that the spool leaves to the store and to the log, which lie there too."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a message cannot be kept: bytes."""

    needed: int
    """By this message, as far as it has come or as its client has said."""
    disk_free: int
    spool_used: int
    spool_total: int


@dataclass(slots=True)
class SpoolRoom:
    """What the messages of one worker may take, and where their files lie."""

    files: FileThread
    folder: str
    """Never on tmpfs: there a file would be memory again."""
    message_memory: int
    """Bytes of one message that are kept in memory."""
    memory: int
    """Bytes of all messages that are kept in memory; beyond them each goes to its file."""
    total: int
    """Bytes of all messages, in memory and in files."""
    disk: int = 0
    """Bytes free on the disk when it was looked at last."""
    written: int = 0
    """Bytes that went to files since then."""
    trouble: Exception | None = None
    """Why that look failed, where it did: then `disk` is as it was before."""
    memory_used: int = 0
    used: int = 0

    def look(self) -> None:
        """See how much the disk has left: in the file thread, because a sick disk makes that wait too."""
        self.files.run(lambda: os.statvfs(self.folder), self._seen)

    def lack(self, size: int) -> Lack | None:
        """Say why a message of `size` bytes cannot be kept now, if so."""
        if self.used + size > self.total or (size > self.message_memory and size > self.disk_left):
            return self.lacking(size)
        return None

    def lacking(self, size: int) -> Lack:
        """Say what there is, where that is too little for `size` bytes."""
        return Lack(size, max(self.disk - self.written, 0), self.used, int(self.total))

    @property
    def disk_left(self) -> int:
        """Bytes that may still go to the disk."""
        return self.disk - self.written - DISK_KEPT

    def _seen(self, disk: os.statvfs_result | Exception) -> None:
        if isinstance(disk, Exception):
            self.trouble = disk  # which says nothing about room
            return
        self.trouble = None
        self.disk = disk.f_bavail * disk.f_frsize
        self.written = 0


class Spool:
    """One message's content."""

    __slots__ = (
        "_caught_up",
        "_file",
        "_held",
        "_room",
        "_writing",
        "blocks",
        "failed",
        "lack",
        "seven_bit",
        "size",
        "trouble",
    )

    def __init__(self, room: SpoolRoom, caught_up: Callable[[], None]) -> None:
        """Start empty; `caught_up` is called whenever the file has taken what was handed to it, or has failed."""
        self._room = room
        self._caught_up = caught_up
        self._file: NamelessFile | None = None
        self._held = 0
        self._writing = False
        self.blocks: list[bytes] = []
        """What lies in memory: the whole message, or what is to go behind its file."""
        self.size = 0
        """Bytes altogether."""
        self.seven_bit = True
        """No octet of it is above 127."""
        self.failed = False
        """It cannot be kept: the room is used up, the disk said no, or it was closed. What still comes is dropped."""
        self.trouble: Exception | None = None
        """What the system said when it took or gave no byte; None where it is only the room that is used up."""

        self.lack: Lack | None = None
        """Why, where it was our own room, or what we leave of the disk."""

    @property
    def in_memory(self) -> bool:
        """Tell whether all of it lies in `blocks`."""
        return self._file is None

    @property
    def behind(self) -> bool:
        """Tell whether the disk should catch up before more is read from the client."""
        return self._writing and (self._held >= 2 * BLOCK or self._room.memory_used > self._room.memory)

    def write(self, content: bytes) -> None:
        """Keep the next piece of content."""
        if self.failed:
            return
        count = len(content)
        room = self._room
        self.blocks.append(content)
        self.seven_bit = self.seven_bit and content.isascii()
        self._held += count
        self.size += count
        room.memory_used += count
        room.used += count
        if room.used > room.total:
            self._give_up()
        elif self._held > (BLOCK if self._file else room.message_memory) or room.memory_used > room.memory:
            self._spill()

    @property
    def complete(self) -> bool:
        """Tell whether nothing waits for the disk any more, after `flush`."""
        return not self._writing and (self._file is None or not self.blocks)

    def flush(self) -> None:
        """Hand what is to go behind the file to the file thread; a message that has no file stays in memory."""
        if self._file is not None:
            self._spill()

    def read(self, offset: int, then: Callable[[bytes | Exception], None]) -> None:
        """Read the block of the file that starts at `offset`; none is left where it is empty."""
        file = self._file
        assert file is not None, "a message in memory is read from its blocks"
        self._room.files.run(lambda: self._read(file, offset), then)

    def pieces(self) -> Iterator[bytes]:
        """Give all of it, once it is `complete`; for work in the file thread alone.

        :raises OSError: if it is closed meanwhile: what was given so far is not the message.
        """
        offset, file, blocks = 0, self._file, self.blocks
        while file is not None and not self.failed and (block := self._read(file, offset)):
            offset += len(block)
            yield block
        if self.failed:
            raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        yield from blocks

    def _read(self, file: NamelessFile, offset: int) -> bytes:
        try:
            return file.read(offset, BLOCK)
        except OSError as error:
            self.trouble = error
            raise

    def close(self) -> None:
        """Give the room back."""
        self._room.memory_used -= self._held
        self._room.used -= self.size
        self._held = self.size = 0
        self.failed = True  # before its blocks go: who reads them in the file thread must not take none for the end
        self.blocks = []
        if self._file is not None:
            self._room.files.run(self._file.close, _forget)
            self._file = None

    def _spill(self) -> None:
        """Hand what is held to the file thread, one batch at a time: what comes meanwhile is the next batch."""
        if self._writing or not self.blocks:
            return
        room, blocks, count = self._room, self.blocks, self._held
        if count > room.disk_left:
            self._give_up()
            return
        if self._file is None:
            self._file = NamelessFile(room.folder)
        file = self._file
        room.written += count
        self.blocks = []
        self._writing = True
        room.files.run(lambda: file.append(blocks), lambda outcome: self._spilled(outcome, count))

    def _give_up(self) -> None:
        self.lack = self._room.lacking(self.size)
        self.close()

    def _spilled(self, outcome: Exception | None, count: int) -> None:
        self._writing = False
        if self._file is None:
            return
        self._held -= count
        self._room.memory_used -= count
        if outcome is not None:
            self.trouble = outcome
            self.close()
        elif self._held >= BLOCK:
            self._spill()
        self._caught_up()


def _forget(_: Exception | None) -> None:
    """Nobody waits for a file to be closed."""
