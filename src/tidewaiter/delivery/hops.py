"""The next hops that the routes of a configuration name, made once for a worker; equal ones are one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tidewaiter.config import Settings
from tidewaiter.config.settings import HopTls, Route
from tidewaiter.config.values import MaildirHop, NextHop, write_next_hop
from tidewaiter.delivery.condition import News
from tidewaiter.delivery.delivery import Hop
from tidewaiter.delivery.hop import SmtpHop
from tidewaiter.delivery.maildir import Maildir
from tidewaiter.delivery.pool import Pool, PoolTerms
from tidewaiter.delivery.target import Target
from tidewaiter.net.deadline import Watch
from tidewaiter.net.tls import client_context
from tidewaiter.store.file_thread import FileThread


@dataclass(slots=True)
class Hops:
    """Makes and keeps them."""

    settings: Settings
    watch: Watch
    files: FileThread
    workers: int
    """Among how many the connections are divided."""
    place: Callable[[PurePosixPath], str]
    """Gives the absolute path of one in the configuration."""
    news: Callable[[str], News]
    """Gives who hears how the next hop of this name does."""
    _made: dict[tuple[object, ...], Hop] = field(default_factory=dict)

    def of(self, route: Route) -> tuple[Hop, ...]:
        """Give the next hops of a route, in its order."""
        return tuple(self._get(route, hop) for hop in route.next_hop)

    def all(self) -> tuple[Hop, ...]:
        """Give every one that was made."""
        return tuple(self._made.values())

    def _get(self, route: Route, hop: NextHop) -> Hop:
        key = (hop, route.tls, route.ca, route.xclient, route.connections, route.idle, route.timeouts)
        if key not in self._made:
            self._made[key] = self._make(route, hop)
        return self._made[key]

    def _make(self, route: Route, hop: NextHop) -> Hop:
        name = write_next_hop(hop)
        if isinstance(hop, MaildirHop):
            return Maildir(name, self.place(hop.path), self.settings.hostname, self.files)
        limits = self.settings.limits
        context = None
        if route.tls is not HopTls.OFF:
            authorities = self.place(route.ca) if route.ca is not None else None
            context = client_context(verify=route.tls is HopTls.VERIFY, authorities=authorities)
        target = Target(hop, self.settings.hostname, route.tls, context, route.timeouts)
        terms = PoolTerms(
            connections=max(1, route.connections // self.workers),
            idle=route.idle,
            wait=limits.next_hop_wait,
            silent=limits.next_hop_idle,
            xclient=route.xclient,
        )
        return SmtpHop(name, Pool(target, terms, self.watch, self.news(name)))
