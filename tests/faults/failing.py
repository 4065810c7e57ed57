"""The calls that a worker's file thread makes, one of which fails."""

import errno
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import pytest

CALLS: Final = ("open", "write", "writev", "pread", "fsync", "close", "rename", "unlink", "mkdir", "stat", "statvfs")
REACTIONS: Final = (errno.EAGAIN, errno.ENOSPC, errno.EMFILE, errno.EACCES, errno.EIO)
"""One for each way to go on: try again, no room, no descriptors, denied, broken."""
EVERY: Final = tuple(sorted(errno.errorcode))
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Fault(NamedTuple):
    """The `number`th call of a kind fails."""

    call: str
    number: int
    error: int
    done: bool = False
    """It does its work all the same, and then says that it failed: a reply that was lost, as of an NFS server."""

    def __str__(self) -> str:
        return f"{self.call} {self.number}: {errno.errorcode[self.error]}{', but done' if self.done else ''}"


class Failing:
    """Stands between the file thread and `os`; every other thread goes past it."""

    def __init__(self, patch: pytest.MonkeyPatch, *faults: Fault) -> None:
        self.counts: Counter[str] = Counter()
        self._faults = {(fault.call, fault.number): fault for fault in faults}
        self.failed = 0
        for name in CALLS:
            patch.setattr(os, name, self._between(name, getattr(os, name)))

    def _between(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if threading.current_thread().name != "files":
                return real(*arguments, **named)
            self.counts[name] += 1
            fault = self._faults.get((name, self.counts[name]))
            if fault is None:
                return real(*arguments, **named)
            self.failed += 1
            if fault.done or name == "close":  # Linux closes whatever it says
                real(*arguments, **named)
            raise OSError(fault.error, os.strerror(fault.error))

        return call


@contextmanager
def failing(*faults: Fault) -> Iterator[Failing]:
    """Let `faults` come, until the end of this block, which lies within that of the gateway.

    The gateway finds blocking calls by taking the place of `os.write` and others as well: who put back what had been
    there within it, behind its end, would leave its detector in every test that follows.
    """
    with pytest.MonkeyPatch.context() as patch:
        yield Failing(patch, *faults)
