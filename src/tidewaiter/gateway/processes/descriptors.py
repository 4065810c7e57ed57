"""How many files and sockets a worker may have open, and what it keeps of them so that it can still say no.

Where accept(2) finds no descriptor, libuv closes whatever waits at the socket without a word. So it must not come to
that: the last numbers are no client's. The kernel gives the lowest free number, so the one that a connection got says
how many are taken, whoever holds them.
"""

import os
import resource
from typing import Final

from tidewaiter.config.settings import Settings
from tidewaiter.config.values import MaildirHop

OWN: Final = 64
"""What a worker has open before the first client, and what it opens for a moment."""
ACCEPTED_AT_ONCE: Final = 16
"""Connections that may have been accepted and not been closed again while they are told that there is no room."""


class Descriptors:
    """What one worker may open."""

    def __init__(self, limit: int, next_hops: int, first: int = 0) -> None:
        """Divide `limit`: the numbers from `first` on are free, and next hops take as many as `next_hops`.

        Where there are few, half of them are for clients all the same.
        """
        self.limit = limit
        self._kept_from = limit - min(ACCEPTED_AT_ONCE + next_hops, limit // 2)
        self.clients = max(0, self._kept_from - first)
        """How many clients there may be while nothing else is opened."""

    @classmethod
    def of_process(cls, settings: Settings, workers: int) -> "Descriptors":
        """Give those of this process."""
        first = os.open("/", os.O_PATH | os.O_CLOEXEC)
        os.close(first)
        return cls(resource.getrlimit(resource.RLIMIT_NOFILE)[0], next_hop_connections(settings, workers), first)

    def spent(self, descriptor: int) -> bool:
        """Tell whether the client with this descriptor is to be sent away."""
        return descriptor >= self._kept_from


def needed(settings: Settings, workers: int) -> int:
    """Say how many descriptors each worker may come to need.

    The kernel divides the connections among the workers; each may have a file in the spool.
    """
    return OWN + 2 * -(-settings.limits.connections // workers) + next_hop_connections(settings, workers)


def next_hop_connections(settings: Settings, workers: int) -> int:
    """Count the connections that one worker may open to all next hops."""
    return sum(
        max(1, route.connections // workers)
        for route in settings.route
        for hop in route.next_hop
        if not isinstance(hop, MaildirHop)
    )
