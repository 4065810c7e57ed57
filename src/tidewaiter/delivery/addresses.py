"""The addresses of one next hop's name, in the order in which they are tried."""

from collections.abc import Iterable
from math import inf
from typing import Final

AVOIDED_SECONDS: Final = 300.0
"""How long an address that failed a message is tried behind the others."""


class Addresses:
    """What one worker remembers of them; all times are loop time."""

    __slots__ = ("_count", "_failed", "last")

    def __init__(self) -> None:
        """Know none."""
        self._count = 0
        self._failed: dict[str, float] = {}
        """When each failed a message: it had answered EHLO, and then no recipient was accepted."""
        self.last = ""
        """That of the last connection that stood."""

    def in_order(self, found: Iterable[str], now: float) -> list[str]:
        """Put them in order: the last that stood, the others, then those that failed lately, oldest first."""
        addresses = list(dict.fromkeys(found))
        self._count = len(addresses)
        self._failed = {
            each: at for each, at in self._failed.items() if each in addresses and now - at < AVOIDED_SECONDS
        }
        return sorted(addresses, key=lambda each: (self._failed.get(each, -inf), each != self.last))

    def failed(self, address: str, now: float) -> None:
        """Note that a connection to it failed a message before the first accepted recipient."""
        self._failed[address] = now

    @property
    def more(self) -> int:
        """How often what failed is tried anew before a recipient was accepted: once, or at each other address."""
        return max(1, self._count - 1)

    def shares(self, tries: int, *, used: bool) -> int:
        """Divide the time that is left among this try and those that may follow."""
        return max(1, self.more - tries + 1) if used or self._count > 1 else 1
