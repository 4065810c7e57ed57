"""What the loop makes for each connection that a listener accepts.

Where TLS begins with the first byte (RFC 8314), the loop's own server would not tell whose handshake failed, nor why:
so the handshake is made here, and one that fails is a line in the log. Nor would it count those who begin a handshake
and do not go on; here each counts from its first moment, and hears within TLS that there are too many.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import cast

from tidewaiter.gateway.mail.listening import Listening
from tidewaiter.gateway.mail.session import LINGER_SECONDS, NO_TLS, Admitted, Session, known
from tidewaiter.model.client import Client
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
        listening = self._listening
        peer, descriptor = known(transport)
        client = Client(listening.rules_of(peer[0]), peer[1])
        admitted = Admitted(client, listening.admit(client, descriptor))
        connection = None if listening.worker.descriptors.spent(descriptor) else _again(transport)
        if connection is None:  # nothing can be said before a handshake, for which there is no descriptor
            self._refuse(admitted, "no file descriptor is left")
        else:
            listening.worker.spawn(self._secure(connection, admitted))
        cast(asyncio.Transport, transport).abort()

    async def _secure(self, connection: socket.socket, admitted: Admitted) -> None:
        listening = self._listening
        seconds = listening.worker.crowd.patience(listening.limits.tls_handshake)
        connection.setblocking(False)  # noqa: FBT003 - it has no name for it
        try:
            await listening.worker.loop.connect_accepted_socket(
                cast(Callable[[], asyncio.Protocol], partial(Session, listening, admitted)),
                connection,
                ssl=listening.context,
                ssl_handshake_timeout=seconds if admitted.refusal is None else min(seconds, LINGER_SECONDS),
            )
        except (OSError, ssl.SSLError) as error:
            self._refuse(admitted, tls_failure(error))

    def _refuse(self, admitted: Admitted, why: str) -> None:
        listening = self._listening
        listening.worker.crowd.leave(admitted.client.rules)
        listening.worker.recorder.count("tls_failures", "client")
        listening.refuse("connection", NO_TLS, None, admitted.client, detail=why)


def _again(transport: asyncio.BaseTransport) -> socket.socket | None:
    """Give the socket a descriptor of its own, if there is one."""
    try:
        duplicate: socket.socket = transport.get_extra_info("socket").dup()
    except OSError:
        return None
    return duplicate
