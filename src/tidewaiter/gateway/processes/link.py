"""The child's end of the link to the supervisor: ready, alive, drain, leave.

The link is a pair of AF_UNIX SOCK_SEQPACKET sockets, so that each message keeps its borders.
If the supervisor dies, however it dies, the kernel closes its end: no child outlives it.
"""

import asyncio
import signal
import socket
from collections.abc import Callable

READY = b"ready"
ALIVE = b"alive"
DRAIN = b"drain"

BEAT_SECONDS = 5.0
"""How often a child says that its loop still turns; see `children.SILENCE_SECONDS`."""


class Link:
    """Speaks to the supervisor from a child's event loop."""

    def __init__(
        self,
        descriptor: int,
        loop: asyncio.AbstractEventLoop,
        on_drain: Callable[[], None],
        on_leave: Callable[[], None],
    ) -> None:
        """Start to listen.

        :param on_drain: called once, when the supervisor (or SIGTERM) asks us to finish and leave.
        :param on_leave: called once, when the supervisor has gone: leave at once.
        """
        self._socket = socket.socket(fileno=descriptor)
        self._socket.setblocking(False)  # noqa: FBT003 - it has no name for it
        self._loop = loop
        self._on_drain: Callable[[], None] | None = on_drain
        self._on_leave = on_leave
        loop.add_reader(self._socket, self._read)
        loop.add_signal_handler(signal.SIGTERM, self._drain)
        for ignored in (signal.SIGINT, signal.SIGHUP):  # a terminal's go to the whole group
            signal.signal(ignored, signal.SIG_IGN)

    def ready(self) -> None:
        """Say that we serve; from here on, say every few seconds that the loop turns."""
        self._say(READY)
        self._beat()

    def _beat(self) -> None:
        self._say(ALIVE)
        self._loop.call_later(BEAT_SECONDS, self._beat)

    def _say(self, message: bytes) -> None:
        try:
            self._socket.send(message)
        except BlockingIOError:
            pass  # the supervisor is slow to read; the next beat says the same
        except OSError:
            self._leave()

    def _read(self) -> None:
        try:
            message = self._socket.recv(64)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if message == DRAIN:
            self._drain()
        elif not message:
            self._leave()

    def _drain(self) -> None:
        if self._on_drain is not None:
            on_drain, self._on_drain = self._on_drain, None
            on_drain()

    def _leave(self) -> None:
        self._loop.remove_reader(self._socket)
        self._on_leave()
