"""The addresses we listen on: bound once, kept open across reloads and the death of workers.

Each address has one SO_REUSEPORT socket for each worker, among which the kernel shares out
connections. The supervisor keeps them all open, because a connection that waits in the queue of
a socket is lost when its last holder closes it.
"""

import socket
from collections import Counter
from collections.abc import Iterable
from contextlib import closing

from tidewaiter.config.values import Endpoint, write_endpoint
from tidewaiter.gateway.error import StartError
from tidewaiter.i18n import system
from tidewaiter.model.sentence import Sentence

Place = tuple[Endpoint, int]
"""An address, and how many equal ones came before it (only port 0 may repeat)."""


class BindError(StartError):
    """An address cannot be bound; the message names it."""


def bind(endpoint: Endpoint, copies: int) -> list[socket.socket]:
    """Bound sockets for one address, on one port.

    :raises BindError: if another program has the address, even one that would share it.
    """
    sockets: list[socket.socket] = []
    try:
        _claim(endpoint)
        # A port that the kernel has chosen for a socket is lost when that stops listening, so all ask for it by number.
        with closing(_bound(endpoint, endpoint.port, shared=True)) as first:
            port = first.getsockname()[1]
            sockets += [_bound(endpoint, port, shared=True) for _ in range(copies)]
    except OSError as error:
        close(sockets)
        why = Sentence("{place}: {reason}", place=write_endpoint(endpoint), reason=system.reason(error))
        raise BindError(why) from error
    return sockets


def close(sockets: Iterable[socket.socket]) -> None:
    """Close them."""
    for one in sockets:
        one.close()


def _claim(endpoint: Endpoint) -> None:
    """SO_REUSEPORT would let us join another program of our user on its port, and take half its mail."""
    _bound(endpoint, endpoint.port, shared=False).close()


def _bound(endpoint: Endpoint, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if endpoint.host.version == 6 else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind((str(endpoint.host), port))
        one.setblocking(False)  # noqa: FBT003 - it has no name for it
    except OSError:
        one.close()
        raise
    return one


class Sockets:
    """Every bound address of the gateway."""

    def __init__(self, copies: int) -> None:
        """Bind nothing yet; each address will have so many sockets."""
        self._copies = copies
        self._bound: dict[Place, list[socket.socket]] = {}

    def secure(self, endpoints: Iterable[Endpoint]) -> list[list[socket.socket]]:
        """The sockets of each address, in order, bound now where they were not before.

        :raises BindError: if one cannot be bound; then nothing has changed.
        """
        places = _places(endpoints)
        fresh: dict[Place, list[socket.socket]] = {}
        try:
            for place in places:
                if place not in self._bound:
                    fresh[place] = bind(place[0], self._copies)
        except BindError:
            for sockets in fresh.values():
                close(sockets)
            raise
        self._bound |= fresh
        return [self._bound[place] for place in places]

    def keep_only(self, endpoints: Iterable[Endpoint]) -> None:
        """Close the addresses that are not among these."""
        kept = set(endpoints)
        for place in [place for place in self._bound if place[0] not in kept]:
            close(self._bound.pop(place))


def _places(endpoints: Iterable[Endpoint]) -> list[Place]:
    seen: Counter[Endpoint] = Counter()
    places = []
    for endpoint in endpoints:
        places.append((endpoint, seen[endpoint]))
        seen[endpoint] += 1
    return places
