"""The connections to one next hop: how many there may be, who has one, who waits for one.

The rules it keeps:

- A connection comes back only with no reply outstanding and no byte unread (`wire.Client.idle`), else it is closed.
- One that is bound to a client (`Connection.bound`) serves nobody else: rather than wait, another is opened.
- Who waits is served in the order of `queue`, and hears 451 after `wait` seconds; where no connection stands and the
  hop says nothing, whoever could ask another hop does so after `Patience.opening`.
- A transaction whose client is silent loses its connection: after `silent` seconds, and after `STEAL_SECONDS` when
  somebody waits. Else a few clients that never go on would keep all others from the next hop.
- So does one whose client has just been answered, where its network holds more than that of whoever is served next, or
  it has held the connection for `TURN_SECONDS`. Else those who always go on would.
- An opening that hangs serves nobody, and keeps nobody from what others give back.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Final

from tidewaiter.config.settings import HopTls, Xclient
from tidewaiter.delivery.addresses import Addresses
from tidewaiter.delivery.condition import Condition, News
from tidewaiter.delivery.connection import Connection
from tidewaiter.delivery.opening import HandshakeError, OpeningError, TlsError, open_connection
from tidewaiter.delivery.queue import FairQueue, Waiting
from tidewaiter.delivery.resting import Resting
from tidewaiter.delivery.target import Target
from tidewaiter.model.reply import Reply
from tidewaiter.net.deadline import Watch

STEAL_SECONDS: Final = 0.05
"""Above what an honest client takes between two commands of a group, below what a waiting one would notice."""
TURN_SECONDS: Final = 0.5
"""Above what an honest envelope takes from its first recipient to its last."""
SLOW_SECONDS: Final = 0.5
"""An opening that has taken so long is not counted on: openings of honest hops take milliseconds."""
HANG_SECONDS: Final = 3.0
"""Of one that has taken so long, the log says that it hangs."""
HUNG: Final = 2
"""Openings that hang, at most, beside those that are counted on: a hop that does not answer is not pestered."""
BOUND_SECONDS: Final = 5.0
"""How long a connection that is bound to a client is kept for its next message."""
TICK_SECONDS: Final = 1.0

NO_CONNECTION: Final = Reply(451, "4.4.5", ("All connections to the next hop are busy, come again",))
DOWN: Final = Reply(451, "4.4.1", ("The next hop does not answer, come again",))


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

    def __init__(self, target: Target, terms: PoolTerms, watch: Watch, news: News) -> None:
        """Start with none; `news` hears how the hop does."""
        self.target = target
        self.terms = terms
        self.news = news
        self.condition = Condition(news)
        self._watch = watch
        self._loop = watch.loop
        self._open = 0
        """Connections that stand, lent or not, and those that are being opened."""
        self._opening: dict[asyncio.Task[Connection], float] = {}
        """Since when, in loop time."""
        self._idle: list[Connection] = []
        self._queue = FairQueue(terms.connections)
        self._fresh: dict[Waiting, float] = {}
        """Those who wait for a connection that was just opened, and since when."""
        self._silent: dict[Waiting, float] = {}
        self.addresses = Addresses()
        self._told: asyncio.Task[Connection] | None = None
        """The last opening of which was said that it hangs."""
        self._closed = False
        self._stealing: asyncio.TimerHandle | None = None
        self._ticking = watch.loop.call_later(TICK_SECONDS, self._tick)

    async def learn(self) -> None:
        """Open a connection to learn what the next hop offers; come back when it has said so, or has failed."""
        self._open_one()
        while self._opening and self.condition.offers is None:
            await asyncio.wait(self._opening)

    def ask(self, waiting: Waiting) -> None:
        """Grant a connection now or later, or deny it."""
        now = self._loop.time()
        if not waiting.fresh and (connection := self._take_idle(waiting)) is not None:
            self._grant(connection, waiting, now)
        elif not self._held and (now < self.condition.down_until or self._hangs(now) > waiting.patience.opening):
            waiting.denied(DOWN)
        else:
            if waiting.fresh:
                self._fresh[waiting] = now
            else:
                self._queue.add(waiting, now)
            self._serve(now)

    def withdraw(self, waiting: Waiting) -> None:
        """Ask no more."""
        self._fresh.pop(waiting, None)
        self._queue.discard(waiting)

    def release(self, connection: Connection) -> None:
        """Take a connection back, if it is fit for another."""
        self.let_go(connection)
        if self._closed or not connection.alive or not connection.client.idle:
            self._count_out(connection)
        elif connection.bound and self.wanted:
            self._count_out(connection)  # those who wait cannot have it: its place is for one that they can
        elif len(self._queue):
            self._grant(connection, self._queue.pop(), self._loop.time())
        else:
            connection.used = True
            connection.idle_since = self._loop.time()
            connection.holder = Resting(connection, self.forget)
            self._idle.append(connection)
            if self._fresh:
                self._serve(connection.idle_since)

    def adopt(self, connection: Connection) -> None:
        """Take in a connection that has just been opened."""
        now = self._loop.time()
        self._open += 1
        self.addresses.last = connection.address
        self.condition.opened(connection.client.offers, self._held, now)
        if self._fresh and not self._closed and connection.client.idle:
            waiting = next(iter(self._fresh))
            del self._fresh[waiting]
            self._grant(connection, waiting, now)
        else:
            self.release(connection)

    def let_go(self, connection: Connection) -> None:
        """Count it no more against the network whose mail was on it."""
        connection.holder = None
        if connection.network is not None:
            self._queue.gave(connection.network)
            connection.network = None

    def drop(self, connection: Connection) -> None:
        """Count a connection out, closing it if it still lives."""
        self.let_go(connection)
        self._count_out(connection)

    def silent(self, waiting: Waiting, connection: Connection) -> None:
        """Note that this transaction now waits for its client; its connection may be wanted back, and at once."""
        now = self._loop.time()
        self._silent[waiting] = now
        if len(self._queue) and self._must_yield(waiting, now - connection.held_since):
            del self._silent[waiting]
            waiting.rest()

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
        for connection in list(self._idle):
            connection.holder = None
            self._count_out(connection)
        self._idle.clear()
        self._deny_all()

    def forget(self, connection: Connection) -> None:
        """Count out an idle connection that is gone."""
        if connection in self._idle:
            self._idle.remove(connection)
            self._count_out(connection)

    @property
    def now(self) -> float:
        """Loop time."""
        return self._loop.time()

    @property
    def wanted(self) -> bool:
        """Somebody waits for a connection."""
        return bool(self._fresh) or len(self._queue) > 0

    @property
    def _held(self) -> int:
        """Connections that stand, lent or not."""
        return self._open - len(self._opening)

    # Who gets what stands.

    def _take_idle(self, waiting: Waiting) -> Connection | None:
        """Take the connection that was used last, of those that may serve this one."""
        for number in range(len(self._idle) - 1, -1, -1):
            if waiting.takes(self._idle[number]):
                return self._idle.pop(number)
        return None

    def _grant(self, connection: Connection, waiting: Waiting, now: float) -> None:
        connection.holder = waiting
        connection.held_since = now
        connection.network = waiting.origin.network
        self._queue.took(connection.network)
        connection.run(waiting.granted, connection)

    def _count_out(self, connection: Connection) -> None:
        connection.close()
        self._open -= 1
        if not self._closed:
            self._serve(self._loop.time())

    def _must_yield(self, waiting: Waiting, seconds: float) -> bool:
        """Tell whether somebody who waits has more right to the connection that this one has held for so long."""
        first, mine = self._queue.first_rank, self._queue.rank_of(waiting.origin)
        return mine > first + 1 or (seconds > TURN_SECONDS and mine >= first)

    def _steal(self) -> None:
        self._stealing = None
        now = self._loop.time()
        unserved = self._unserved(now)
        if unserved <= 0 and len(self._queue) and now - self._queue.since >= SLOW_SECONDS:
            unserved = 1  # a connection was on its way, and is not there
        for _ in range(unserved):
            if not self._take_back(now - STEAL_SECONDS):
                break
        self._serve(now)

    def _take_back(self, before: float) -> bool:
        """Take back the connection of whoever has been silent longest, if since `before`."""
        for silent, since in self._silent.items():
            if since <= before:
                del self._silent[silent]
                silent.rest()
                return True
            break
        return False

    def _deny(self, waiting: Waiting, reply: Reply) -> None:
        """Say no; that one fails to hear it does not keep the others from hearing it."""
        self.withdraw(waiting)
        try:
            waiting.denied(reply)
        except Exception as error:  # noqa: BLE001 - told as a fault, whatever it is
            self._loop.call_exception_handler({"message": "a transaction failed", "exception": error})

    def _deny_all(self) -> None:
        for waiting in [*self._fresh, *(each for each, _ in self._queue)]:
            self._deny(waiting, DOWN)

    # How connections are opened.

    def _serve(self, now: float) -> None:
        """Open connections for those who wait, as many as are allowed; soon take back those of silent clients."""
        if self._closed:
            return
        if len(self._queue) and self._stealing is None:
            self._stealing = self._loop.call_later(STEAL_SECONDS, self._steal)
        if (unserved := self._unserved(now)) <= 0:
            return
        # Once those that it kept are gone, a hop that was full is one like any other.
        after = max(self.condition.down_until, self.condition.full_until if self._held else 0.0)
        if now >= after:
            hung = len(self._opening) - self._young(now)
            while unserved > 0 and hung < HUNG + 1 and self._has_place():
                self._open_one()
                unserved -= 1

    def _unserved(self, now: float) -> int:
        """Count those who wait and for whom no connection is on its way."""
        return len(self._queue) + len(self._fresh) - self._young(now)

    def _young(self, now: float) -> int:
        """Count the openings that are counted on."""
        return sum(now - since < SLOW_SECONDS for since in self._opening.values())

    def _hangs(self, now: float) -> float:
        """For how long the oldest opening has hung; 0 where there is none."""
        return now - next(iter(self._opening.values()), now)

    def _has_place(self) -> bool:
        """Tell whether one more may be opened; what lies idle serves nobody who waits, and makes place."""
        if self._open >= self.terms.connections and self._idle:
            connection = self._idle.pop(0)
            connection.holder = None
            connection.close()
            self._open -= 1
        return self._open < self.terms.connections

    def _open_one(self) -> None:
        self._open += 1
        now = self._loop.time()
        plain = self.target.tls is HopTls.MAY and self.condition.plain(now)
        opening: Coroutine[None, None, Connection] = open_connection(
            self.target, self._watch, plain=plain, known=self.addresses, troubled=self.news.troubled
        )
        task = self._loop.create_task(opening)
        self._opening[task] = now
        task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[Connection]) -> None:
        now, since = self._loop.time(), self._opening.pop(task)
        if task.cancelled():
            self._open -= 1
            return
        error = task.exception()
        self._open -= 1
        if error is None:
            self.adopt(task.result())
            return
        if isinstance(error, TlsError | HandshakeError):
            self.news.tls_failed()
        if isinstance(error, TlsError) and self.target.tls is HopTls.MAY and not self._closed:
            self.condition.without_tls(str(error), now)
            self._open_one()
        else:
            self._failed(str(error), now - since, now)
        if not isinstance(error, OpeningError):
            raise error

    def _failed(self, reason: str, seconds: float, now: float) -> None:
        self.condition.failed(reason, seconds, self._held, now)
        if not self._open:
            self._deny_all()
            return
        fresh, self._fresh = list(self._fresh), {}
        for waiting in fresh:
            waiting.fresh = False  # there is no other, so one that stands has to do
            self.ask(waiting)

    # What time brings.

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(TICK_SECONDS, self._tick)
        now = self._loop.time()
        self._end_waits(now)
        while self._take_back(now - self.terms.silent):
            pass
        self._sweep(now)
        self._tell_of_hanging(now)
        if not self._open and self.condition.wants_a_try(now):
            self._open_one()
        self._serve(now)

    def _end_waits(self, now: float) -> None:
        """Deny those who have waited long enough."""
        hangs = not self._held and self._opening
        for waiting, since in [*self._fresh.items(), *self._queue]:
            patience = waiting.patience
            if hangs and now - since >= patience.opening:
                self._deny(waiting, DOWN)
            elif now - since >= min(self.terms.wait, patience.answer):
                self._deny(waiting, NO_CONNECTION)

    def _tell_of_hanging(self, now: float) -> None:
        """Say once of an opening that hangs that it does."""
        oldest = next(iter(self._opening), None)
        if oldest is not None and oldest is not self._told and self._hangs(now) >= HANG_SECONDS:
            self._told = oldest
            self.condition.hangs(self._hangs(now), self._held, now)

    def _sweep(self, now: float) -> None:
        """Close what has been idle for long."""
        for connection in list(self._idle):
            longest = min(self.terms.idle, BOUND_SECONDS) if connection.bound else self.terms.idle
            if now - connection.idle_since >= longest:
                connection.holder = None
                self._idle.remove(connection)
                self._count_out(connection)
