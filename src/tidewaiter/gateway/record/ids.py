"""Names for transactions and refusals: unique across workers and restarts, sorted by time.

Twenty hexadecimal digits: 12 of milliseconds since 1970, 2 of the process's column, 6 that begin
at random and count up, so that a clock set back does not give an id twice in practice.
"""

import secrets
import time
from collections.abc import Callable
from typing import NamedTuple

_COUNTS = 1 << 24


class WorkerId(NamedTuple):
    """Which of all worker processes it is."""

    number: int
    """From 0; a worker started in place of a dead one has its number."""
    generation: int
    """1 for the first reading of the configuration, one more with every reload."""
    column: int
    """No two living processes have the same."""


class Ids:
    """Gives the ids of one process."""

    def __init__(self, column: int, now: Callable[[], float] = time.time) -> None:
        """Begin at a random count; no two living processes have the same column."""
        self._column = column
        self._now = now
        self._count = secrets.randbelow(_COUNTS)

    def next(self) -> str:
        """Return a new id."""
        self._count = (self._count + 1) % _COUNTS
        return "%012x%02x%06x" % (int(self._now() * 1000), self._column, self._count)  # noqa: UP031 - a third of the time
