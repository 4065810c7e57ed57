"""The state folder: made if missing, ours alone, and held by one family of processes at a time."""

import fcntl
import os
import time
from pathlib import Path

from tidewaiter.gateway.error import StartError
from tidewaiter.i18n import system
from tidewaiter.model.sentence import Sentence
from tidewaiter.store.told import at

WAIT_SECONDS = 10.0
"""How long a new supervisor waits for the last processes of one that was killed."""


class FolderError(StartError):
    """The state folder cannot be used."""


def hold(path: Path, owner: tuple[int, int] | None) -> int:
    """Open and lock the folder; every process that keeps the descriptor holds the lock.

    :param owner: the user and group to whom a folder that is made here is given.
    :raises FolderError: if it cannot be opened, or if others still hold it after `WAIT_SECONDS`.
    """
    try:
        descriptor = _open(path, owner)
    except OSError as error:
        why = Sentence("{place}: {reason}", place=path, reason=system.reason(error))
        raise FolderError(why) from error
    try:
        with at(path):
            _lock(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(path: Path, descriptor: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not _locked(descriptor):
        if time.monotonic() > deadline:
            raise FolderError(Sentence("{folder}: another Tidewaiter is running on this folder", folder=path))
        time.sleep(0.05)


def _open(path: Path, owner: tuple[int, int] | None) -> int:
    if not path.exists():
        path.mkdir(mode=0o700)
        if owner is not None:
            os.chown(path, *owner)
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
