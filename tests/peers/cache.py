"""Where the unpacked programs lie, and who may build them.

A tree is built under a temporary name, then renamed: a half-built one is never used.
Its key is a digest of its recipe, so a changed recipe is another tree.
One lock per tree lets several test runs start at once; the second finds the tree ready.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY_LENGTH = 12


class PeerError(RuntimeError):
    """A peer could not be prepared, booted or read; the message says which and why."""


def home() -> Path:
    """Give the folder of all trees, made when missing."""
    named = os.environ.get("TIDEWAITER_PEERS")
    folder = Path(named) if named else Path.home() / ".cache" / "tidewaiter" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock called `name` across processes; the kernel frees it if we die."""
    folder = home() / "locks"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def tree(name: str, recipe: object, build: Callable[[Path], None]) -> Path:
    """Give the folder that `build` fills, building it only the first time.

    `recipe` is anything whose `repr` changes when what is built should change.
    """
    key = hashlib.sha256(repr(recipe).encode()).hexdigest()[:KEY_LENGTH]
    ready = home() / "trees" / f"{name}-{key}"
    if ready.is_dir():
        return ready
    with locked(ready.name):
        if not ready.is_dir():
            _build(ready, build)
    return ready


def _build(ready: Path, build: Callable[[Path], None]) -> None:
    ready.parent.mkdir(exist_ok=True)
    for stale in ready.parent.glob(f".{ready.name}.*"):  # a run that was killed while building
        shutil.rmtree(stale, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{ready.name}.", dir=ready.parent))
    unfinished.chmod(0o755)  # it becomes "/" of a root whose programs drop privileges
    try:
        build(unfinished)
        unfinished.rename(ready)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
