"""A timer that is moved with every command and fires almost never.

Moving it writes a number; the loop's own timer is made anew only when it comes up too early.
"""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from math import inf
from typing import Final

LOOK_SECONDS: Final = 30.0
"""A timer comes up no later, if only to look: else the shorter of two long waits would need another timer."""


class Deadline:
    """One thing that is late at most once at a time."""

    __slots__ = ("_at", "_due", "_late", "_loop", "_timer")

    def __init__(self, loop: AbstractEventLoop, late: Callable[[], None]) -> None:
        """Call `late` when the time set last has passed."""
        self._loop = loop
        self._late = late
        self._at: float | None = None
        self._timer: TimerHandle | None = None
        self._due = inf
        """When the timer comes up."""

    def set(self, seconds: float) -> None:
        """Be late in `seconds` from now, and not before."""
        now = self._loop.time()
        at = self._at = now + seconds
        if at < self._due:
            self._start(now, seconds)

    def clear(self) -> None:
        """Be never late, until set again."""
        self._at = None

    def close(self) -> None:
        """Let go of the timer and of whoever waits, who holds us: a circle would outlive the connection."""
        self._at = None
        self._late = _never
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, now: float, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        sooner = min(seconds, LOOK_SECONDS)
        self._due = now + sooner
        self._timer = self._loop.call_later(sooner, self._come_up)

    def _come_up(self) -> None:
        self._timer = None
        self._due = inf
        if self._at is None:
            return
        now = self._loop.time()
        rest = self._at - now
        if rest > 0:
            self._start(now, rest)
        else:
            self._at = None
            self._late()


def _never() -> None:
    """Nobody waits any more."""
