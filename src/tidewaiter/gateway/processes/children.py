"""One child process as the supervisor sees it: started, ready, silent, draining, dead."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.processes.link import ALIVE, BEAT_SECONDS, DRAIN, READY
from tidewaiter.store.told import at

SILENCE_SECONDS = 12 * BEAT_SECONDS
"""A child whose loop has not turned for so long serves nobody: it is killed, and another started."""


def command(module: str) -> tuple[str, ...]:
    """The program of a child: this Python, isolated from the user's environment, and a module."""
    return (sys.executable, "-m", module)


class Child:
    """A running child; `socket` is readable when it has said something or hung up."""

    def __init__(self, program: Sequence[str], handover: Handover, ours: socket.socket) -> None:
        """Start it.

        :param ours: the supervisor's end of the link; the child's is in the handover.
        """
        self.socket = ours
        self.socket.setblocking(False)  # noqa: FBT003 - it has no name for it
        self.index = handover.index
        self.column = handover.column
        self.generation = handover.generation
        self.ready = False
        self.linked = True
        """Whether the link is open at both ends."""
        self.started = self._heard = time.monotonic()
        with at(" ".join(program)):
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                [*program, handover.argument()],
                pass_fds=handover.descriptors(),
                stdin=subprocess.DEVNULL,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def silent(self) -> bool:
        """Whether it has hung."""
        return time.monotonic() - self._heard > SILENCE_SECONDS

    def hear(self) -> None:
        """Read what it says; `ready` and `silent` tell what it was, `linked` whether it has hung up."""
        try:
            message = self.socket.recv(64)
        except OSError:  # nothing was there, or the system could not say: it is heard the next time
            return
        assert message in {READY, ALIVE, b""}, "both ends are ours"
        self.ready = self.ready or message == READY
        self.linked = message != b""
        self._heard = time.monotonic()

    def drain(self) -> None:
        """Ask it to finish what it has and to leave."""
        with suppress(OSError):  # it is leaving, or deaf, and the deadline will find it
            self.socket.send(DRAIN)

    def cut(self) -> None:
        """Close the link: it leaves at once."""
        self.linked = False
        self.socket.close()

    def kill(self) -> None:
        """End it, whatever it does."""
        os.kill(self.pid, signal.SIGKILL)

    def exit_code(self) -> int | None:
        """How it ended; None while it runs, negative for a signal."""
        return self._process.poll()
