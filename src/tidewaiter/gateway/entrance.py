"""What the loop makes for each connection that a listener accepts.

Where TLS begins with the first byte (RFC 8314), the loop's own server would not tell whose handshake failed, nor why:
so the handshake is made here, and one that fails is a line in the log.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import cast

from tidewaiter.gateway.listening import Listening
from tidewaiter.gateway.session import NO_TLS, NOBODY, Session
from tidewaiter.net.tls import tls_failure


def entrance(listening: Listening) -> Callable[[], asyncio.Protocol]:
    """Give the factory of protocols for `listening`, to be served without TLS: it is made behind this door."""
    door = partial(Securing, listening) if listening.implicit_tls else partial(Session, listening)
    return cast(Callable[[], asyncio.Protocol], door)


class Securing(asyncio.Protocol):
    """A connection before its handshake: its socket goes to a transport that begins with one."""

    def __init__(self, listening: Listening) -> None:
        """Wait for the connection."""
        self._listening = listening

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the socket, and leave this transport before it reads."""
        peer = transport.get_extra_info("peername") or NOBODY
        try:
            connection = transport.get_extra_info("socket").dup()
        except OSError:  # no descriptor is left
            self._refuse(peer[0], "no file descriptor is left")
        else:
            self._listening.station.spawn(self._secure(connection, peer[0]))
        cast(asyncio.Transport, transport).abort()

    async def _secure(self, connection: socket.socket, peer: str) -> None:
        listening = self._listening
        connection.setblocking(False)  # noqa: FBT003 - it has no name for it
        try:
            await listening.station.loop.connect_accepted_socket(
                cast(Callable[[], asyncio.Protocol], partial(Session, listening)),
                connection,
                ssl=listening.context,
                ssl_handshake_timeout=listening.limits.tls_handshake,
            )
        except (OSError, ssl.SSLError) as error:
            self._refuse(peer, tls_failure(error))

    def _refuse(self, peer: str, why: str) -> None:
        listening = self._listening
        listening.station.recorder.count("tls_failures", "client")
        listening.refuse("connection", NO_TLS, reply="", client=listening.standing(peer).address, detail=why)
