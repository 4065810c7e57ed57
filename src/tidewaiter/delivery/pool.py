"""The connections to one next hop: how many there may be, who has one, who waits for one.

The rules it keeps:

- A connection comes back only with no reply outstanding and no byte unread (`wire.Client.idle`), else it is closed.
- Who waits is served in order, and hears 451 after `wait` seconds.
- A transaction whose client is silent loses its connection: after `silent` seconds, and after `STEAL_SECONDS` when
  somebody waits. Else a few clients that never go on would keep all others from the next hop.
- A hop that failed is left alone for as long as the failure took, and for `DOWN_SECONDS` at least; who asks meanwhile
  hears so at once, and may try another. Else each client would wait anew for a hop that does not answer.
- A hop that refuses one more while it keeps others is full, not down: those serve all who wait, and more are tried
  behind `FULL_SECONDS`. Exim of default size takes 20 in all, whoever they come from.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from tidewaiter.config.settings import Xclient
from tidewaiter.delivery.connection import Connection, Holder
from tidewaiter.delivery.target import OpeningError, Target, open_connection
from tidewaiter.model.reply import Reply
from tidewaiter.net.deadline import Watch
from tidewaiter.wire import Offers

DOWN_SECONDS: Final = 1.0
FULL_SECONDS: Final = 10.0
"""Seldom enough for its log, where each refusal is a line."""
STEAL_SECONDS: Final = 0.05
"""Above what an honest client takes between two commands of a group, below what a waiting one would notice."""
TICK_SECONDS: Final = 1.0

NO_CONNECTION: Final = Reply(451, "4.4.5", ("All connections to the next hop are busy, come again",))
DOWN: Final = Reply(451, "4.4.1", ("The next hop does not answer, come again",))


class Waiting(Holder, Protocol):
    """Who asks for a connection."""

    def granted(self, connection: Connection) -> None:
        """Hear that the connection is yours, until `Pool.release` or `Pool.drop`."""

    def denied(self, reply: Reply) -> None:
        """Hear that there is none."""

    def rest(self) -> None:
        """Give the connection back: your client is silent."""


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """How many, and how long; seconds."""

    connections: int
    idle: float
    wait: float
    silent: float
    xclient: Xclient


class Pool:
    """The connections of one worker to one next hop."""

    def __init__(self, target: Target, terms: PoolTerms, watch: Watch, heard: Callable[[str, int], None]) -> None:
        """Start with none.

        `heard` hears of each attempt to open one: why it failed, or nothing where it did not; and how many there are.
        """
        self._heard = heard
        self.target = target
        self.terms = terms
        self._watch = watch
        self._loop = watch.loop
        self.offers: Offers | None = None
        """What the next hop offered in its last answer to EHLO."""
        self._open = 0
        self._opening: dict[asyncio.Task[Connection], float] = {}
        """Since when, in loop time."""
        self._idle: list[Connection] = []
        self._waiting: deque[tuple[float, Waiting]] = deque()
        self._silent: dict[Waiting, float] = {}
        self._down_until = self._full_until = 0.0
        self._closed = False
        self._stealing: asyncio.TimerHandle | None = None
        self._ticking = watch.loop.call_later(TICK_SECONDS, self._tick)

    async def learn(self) -> None:
        """Open a connection to learn what the next hop offers; come back when it has said so, or has failed."""
        self._open_one()
        await asyncio.wait(self._opening)

    def ask(self, waiting: Waiting) -> None:
        """Grant a connection now or later, or deny it."""
        while self._idle:
            connection = self._idle.pop()
            if connection.alive:
                self._grant(connection, waiting)
                return
            self._open -= 1
        now = self._loop.time()
        if now < self._down_until and not self._open:
            waiting.denied(DOWN)
            return
        self._waiting.append((now + self.terms.wait, waiting))
        self._serve()

    def withdraw(self, waiting: Waiting) -> None:
        """Ask no more."""
        self._waiting = deque(entry for entry in self._waiting if entry[1] is not waiting)

    def release(self, connection: Connection) -> None:
        """Take a connection back, if it is fit for another."""
        connection.holder = None
        if self._closed or not connection.alive or not connection.client.idle:
            self.drop(connection)
            return
        connection.used = True
        if self._waiting:
            self._grant(connection, self._waiting.popleft()[1])
        else:
            connection.idle_since = self._loop.time()
            self._idle.append(connection)

    def adopt(self, connection: Connection) -> None:
        """Take in a connection that has just been opened."""
        self._open += 1
        if connection.client.offers != self.offers:
            # An equal one stays the one that it was: listeners compare it for each client, and at once where it is.
            self.offers = connection.client.offers
        self._heard("", self._held)
        self.release(connection)

    def drop(self, connection: Connection) -> None:
        """Count a connection out, closing it if it still lives."""
        connection.close()
        self._open -= 1
        self._serve()

    def silent(self, waiting: Waiting) -> None:
        """Note that this transaction now waits for its client; its connection may be wanted back."""
        self._silent[waiting] = self._loop.time()

    def busy(self, waiting: Waiting) -> None:
        """Note that it goes on."""
        self._silent.pop(waiting, None)

    def close(self) -> None:
        """Let go of what is idle; what is lent is closed when it comes back."""
        self._closed = True
        self._ticking.cancel()
        for task in self._opening:
            task.cancel()
        if self._stealing is not None:
            self._stealing.cancel()
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    @property
    def _held(self) -> int:
        """Connections that are open, lent or not."""
        return self._open - len(self._opening)

    def _grant(self, connection: Connection, waiting: Waiting) -> None:
        connection.holder = waiting
        waiting.granted(connection)

    def _serve(self) -> None:
        """Open connections for those who wait, as many as are allowed; else take back those of silent clients."""
        # Once those that it kept are gone, a hop that was full is one like any other.
        now, after = self._loop.time(), max(self._down_until, self._full_until if self._held else 0.0)
        if now >= after and not self._closed:
            while len(self._waiting) > len(self._opening) and self._open < self.terms.connections:
                self._open_one()
        if len(self._waiting) > len(self._opening) and self._stealing is None:
            self._stealing = self._loop.call_later(STEAL_SECONDS, self._steal)

    def _open_one(self) -> None:
        self._open += 1
        task = self._loop.create_task(open_connection(self.target, self._watch))
        self._opening[task] = self._loop.time()
        task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[Connection]) -> None:
        since = self._opening.pop(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._open -= 1
            self.adopt(task.result())
            return
        self._fail(str(error), self._loop.time() - since)
        if not isinstance(error, OpeningError):
            raise error

    def _fail(self, reason: str, seconds: float) -> None:
        self._open -= 1
        self._heard(reason, self._held)
        if self._held:
            self._full_until = self._loop.time() + FULL_SECONDS
        else:
            self._down_until = self._loop.time() + max(DOWN_SECONDS, seconds)
        if not self._open:
            waiting, self._waiting = self._waiting, deque()
            for _, each in waiting:
                each.denied(DOWN)

    def _steal(self) -> None:
        self._stealing = None
        before = self._loop.time() - STEAL_SECONDS
        for _ in range(len(self._waiting) - len(self._opening)):
            if not self._take_back(before):
                break
        self._serve()

    def _take_back(self, before: float) -> bool:
        """Take back the connection of whoever has been silent longest, if since `before`."""
        for silent, since in self._silent.items():
            if since <= before:
                del self._silent[silent]
                silent.rest()
                return True
            break
        return False

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(TICK_SECONDS, self._tick)
        now = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now:
            self._waiting.popleft()[1].denied(NO_CONNECTION)
        while self._take_back(now - self.terms.silent):
            pass
        self._sweep(now - self.terms.idle)
        self._serve()

    def _sweep(self, before: float) -> None:
        """Close what has been idle for long; those used last stand at the end."""
        kept = []
        for connection in self._idle:
            if connection.alive and connection.idle_since > before:
                kept.append(connection)
            else:
                connection.close()
                self._open -= 1
        self._idle = kept
