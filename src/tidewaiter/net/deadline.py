"""A timer that is moved with every command and fires almost never.

Moving it writes a number; the loop's own timer is made anew only when it comes up too early.
"""

from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable


class Deadline:
    """One thing that is late at most once at a time."""

    __slots__ = ("_at", "_late", "_loop", "_timer")

    def __init__(self, loop: AbstractEventLoop, late: Callable[[], None]) -> None:
        """Call `late` when the time set last has passed."""
        self._loop = loop
        self._late = late
        self._at: float | None = None
        self._timer: TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Be late in `seconds` from now, and not before."""
        at = self._at = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > at:
            self._start(seconds)

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

    def _start(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._come_up)

    def _come_up(self) -> None:
        self._timer = None
        if self._at is None:
            return
        rest = self._at - self._loop.time()
        if rest > 0:
            self._start(rest)
        else:
            self._at = None
            self._late()


def _never() -> None:
    """Nobody waits any more."""
