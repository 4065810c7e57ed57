"""Who sends much takes turns, so that who sends little is not kept waiting by many who send much.

A loop serves all sockets that have something to read before it looks again.
Fifty clients with a large block each would make every command of the others wait for fifty large blocks.
"""

import asyncio
from collections import deque
from typing import Final, Protocol

LARGE: Final = 32 * 1024
"""Octets read at once: a block of a large message, never a command."""
AT_ONCE: Final = 2
"""Large blocks in one turn of the loop; each takes a millisecond or two."""


class Taker(Protocol):
    """A client that has just sent a large block."""

    def go_on(self) -> None:
        """Read again."""


class Turns:
    """One worker's."""

    __slots__ = ("_loop", "_taken", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin with nobody waiting."""
        self._loop = loop
        self._taken = 0
        self._waiting: deque[Taker] = deque()

    def must_wait(self, taker: Taker) -> bool:
        """Tell whether `taker`, who has had a turn just now, is to read no more until it is called."""
        if not self._taken and not self._waiting:
            self._loop.call_soon(self._next)
        self._taken += 1
        if self._taken <= AT_ONCE and not self._waiting:
            return False
        self._waiting.append(taker)
        return True

    def _next(self) -> None:
        self._taken = 0
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._waiting.popleft().go_on()
        if self._waiting:
            self._loop.call_soon(self._next)
