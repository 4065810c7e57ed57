"""Connections in memory: two ends, with a moment's latency, a window, FIN and RST.

What is written is there a moment later, in order, as far as the other side has room for it; the rest waits in the
transport, which says so (`pause_writing`), as with a socket.
"""

import asyncio
import errno
import socket
import struct
from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.exploration.clock import Clock

LATENCY = 0.001
WINDOW = 64 * 1024
"""Octets on the way, or with a reader who does not read."""


class Mark(Enum):
    """What goes over a connection beside octets."""

    FIN = "FIN"
    RST = "RST"


class Seen(NamedTuple):
    """What one end did or heard."""

    time: float
    way: str
    """`>` written, `<` read, `!` something else."""
    what: bytes
    unsent: int
    """Octets that waited in the transport then."""


class Lingering:
    """The socket of an end, as far as anybody asks for it: SO_LINGER makes its end a reset."""

    def __init__(self, number: int) -> None:
        self._number = number
        self.resets = False

    def fileno(self) -> int:
        return self._number

    def setsockopt(self, _level: int, option: int, value: int | bytes) -> None:
        if option == socket.SO_LINGER:
            self.resets = isinstance(value, bytes) and struct.unpack("ii", value) == (1, 0)


class End(asyncio.Transport):
    """One end of a connection: a transport for whoever holds it."""

    peer: "End"

    def __init__(self, loop: "Clock", peername: tuple[str, int]) -> None:
        super().__init__()
        self._loop = loop
        self._peername = peername
        self._protocol: Any = asyncio.Protocol()
        loop.descriptors += 1
        self._socket = Lingering(loop.descriptors)
        self._out = bytearray()
        self._flight: deque[bytes | Mark] = deque()
        """On the way to us, in order."""
        self._inbox: deque[bytes | Mark] = deque()
        self._unread = 0
        """Octets of ours that the peer has not read."""
        self._high = WINDOW
        self._paused = self._closing = self._half = False
        self._reading = True
        self.lost = False
        self.tls = False
        self.seen: list[Seen] = []
        self.ended = ""
        """How we ended it: `close` or `abort`."""

    def note(self, way: str, what: bytes) -> None:
        self.seen.append(Seen(self._loop.now, way, what, len(self._out)))

    # What asyncio's transports do.

    def begin(self, protocol: Any) -> None:
        """Connect whoever holds this end."""
        self._protocol = protocol
        protocol.connection_made(self)
        self._deliver()

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def get_protocol(self) -> Any:
        return self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        known = {"peername": self._peername, "socket": self._socket, "ssl_object": Secured() if self.tls else None}
        return known.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002 - asyncio's
        self._high = WINDOW if high is None else high

    def get_write_buffer_size(self) -> int:
        return len(self._out)

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self._loop.call_soon(self._deliver)

    def can_write_eof(self) -> bool:
        return not self.tls

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing:
            return
        if Mark.RST in self._inbox:
            self._die(_reset())
            return
        self.note(">", bytes(data))
        self._out += data
        self._push()

    def writelines(self, pieces: Iterable[Any]) -> None:
        self.write(b"".join(pieces))

    def write_eof(self) -> None:
        self._half = True
        self._push()

    def close(self) -> None:
        if not self._closing:
            self.ended = self.ended or "close"
            self.note("!", b"close")
            self._closing = True
            self._push()

    def abort(self) -> None:
        if not self.lost:
            self.ended = "abort"
            self.note("!", b"abort")
            self._closing = True
            self._out.clear()
            self._loop.call_soon(self._finish)

    def reset(self) -> None:
        """End it by RST."""
        self._socket.resets = True
        self.abort()

    # How it goes over the wire.

    def _push(self) -> None:
        if self.lost:
            return
        chunk = bytes(self._out[: WINDOW - self._unread])
        if chunk:
            del self._out[: len(chunk)]
            self._unread += len(chunk)
            self.peer.fly(chunk)
        if not self._out and self._closing:
            self._loop.call_soon(self._finish)
        elif not self._out and self._half:
            self._half = False
            self.peer.fly(Mark.FIN)
        if len(self._out) > self._high and not self._paused:
            self._paused = True
            self._protocol.pause_writing()
        elif self._paused and len(self._out) <= self._high // 4:
            self._paused = False
            self._protocol.resume_writing()

    def fly(self, what: bytes | Mark) -> None:
        """Be sent this."""
        self._flight.append(what)
        self._loop.call_later(LATENCY, self._land)

    def _land(self) -> None:
        what = self._flight.popleft()
        if self.lost:
            if isinstance(what, bytes) and not self.peer.lost:
                self.peer.fly(Mark.RST)
            return
        if what is Mark.RST and self._closing:
            self._die(_reset())  # what was still to be written has nowhere to go
            return
        self._inbox.append(what)
        self._deliver()

    def _deliver(self) -> None:
        while self._reading and self._inbox and not self._closing:
            what = self._inbox.popleft()
            if isinstance(what, bytes):
                self.note("<", what)
                self._read(len(what))
                self._protocol.data_received(what)
            elif what is Mark.RST:
                self._die(_reset())
            else:
                self.note("!", b"the other side says FIN")
                if not getattr(self._protocol, "eof_received", _closes)():  # uvloop takes one without it for False
                    self.close()

    def _read(self, count: int) -> None:
        peer = self.peer
        peer._unread -= count
        if peer._out or peer._paused:
            self._loop.call_soon(peer._push)

    def _die(self, error: OSError) -> None:
        if not self.lost:
            self.note("!", b"the other side says RST")
            self.lost = self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)

    def _finish(self) -> None:
        if not self.lost:
            self.lost = True
            resets = self._socket.resets or any(isinstance(what, bytes) for what in self._inbox)
            self.peer.fly(Mark.RST if resets else Mark.FIN)
            self._protocol.connection_lost(None)


class Secured:
    """What a transport tells of its TLS."""

    def version(self) -> str:
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)


def _closes() -> bool:
    return False


def _reset() -> OSError:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")


class Network:
    """Who listens where, and which names have which addresses."""

    def __init__(self, loop: "Clock") -> None:
        self._loop = loop
        self.names: dict[str, tuple[str, ...]] = {}
        self.listening: dict[tuple[str, int], Any] = {}
        """Each with `knock`, a coroutine, and `accept`, which makes a protocol."""

    def addresses(self, host: str, port: int) -> list[Any]:
        """Answer as getaddrinfo does."""
        found = self.names.get(host, (host,))
        if not found:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        stream = socket.SOCK_STREAM, socket.IPPROTO_TCP, ""
        return [
            (socket.AF_INET6, *stream, (each, port, 0, 0)) if ":" in each else (socket.AF_INET, *stream, (each, port))
            for each in found
        ]

    async def connect(self, address: tuple[str, int]) -> End:
        """Connect to whoever listens there, as far as he lets us: our end, on which nothing has begun."""
        listener = self.listening.get(address)
        if listener is None:
            raise ConnectionRefusedError(errno.ECONNREFUSED, f"Connect call failed {address}")
        await listener.knock()
        ours, theirs = self.pair(("192.0.2.1", 40_000), address)
        self._loop.call_soon(theirs.begin, listener.accept(ours))
        return ours

    def pair(self, near: tuple[str, int], far: tuple[str, int]) -> tuple[End, End]:
        """Two ends of one connection: of whoever connects from `near`, and of whoever is at `far`."""
        one, other = End(self._loop, far), End(self._loop, near)
        one.peer, other.peer = other, one
        return one, other
