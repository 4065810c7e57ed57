"""What a worker calls to have it remembered: a record, a refusal, a count. Costs microseconds.

A record is encoded once; the line goes to the log and, through the outbox, to the clerk. Counters
are added up here and go along now and then. Neither the disk nor the clerk can make mail wait.
"""

import asyncio
from collections import Counter

from tidewaiter.gateway.record.ids import Ids, WorkerId
from tidewaiter.gateway.record.journal import Journal, encode, logger, tell_faults
from tidewaiter.gateway.record.metrics import DOWN, HOP_STATES, UP
from tidewaiter.gateway.record.outbox import Outbox
from tidewaiter.store.records import Findings, Refusal, Transaction

COUNTER_SECONDS = 1.0
"""How old a counter may be in `/metrics`."""


class HopState:
    """Whether one next hop can be reached, as this worker knows."""

    __slots__ = ("name", "state")

    def __init__(self, name: str) -> None:
        """Take it for up until it is heard of."""
        self.name = name
        self.state = UP
        """One of `metrics.HOP_STATES`."""


class Recorder:
    """One worker's memory; made once, on its loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, process: WorkerId, log: int, clerk: str) -> None:
        """Begin; log lines go to the descriptor `log`, and the clerk, who need not be there, listens at `clerk`."""
        self._loop = loop
        self._journal = Journal(log, loop.call_soon)
        self.log = logger(self._journal, worker=process.number, generation=process.generation)
        """For events that are not about one message: a certificate that expires, a hop that is
        down."""
        tell_faults(loop, self.log)
        self.new_id = Ids(process.column).next
        """Returns an id for a transaction or a refusal."""
        greeting = {"event": "hello", "worker": process.number, "generation": process.generation}
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._next_hops: list[HopState] = []
        self._tells_hops = False
        self._outbox = Outbox(clerk, loop, encode(greeting), self._take_counts)
        self._tick()

    def transaction(self, record: Transaction) -> None:
        """Remember what became of a message: a log line, a row, a count."""
        self._record(record)
        self._counts["transactions", record.outcome] += 1
        self._counts[("received_bytes",)] += record.size
        for kind in record.oddities:
            self._counts["odd_messages", kind] += 1

    def findings(self, record: Findings) -> None:
        """Remember what was found out about an odd message whose transaction is remembered already."""
        self._record(record)

    def refusal(self, record: Refusal) -> None:
        """Remember that a connection, command or recipient was refused, and why."""
        self._record(record)
        self._counts["refusals", record.stage, record.reason] += 1

    def next_hop(self, name: str) -> "HopState":
        """Have it told, from now on, whether this next hop can be reached; whoever knows sets its `state`."""
        hop = HopState(name)
        self._next_hops.append(hop)
        return hop

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Add to a counter of `metrics.COUNTERS`, given its labels in the order listed there."""
        self._counts[(name, *labels)] += by

    def flush(self) -> None:
        """Write what is queued, as far as the log and the clerk take it at once; the last call of a process."""
        self._outbox.flush()
        self._journal.flush()

    async def close(self, seconds: float) -> None:
        """Give the clerk so long to take what is left, and close."""
        self._timer.cancel()
        deadline = self._loop.time() + seconds
        self._outbox.flush()
        while self._outbox.waiting and self._loop.time() < deadline:  # noqa: ASYNC110 - once in a life
            await asyncio.sleep(0.01)
        if lost := self._outbox.close():
            self.log.warning("records dropped", count=lost)
        self._journal.flush()

    def _tick(self) -> None:
        if self._journal.waiting:
            self._journal.flush()
        self._tells_hops = True
        self._outbox.flush()
        self._timer = self._loop.call_later(COUNTER_SECONDS, self._tick)

    def _take_counts(self) -> bytes:
        """Return the counts since the last call as a line, or nothing if there are none.

        With them go the states of all next hops, now and then and not only when one changes: so a clerk that has just
        been started knows them too.
        """
        self._count_lost()
        hops = self._states() if self._tells_hops else {}
        self._tells_hops = False
        if not self._counts and not hops:
            return b""
        counts = [(list(key), value) for key, value in self._counts.items()]
        self._counts.clear()
        return encode({"event": "counts", "counts": counts, "next_hops": hops})

    def _states(self) -> dict[str, str]:
        """Give each next hop's state; where two are asked in different ways, the better one."""
        states: dict[str, str] = {}
        for hop in self._next_hops:
            states[hop.name] = min(hop.state, states.get(hop.name, DOWN), key=HOP_STATES.index)
        return states

    def _count_lost(self) -> None:
        if lost := self._outbox.dropped:
            self._outbox.dropped = 0
            self._counts[("records_dropped",)] += lost
            self.log.warning("records dropped", count=lost)
        if lost := self._journal.dropped_total:
            self._journal.dropped_total = 0
            self._counts[("log_lines_dropped",)] += lost

    def _record(self, record: Transaction | Findings | Refusal) -> None:
        line = encode(record)
        self._journal.write(line)
        self._outbox.put(line)
