"""How a program is started, known to be ready, and known to be gone.

Ready is when its port greets, never after a pause.
Gone is when its keeper is (see keeper.py): then no process and no mount of it exists.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.cache import PeerError
from tests.peers.commands import run
from tests.peers.instances import Instance

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


@contextmanager
def running(place: Instance, argv: Sequence[object], ports: Iterable[int], host: str = HOST) -> Iterator[Running]:
    """Run a program until the end of the block; enter it once every port has greeted."""
    program = Running(place, [str(word) for word in argv], tuple(ports), host)
    try:
        program.start()
        yield program
    finally:
        program.stop()


@dataclass(slots=True)
class Running:
    """A program of one instance, seen through its keeper; it may be killed and started again."""

    place: Instance
    argv: list[str]
    ports: tuple[int, ...]
    host: str = HOST
    _keeper: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once every port has greeted."""
        with self.place.log.open("ab") as log:
            self._keeper = subprocess.Popen(
                [*self._above(), *self.argv],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.place.upper,
                pass_fds=[self.place.lock],
                start_new_session=True,
            )
        for port in self.ports:
            self._wait_for_greeting(port)

    def _above(self) -> list[str]:
        keeper = [sys.executable, "-I", str(KEEPER), str(self.place.folder) if self.place.rooted else "-"]
        return [*(NAMESPACES if self.place.rooted else ()), *keeper]

    @property
    def started(self) -> subprocess.Popen[bytes]:
        """The outermost process of ours above the program."""
        if self._keeper is None:
            raise PeerError(f"{self.place.folder.name} was not started")
        return self._keeper

    def kill(self) -> None:
        """End every process of it at once, without a chance to tidy up, as a power cut would."""
        for pid in reversed(descendants(self.started.pid)) if not self.place.rooted else self._first():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.stop()

    def _first(self) -> list[int]:
        return descendants(self.started.pid)[:1]  # process 1 of the namespace, which takes all others along

    def log(self) -> str:
        """Give what it printed and said to the system log so far."""
        return self.place.log.read_text(errors="backslashreplace")

    def processes(self) -> list[int]:
        """Give its process ids as this machine numbers them, the main one first."""
        below = descendants(self.started.pid)
        return below[1:] if self.place.rooted else below  # what was started is unshare, or the keeper itself

    def run_inside(self, argv: Sequence[object], stdin: bytes = b"") -> bytes:
        """Run a command of the program's own root beside it; give its output, raise `PeerError` if it fails."""
        enter = ["nsenter", f"--target={self._first()[0]}", "--mount", "--pid", "chroot", self.place.folder / "root"]
        return run([*enter, *argv], stdin=stdin, within=COMMAND_WITHIN)

    def _wait_for_greeting(self, port: int) -> None:
        """Return once `port` greets; raise `PeerError` when the program ends first or takes too long."""
        deadline = time.monotonic() + READY_WITHIN
        while not _greets(self.host, port):
            if self.started.poll() is not None:
                raise PeerError(f"{self.place.folder.name} ended before it was ready: {self.log()}")
            if time.monotonic() > deadline:
                raise PeerError(f"{self.place.folder.name} did not greet on {port}: {self.log()}")
            time.sleep(TICK)

    def stop(self) -> None:
        """Close the pipe, which ends the program, and wait until all of it is gone."""
        assert self.started.stdin
        with suppress(BrokenPipeError):
            self.started.stdin.close()
        try:
            self.started.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.started.kill()
            self.started.wait()
            raise PeerError(f"{self.place.folder.name} did not stop: {self.log()}") from None


def _greets(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=GREETING_WITHIN) as trial:
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
