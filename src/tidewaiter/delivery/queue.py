"""Who of those that wait for a connection is served next?

The one whose client network holds the fewest connections, so that no crowd of one network keeps the others away; those
to whom the next hop said no come behind all others, because guessing costs the guesser nothing; within a network, and
among networks that hold as many, in order.
Each step costs the same however many wait.
"""

from collections.abc import Iterator
from typing import Final, Protocol

from tidewaiter.delivery.connection import Connection, Holder
from tidewaiter.delivery.delivery import Patience
from tidewaiter.model.client import Client
from tidewaiter.model.reply import Reply

_Key = tuple[int, bool]
"""A network, and whether those of it have erred."""


class Waiting(Holder, Protocol):
    """Who asks for a connection."""

    origin: Client
    """From whom its mail comes."""
    patience: Patience
    """How long it can wait."""
    fresh: bool
    """It wants a connection that was just opened: one that lay in the pool has failed it."""

    def takes(self, connection: Connection) -> bool:
        """Tell whether it can be said truly on this connection whose mail this is."""

    def granted(self, connection: Connection) -> None:
        """Hear that the connection is yours, until `Pool.release` or `Pool.drop`."""

    def denied(self, reply: Reply) -> None:
        """Hear that there is none."""

    def rest(self) -> None:
        """Give the connection back: your client is silent."""


class FairQueue:
    """Those who wait, by rank: the connections that their network holds, and above them all those who erred."""

    __slots__ = ("_held", "_limit", "_lines", "_ranks", "_since")

    def __init__(self, limit: int) -> None:
        """Begin with nobody; at most `limit` connections are ever held."""
        self._limit: Final = limit
        self._held: dict[int, int] = {}
        self._lines: dict[_Key, dict[Waiting, None]] = {}
        self._ranks: list[dict[_Key, None]] = [{} for _ in range(2 * limit + 2)]
        self._since: dict[Waiting, float] = {}

    def __len__(self) -> int:
        """Count those who wait."""
        return len(self._since)

    def __iter__(self) -> Iterator[tuple[Waiting, float]]:
        """Give all who wait, and since when."""
        return iter(list(self._since.items()))

    def add(self, waiting: Waiting, now: float) -> None:
        """Let one wait."""
        key = (waiting.origin.network, waiting.origin.erred)
        if key not in self._lines:
            self._lines[key] = {}
            self._ranks[self._rank(*key)][key] = None
        self._lines[key][waiting] = None
        self._since[waiting] = now

    def pop(self) -> Waiting:
        """Take out whoever is served next; networks of one rank take turns."""
        rank = self._ranks[self.first_rank]
        key = next(iter(rank))
        waiting = next(iter(self._lines[key]))
        rank[key] = rank.pop(key)
        self._take_out(key, waiting)
        return waiting

    def discard(self, waiting: Waiting) -> None:
        """Let it wait no more, if it does."""
        if waiting in self._since:
            network = waiting.origin.network
            lines = self._lines
            erred = waiting not in lines.get((network, False), ())
            self._take_out((network, erred), waiting)

    @property
    def since(self) -> float:
        """Since when whoever has waited longest does."""
        return next(iter(self._since.values()))

    @property
    def first_rank(self) -> int:
        """The rank of whoever is served next."""
        return next(number for number, rank in enumerate(self._ranks) if rank)

    def rank_of(self, origin: Client) -> int:
        """The rank that mail of this client has now: what it holds counts against it."""
        return self._rank(origin.network, origin.erred)

    def took(self, network: int) -> None:
        """Note that this network holds one connection more."""
        self._hold(network, 1)

    def gave(self, network: int) -> None:
        """Note that it holds one less."""
        self._hold(network, -1)

    def _hold(self, network: int, change: int) -> None:
        for key in ((network, False), (network, True)):
            if key in self._lines:
                rank = self._rank(*key)
                del self._ranks[rank][key]
                self._ranks[rank + change][key] = None
        held = self._held.get(network, 0) + change
        if held:
            self._held[network] = held
        else:
            del self._held[network]

    def _rank(self, network: int, erred: bool) -> int:  # noqa: FBT001 - the two parts of a key
        return self._held.get(network, 0) + (self._limit + 1 if erred else 0)

    def _take_out(self, key: _Key, waiting: Waiting) -> None:
        del self._since[waiting]
        line = self._lines[key]
        del line[waiting]
        if not line:
            del self._lines[key]
            del self._ranks[self._rank(*key)][key]
