"""Up to when are records deleted for their age?  Up to `age` before now, but no faster than time could make it so.

A clock that jumps a year ahead makes every record too old at once. So the horizon begins at the oldest record there
is, and moves `SPEED` times as fast as the monotonic clock, up to where the wall clock wants it and never back: a month
is gone in 30 hours at the soonest, time enough to see the log's line and set the clock. Where the store has nothing
for as long as `age` (what was written before a clock without a battery was set), there is nothing to spare.
The size that a store may have does not ask what time it is.
"""

from datetime import datetime, timedelta
from typing import Final

SPEED: Final = 24
"""At most the records of so many hours are deleted for their age in one hour."""


class Horizon:
    """Moved by one thread."""

    def __init__(self, age: timedelta) -> None:
        """Begin nowhere; the first record that it is told of is where it starts."""
        self._age = age
        self._at: datetime | None = None
        self._moved = 0.0

    def move(self, oldest: datetime | None, now: datetime, monotonic: float) -> datetime:
        """Move it, and give up to when records are deleted."""
        wanted = now - self._age
        if oldest is None:
            return wanted
        if self._at is None:
            self._at, self._moved = min(oldest, wanted), monotonic
        step = SPEED * timedelta(seconds=monotonic - self._moved)
        self._moved = monotonic
        start = max(self._at, oldest - self._age)
        self._at = max(start, min(wanted, start + step))
        return min(self._at, wanted)

    def is_behind(self, now: datetime) -> bool:
        """Tell whether the clock is more than a day ahead of it: the clock has jumped, or we were away for long."""
        return self._at is not None and now - self._age - self._at > timedelta(days=1)
