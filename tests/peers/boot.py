"""How a program is started, known to be ready, and known to be gone.

Ready is when its port greets, never after a pause.
Gone is when its keeper is (see keeper.py): then no process and no mount of it exists.
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.cache import PeerError, home, locked
from tests.peers.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HOST = "127.0.0.1"
# Below the range from which the kernel takes the ports of outgoing connections, so that no client
# elsewhere on the machine can be given the port between our choosing it and the program's binding it.
PORTS = range(10_000, 32_000)
READY_WITHIN = 30.0
GREETING_WITHIN = 10.0
COMMAND_WITHIN = 30.0
STOPPED_WITHIN = 15.0
KEEPER = Path(__file__).with_name("keeper.py")
NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
TICK = 0.02


def free_port() -> int:
    """Give a loopback port that nothing listens on."""
    while True:
        port = random.choice(PORTS)  # noqa: S311 - no secret, only two runs that should not collide
        with socket.socket() as trial, suppress(OSError):
            trial.bind((HOST, port))
            return port


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
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def _hold(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _sweep(runs: Path) -> None:
    """Remove what killed runs left: a folder is in use while its run or its keeper holds its lock."""
    for folder in runs.iterdir():
        with suppress(BlockingIOError):
            os.close(_hold(folder))
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(place: Instance, argv: Sequence[object], ports: Iterable[int]) -> Iterator[Running]:
    """Run a program until the end of the block; enter it once every port has greeted."""
    rooted = (place.folder / "lower").exists()
    keeper = [sys.executable, "-I", str(KEEPER), str(place.folder) if rooted else "-"]
    command = [*(NAMESPACES if rooted else ()), *keeper, *map(str, argv)]
    with place.log.open("ab") as log:
        started = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=place.upper,
            pass_fds=[place.lock],
            start_new_session=True,
        )
    program = Running(started, place, rooted=rooted)
    try:
        for port in ports:
            program.wait_for_greeting(port)
        yield program
    finally:
        program.stop()


@dataclass(frozen=True, slots=True)
class Running:
    """A started program, seen through its keeper."""

    started: subprocess.Popen[bytes]
    place: Instance
    rooted: bool

    def log(self) -> str:
        """Give what it printed and said to the system log so far."""
        return self.place.log.read_text(errors="backslashreplace")

    def processes(self) -> list[int]:
        """Give its process ids as this machine numbers them, the main one first."""
        above = 2 if self.rooted else 1  # unshare and the keeper, or the keeper
        return descendants(self.started.pid)[above - 1 :]

    def run_inside(self, argv: Sequence[object], stdin: bytes = b"") -> bytes:
        """Run a command of the program's own root beside it; give its output, raise `PeerError` if it fails."""
        keeper = descendants(self.started.pid)[0]
        enter = ["nsenter", f"--target={keeper}", "--mount", "--pid", "chroot", self.place.folder / "root"]
        return run([*enter, *argv], stdin=stdin, within=COMMAND_WITHIN)

    def wait_for_greeting(self, port: int) -> None:
        """Return once `port` greets; raise `PeerError` when the program ends first or takes too long."""
        deadline = time.monotonic() + READY_WITHIN
        while not _greets(port):
            if self.started.poll() is not None:
                raise PeerError(f"{self.place.folder.name} ended before it was ready: {self.log()}")
            if time.monotonic() > deadline:
                raise PeerError(f"{self.place.folder.name} did not greet on {port}: {self.log()}")
            time.sleep(TICK)

    def stop(self) -> None:
        """Close the pipe, which ends the program, and wait until all of it is gone."""
        assert self.started.stdin is not None
        with suppress(BrokenPipeError):
            self.started.stdin.close()
        try:
            self.started.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.started.kill()
            self.started.wait()
            raise PeerError(f"{self.place.folder.name} did not stop: {self.log()}") from None


def _greets(port: int) -> bool:
    with suppress(OSError), socket.create_connection((HOST, port), timeout=GREETING_WITHIN) as trial:
        return bool(trial.recv(4096))
    return False


def descendants(pid: int) -> list[int]:
    """Give the processes below `pid`, parents before their children."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(word) for task in threads for word in (task / "children").read_text().split()]
    except FileNotFoundError:  # it ended while we looked
        return []
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]
