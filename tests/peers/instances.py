"""The folder of each boot: what is written before, what is read after, and how it goes away.

A folder is locked by its test run and by its keeper; one that nobody holds was left by a killed run,
and the next boot removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.cache import home, locked

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Instance:
    """The folder of one booted program: `upper` is what differs from its root."""

    folder: Path
    lock: int

    @property
    def upper(self) -> Path:
        """The writable layer, which the host may fill before and read after the start."""
        return self.folder / "upper"

    @property
    def rooted(self) -> bool:
        """Whether the program has a root of its own, below `upper`."""
        return (self.folder / "lower").exists()

    @property
    def log(self) -> Path:
        """What the program printed and said to the system log."""
        return self.folder / "log"

    def write(self, path: str, text: str | bytes, *, mode: int = 0o644, owner: int = 0) -> Path:
        """Write a file as the program will see it; folders on the way are made for all to read."""
        target = self.make(str(Path(path).parent)) / Path(path).name
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        target.chmod(mode)
        if owner:
            os.chown(target, owner, owner)
        return target

    def make(self, path: str, *, mode: int = 0o755, owner: int = 0) -> Path:
        """Make a folder as the program will see it."""
        target = self.upper / path.lstrip("/")
        target.mkdir(parents=True, exist_ok=True)
        target.chmod(mode)
        if owner:
            os.chown(target, owner, owner)
        return target


@contextmanager
def instance(name: str, root: Path | None = None) -> Iterator[Instance]:
    """Make the folder of one boot, over `root` where the program has one; remove it afterwards."""
    runs = home() / "runs"
    with locked("runs"):
        runs.mkdir(exist_ok=True)
        _sweep(runs)
        folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=runs))
        lock = _hold(folder)
    for part in ("upper", "work", "root"):
        (folder / part).mkdir()
    if root:
        (folder / "lower").symlink_to(root)
    try:
        yield Instance(folder, lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _hold(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise
    return lock


def _sweep(runs: Path) -> None:
    """Remove what killed runs left: a folder is in use while its run or its keeper holds its lock."""
    for folder in runs.iterdir():
        with suppress(BlockingIOError, FileNotFoundError):  # in use, or just removed by its own run
            os.close(_hold(folder))
            shutil.rmtree(folder, ignore_errors=True)
