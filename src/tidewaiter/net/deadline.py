"""Deadlines: they are moved with every command, and almost none ever passes.

A timer of the loop's own for each would cost more than all else that is done about it. So the deadlines of one loop
share a `Watch`, which looks now and then at those that may have passed: to move one further writes a number.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from math import inf
from typing import Final

LOOK_SECONDS: Final = 0.1
"""Between two looks. A deadline comes up within three of them behind its time, and not before it: one until the look
that it counts from, one until the number that is judged, one until that look."""
_NEVER: Final = 1 << 60
"""The look at a deadline that is not looked at."""


class Watch:
    """Looks after the deadlines of one loop; while there is none, nothing wakes it."""

    __slots__ = ("_due", "_looking", "_next", "loop", "soon")

    def __init__(self, loop: AbstractEventLoop) -> None:
        """Begin with none."""
        self.loop = loop
        self.soon = inf
        """Loop time of the next look, from which deadlines count: else each would have to ask what time it is."""
        self._due: dict[int, set[Deadline]] = {}
        """By the number of the look at which they are judged."""
        self._looking = False
        self._next = 0

    def add(self, deadline: "Deadline", at: float) -> None:
        """Judge `deadline` at the first look behind `at`."""
        self.begin()
        number = deadline.look = int(at / LOOK_SECONDS) + 1
        self._due.setdefault(number, set()).add(deadline)

    def remove(self, deadline: "Deadline") -> None:
        """Judge it no more."""
        due = self._due.get(deadline.look)
        if due is not None:
            due.discard(deadline)
            if not due:
                del self._due[deadline.look]
        deadline.look = _NEVER

    def begin(self) -> float:
        """Look from now on, unless it does so already; give `soon`."""
        if not self._looking:
            self._looking = True
            self._go_on(self.loop.time())
        return self.soon

    def _go_on(self, now: float) -> None:
        self._next = int(now / LOOK_SECONDS) + 1
        self.soon = now + LOOK_SECONDS
        self.loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        first, now = self._next, self.loop.time()
        if not self._due:
            self._looking = False
            return
        self._go_on(now)
        for number in range(first, self._next):
            for deadline in self._due.pop(number, ()):
                deadline.look = _NEVER
                # Apart, so that one that fails takes no other with it.
                self.loop.call_soon(deadline.judge)


class Deadline:
    """One thing that is late at most once at a time."""

    __slots__ = ("_at", "_late", "_watch", "look")

    def __init__(self, watch: Watch, late: Callable[[], None]) -> None:
        """Call `late` when the time set last has passed."""
        self._watch = watch
        self._late = late
        self._at = inf
        self.look = _NEVER
        """The number of the look at which it is judged."""

    def set(self, seconds: float) -> None:
        """Be late in `seconds` from now, and not before."""
        watch = self._watch
        at = self._at = (watch.soon if self.look != _NEVER else watch.begin()) + seconds
        if at < self.look * LOOK_SECONDS - LOOK_SECONDS:
            watch.remove(self)
            watch.add(self, at)

    def hurry(self, seconds: float) -> None:
        """Be late in `seconds` from now, unless it is sooner, or never."""
        if self._watch.begin() + seconds < self._at < inf:
            self.set(seconds)

    def clear(self) -> None:
        """Be never late, until set again."""
        self._at = inf

    def judge(self) -> None:
        """Be late, or be looked at again when that may be."""
        if self._at <= self._watch.soon - LOOK_SECONDS:
            self._late()
        elif self._at < inf and self.look == _NEVER:
            self._watch.add(self, self._at)

    def close(self) -> None:
        """Let go of the watch and of whoever waits, who holds us: a circle would outlive the connection."""
        self._at = inf
        self._watch.remove(self)
        self._late = _never


def _never() -> None:
    """Nobody waits any more."""
