"""Who answers the share of a worker that does not come up?  For a moment its clients wait; then others get it.

The kernel gives each of the SO_REUSEPORT sockets of an address its share of the connections, and the supervisor keeps
all of them open, so that nobody is refused while a dead worker is replaced. Where the successor fails to start, though,
clients would wait for a greeting that may never come. So whoever waits hears 421, and the socket listens no more: the
kernel shares its part out among the others, or, where there is no other, refuses connections, which a client
understands at once. The successor's own listen(2), whenever it succeeds, takes the share back.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress

from tidewaiter.config.settings import Listener, ListenerTls
from tidewaiter.gateway.processes.generation import Generation
from tidewaiter.model.reply import Reply

AT_ONCE = 1000
"""Connections that are answered in one go; what came meanwhile is reset."""


def unmanned(generations: Iterable[Generation], current: Generation) -> set[int]:
    """The places whose workers fail to come up; one that is starting now may listen already, and is left alone."""
    manned = [generation.workers for generation in generations if not generation.workers.leaving]
    living = {child.index for crew in manned for child in crew.children}
    posts = current.workers.posts if current.serving and not current.workers.leaving else []
    return {index for index, post in enumerate(posts) if post.failing} - living


def decline(generation: Generation, index: int) -> None:
    """Send away whoever waits on the sockets of a place, and let no more come to them."""
    settings = generation.settings
    for copies, listener in zip(generation.sockets, settings.listener, strict=True):
        _send_away(copies[index], _reply(settings.hostname, listener))
        with suppress(OSError):  # it does not listen
            copies[index].shutdown(socket.SHUT_RD)


def _reply(hostname: str, listener: Listener) -> bytes:
    if listener.tls is ListenerTls.IMPLICIT:
        return b""  # within TLS alone it could be read
    return Reply(421, "4.3.2", (f"{hostname} Service is not available now, come again",)).wire


def _send_away(listening: socket.socket, reply: bytes) -> None:
    for _ in range(AT_ONCE):
        try:
            client, _ = listening.accept()
        except OSError:  # nobody waits any more, or it does not listen
            return
        with client, suppress(OSError):
            client.setblocking(False)  # noqa: FBT003 - it has no name for it
            client.send(reply)
