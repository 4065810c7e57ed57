"""What a server answers to exactly these bytes.

Nothing is repaired, added or slowed down on the way: what is written here is what goes out.
"""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.peers.boot import HOST
from tests.peers.cache import PeerError
from tests.peers.segments import wait_until_read

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = 65536
# One whole reply, RFC 5321 §4.2.1: every line but the last has a hyphen behind the code.
REPLY = re.compile(rb"(?:([0-9]{3})-[^\n]*\n)*([0-9]{3})(?:[^-\n][^\n]*)?\n")


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply as received, all of its lines with their ends."""

    code: int
    wire: bytes

    def __str__(self) -> str:
        return self.wire.decode("latin-1").strip()


@dataclass(frozen=True, slots=True)
class Exchange:
    """All that a server said to one write; `rest` is what was no whole reply."""

    replies: tuple[Reply, ...]
    closed: bool
    rest: bytes = b""

    @property
    def codes(self) -> list[int]:
        """The reply codes in order, the greeting first."""
        return [reply.code for reply in self.replies]


class Raw:
    """A connection on which bytes are written as given; `within` bounds each wait, in seconds.

    With `early` the first bytes come with the connection, before whatever the other side says first.
    """

    def __init__(self, port: int, *, host: str = HOST, within: float = 20.0, early: bool = False) -> None:
        self._socket = socket.socket()
        self._socket.settimeout(within)
        self._within = within
        if early:  # tcp(7): the acknowledgement that ends the handshake waits for data, and goes with it
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
        self._socket.connect((host, port))
        # Else two writes may leave as one segment, and where we cut would not be where it was cut.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def write(self, data: bytes) -> None:
        """Send exactly `data`."""
        self._socket.sendall(data)

    def wait_until_read(self) -> None:
        """Wait until the program at the other end has read all that was written, so that it came by itself."""
        wait_until_read(self._socket, self._within)

    def secure(self) -> None:
        """Begin TLS, whoever the certificate is for."""
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        self._socket = trusting.wrap_socket(self._socket)

    def reply(self) -> Reply:
        """Read one reply; raise `PeerError` when the server closes or stays silent instead."""
        while not (found := REPLY.match(self._unread)):
            try:
                block = self._socket.recv(BLOCK)
            except OSError as error:
                raise PeerError(f"no reply but {error!r} behind {self._unread!r}") from error
            if not block:
                raise PeerError(f"the connection was closed behind {self._unread!r}")
            self._unread += block
        self._unread = self._unread[found.end() :]
        return Reply(int(found[2]), found[0])

    def ask(self, data: bytes) -> Reply:
        """Send `data` and read one reply."""
        self.write(data)
        return self.reply()

    def finish(self) -> Exchange:
        """Read until the server closes, resets or stays silent."""
        closed = True
        try:
            while block := self._socket.recv(BLOCK):
                self._unread += block
        except TimeoutError:
            closed = False
        except ConnectionResetError:
            pass
        return split(self._unread, closed=closed)


def split(wire: bytes, *, closed: bool) -> Exchange:
    """Cut what a server said into replies."""
    replies, at = [], 0
    while found := REPLY.match(wire, at):
        replies.append(Reply(int(found[2]), found[0]))
        at = found.end()
    return Exchange(tuple(replies), closed, wire[at:])


def send(port: int, wire: bytes, *, host: str = HOST, within: float = 20.0) -> Exchange:
    """Wait for the greeting, send `wire` in one write, read all replies until the server closes.

    End `wire` with QUIT, else the server has no reason to close and `within` seconds pass.
    """
    with Raw(port, host=host, within=within) as connection:
        greeting = connection.reply()
        with suppress(ConnectionError):  # what a server said before it closed on us is still to be read
            connection.write(wire)
        said = connection.finish()
    return Exchange((greeting, *said.replies), said.closed, said.rest)


def converse(port: int, steps: Iterable[bytes], *, host: str = HOST, within: float = 20.0) -> list[Reply]:
    """Send each step after the reply to the one before; give all replies, the greeting first."""
    with Raw(port, host=host, within=within) as connection:
        return [connection.reply(), *(connection.ask(step) for step in steps)]
