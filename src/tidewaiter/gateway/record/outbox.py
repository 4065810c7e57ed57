"""A worker's connection to the clerk: records until they are committed, and counters.

Nothing here waits. Lines are kept until the clerk says that they are on disk, and are sent again
to the next clerk if this one dies; the clerk drops those it has already, by their id. Beyond
10,000 lines new ones are dropped and counted: mail matters more than its record.

The clerk answers with four bytes, big-endian: how many more lines are done with.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterator

QUEUE_LINES = 10_000
FLUSH_SECONDS = 0.05
"""How long a line may wait for company; the clerk commits what comes together."""
RETRY_SECONDS = 0.5
ACKNOWLEDGEMENT_BYTES = 4

_SEND_BYTES = 64 * 1024
_EAGER_LINES = 256


class Outbox:
    """Sends lines from an event loop to the clerk's local socket."""

    def __init__(
        self,
        address: str,
        loop: asyncio.AbstractEventLoop,
        greeting: bytes,
        counters: Callable[[], bytes],
    ) -> None:
        """Connect at the first `flush`, which also happens soon after a `put`.

        :param greeting: the first line on each connection: who we are.
        :param counters: returns a line of counters since the last call, or nothing; it is asked
            only on a connection. The line is not acknowledged: a clerk that dies begins at zero.
        """
        self._address = address
        self._loop = loop
        self._greeting = greeting
        self._counters = counters
        self._socket: socket.socket | None = None
        self._unsent: deque[bytes] = deque()
        self._sent: deque[bytes] = deque()
        self._partial = b""
        self._answer = b""
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0
        """Lines lost because the queue was full."""

    def put(self, line: bytes) -> None:
        """Queue one line, without a newline in it."""
        if self.waiting >= QUEUE_LINES:
            self.dropped += 1
            return
        self._unsent.append(line)
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_SECONDS, self.flush)
        elif len(self._unsent) == _EAGER_LINES:
            self.flush()

    @property
    def waiting(self) -> int:
        """How many lines are not known to be on disk."""
        return len(self._unsent) + len(self._sent)

    @property
    def connected(self) -> bool:
        """Whether a clerk is there, as far as we have heard."""
        return self._socket is not None

    def flush(self) -> None:
        """Send what the clerk takes now, connecting first where needed."""
        self._cancel_timer()
        try:
            self._connect()
            self._send()
        except OSError:
            self._disconnect()
            self._later(RETRY_SECONDS)

    def close(self) -> int:
        """Send no more; returns how many lines are not known to be on disk."""
        self._disconnect()
        return len(self._unsent)

    def _disconnect(self) -> None:
        """Close the connection; what was sent and not acknowledged will be sent again."""
        self._cancel_timer()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None
        self._unsent.extendleft(reversed(self._sent))
        self._sent.clear()
        self._partial = self._answer = b""

    def _connect(self) -> None:
        if self.connected:
            return
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            connection.connect(self._address)
        except OSError:
            connection.close()
            raise
        self._socket = connection
        self._loop.add_reader(connection, self._read)
        self._partial = self._greeting + b"\n"

    def _send(self) -> None:
        assert self._socket is not None, "flush connects first"
        while chunk := self._partial or self._next_chunk():
            try:
                sent = self._socket.send(chunk)
            except BlockingIOError:
                sent = 0
            self._partial = chunk[sent:]
            if self._partial:
                self._loop.add_writer(self._socket, self.flush)
                return
        self._loop.remove_writer(self._socket)

    def _next_chunk(self) -> bytes:
        """The counters, and as many lines as make up a chunk; they count as sent from now on."""
        lines = list(self._take())
        return b"".join(line + b"\n" for line in filter(None, (self._counters(), *lines)))

    def _take(self) -> Iterator[bytes]:
        length = 0
        while self._unsent and length < _SEND_BYTES:
            line = self._unsent.popleft()
            self._sent.append(line)
            length += len(line)
            yield line

    def _read(self) -> None:
        assert self._socket is not None, "a reader is only registered while connected"
        try:
            answer = self._socket.recv(_SEND_BYTES)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        if not answer:
            self._disconnect()
            self._later(RETRY_SECONDS)
            return
        self._acknowledge(self._answer + answer)

    def _acknowledge(self, answer: bytes) -> None:
        whole = len(answer) - len(answer) % ACKNOWLEDGEMENT_BYTES
        for start in range(0, whole, ACKNOWLEDGEMENT_BYTES):
            done = int.from_bytes(answer[start : start + ACKNOWLEDGEMENT_BYTES], "big")
            for _ in range(done):
                self._sent.popleft()
        self._answer = answer[whole:]

    def _later(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(seconds, self.flush)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
