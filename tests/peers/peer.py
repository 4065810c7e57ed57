"""What a booted program looks like to a test, and how its deliveries are read.

Deliveries are read from the folder the program delivers into, never asked of the program.
They are complete once the program's own queue is empty: each of these programs writes a message
to its queue before it says 250, and removes it only after the delivery lies there.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tests.peers.boot import HOST, TICK, Running
from tests.peers.cache import PeerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RECIPIENT = "rcpt@inside.test"


@dataclass(frozen=True, slots=True)
class Box:
    """Where messages end up, one file each, and the folders of the queue that they pass through."""

    folder: Path
    queues: tuple[Path, ...] = ()

    def read(self) -> list[bytes]:
        """Give every delivered message, oldest first."""
        files = [path for path in self.folder.glob("*") if path.is_file()]
        files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [path.read_bytes() for path in files]

    def empty(self) -> None:
        """Remove every delivered message."""
        for path in self.folder.glob("*"):
            path.unlink()

    def queued(self) -> int:
        """Count the files that are still on their way."""
        return sum(len(files) for queue in self.queues for _, _, files in os.walk(queue))


@dataclass(frozen=True, slots=True)
class Peer:
    """A booted receiver or relay on loopback."""

    name: str
    version: str
    port: int
    running: Running
    box: Box | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    lmtp: bool = False
    recipient: str = RECIPIENT
    host: str = HOST

    @property
    def pid(self) -> int:
        """The main process."""
        return self.processes()[0]

    def processes(self) -> list[int]:
        """Give every process of it that runs now, the main one first."""
        return self.running.processes()

    def log(self) -> str:
        """Give what it logged so far."""
        return self.running.log()

    def at(self, service: str) -> Peer:
        """Give the same program seen through another of its `ports`."""
        return replace(self, name=f"{self.name}-{service}", port=self.ports[service])

    def deliveries(self, at_least: int = 0, within: float = 30.0) -> list[bytes]:
        """Give all messages delivered so far, oldest first.

        Waits until the queue is empty and `at_least` messages lie there; raises `PeerError` after
        `within` seconds. So "no message, ever" is `deliveries() == []` once the replies were read.
        """
        if self.box is None:
            raise PeerError(f"{self.name} discards what it accepts")
        deadline = time.monotonic() + within
        while self.box.queued() or len(self.box.read()) < at_least:
            if time.monotonic() > deadline:
                raise PeerError(f"{self.name}: {self._state()} after {within} s: {self.log()}")
            time.sleep(TICK)
        return self.box.read()

    def empty(self) -> None:
        """Forget all messages delivered so far."""
        assert self.box is not None
        self.box.empty()

    def _state(self) -> str:
        assert self.box is not None
        return f"{len(self.box.read())} delivered, {self.box.queued()} in the queue"
