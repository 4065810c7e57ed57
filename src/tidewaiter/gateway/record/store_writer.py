"""The clerk's thread that writes the record: what comes in within a fifth of a second is one group, and one commit.

A store that is locked, full or gone only makes it try again every second. Meanwhile the clerk
reads no more than it can keep, workers keep 10,000 records each, and mail flows.
"""

import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, NamedTuple

from structlog.typing import FilteringBoundLogger

from tidewaiter.config.settings import Store
from tidewaiter.store.archive import FILE, Archive, ArchiveError
from tidewaiter.store.horizon import SPEED, Horizon
from tidewaiter.store.records import Record

RETRY_SECONDS = 1.0
PRUNE_SECONDS = 60.0
GATHER_SECONDS = 0.2
"""How long a group gathers: a record costs the clerk 38 µs of CPU where 15 share a commit, 14 where 240 do (measured).

What waits is lost by nobody: workers keep what is not on disk, and send it again.
"""

_GROUP_BATCHES = 100
_SLOWLY: Final = {"remedy": f"look at the clock; records are deleted at most {SPEED} times as fast as time passes"}


class Batch(NamedTuple):
    """Records from one worker, and what to call on the loop once they are on disk."""

    records: list[Record]
    done: Callable[[], None]


class StoreWriter:
    """Owns the thread, and the archive in it."""

    def __init__(self, store: Store, loop: AbstractEventLoop, log: FilteringBoundLogger) -> None:
        """Start the thread; the store need not be usable."""
        self._archive = Archive(Path(store.path))
        self._path = str(store.path / FILE)
        self._keep_size = store.keep_size
        self._horizon = Horizon(timedelta(seconds=store.keep_age))
        self._late = False
        """The log has been told that the clock is far ahead of the records."""
        self._loop = loop
        self._log = log
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._leaving = threading.Event()
        self._next_prune = time.monotonic()
        self.trouble: str | None = "not opened yet"
        """Why the store cannot be written, as far as the last attempt tells; None if it can."""
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)
        self._thread.start()

    def take(self, batch: Batch) -> None:
        """Write a batch, after those before it."""
        self._queue.put(batch)

    def close(self) -> None:
        """Write what is queued, if the store takes it at once, and end the thread."""
        self._leaving.set()
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        self._attempt(self._archive.open)
        ending = False
        while not ending:
            group = self._next_group()
            ending = None in group
            self._write([batch for batch in group if batch is not None])
            self._prune_when_due()
        self._archive.close()

    def _next_group(self) -> list[Batch | None]:
        """What is queued, waiting for it until pruning is due, and gathered for a while; None among it is the end."""
        group: list[Batch | None] = []
        try:
            group.append(self._queue.get(timeout=max(0.0, self._next_prune - time.monotonic())))
            self._leaving.wait(GATHER_SECONDS)
            while group[-1] is not None and len(group) < _GROUP_BATCHES:
                group.append(self._queue.get_nowait())
        except Empty:
            pass
        return group

    def _write(self, group: list[Batch]) -> None:
        records = [record for batch in group for record in batch.records]
        while not self._attempt(partial(self._archive.append, records)):
            if self._leaving.wait(RETRY_SECONDS):
                return
        for batch in group:
            self._loop.call_soon_threadsafe(batch.done)

    def _prune_when_due(self) -> None:
        if time.monotonic() >= self._next_prune:
            self._next_prune = time.monotonic() + PRUNE_SECONDS
            self._attempt(self._prune)

    def _prune(self) -> None:
        now = datetime.now(UTC)
        horizon = self._horizon.move(self._archive.oldest(), now, time.monotonic())
        if self._archive.prune(horizon, self._keep_size):
            self._next_prune = time.monotonic() + RETRY_SECONDS  # there may be more
        late = self._horizon.is_behind(now)
        if late and not self._late:
            self._say(partial(self._log.warning, "clock is far ahead of the records", **_SLOWLY))
        self._late = late

    def _attempt(self, work: Callable[[], None]) -> bool:
        """Do it and say whether it went well; each change between well and ill is a log line."""
        try:
            work()
        except ArchiveError as error:
            if str(error) != self.trouble:
                self._say(partial(self._log.error, "store cannot be written", path=self._path, reason=str(error)))
            self.trouble = str(error)
            return False
        except Exception as error:  # noqa: BLE001 - another try would end the same; without a thread nothing is written
            self._say(partial(self._log.error, "fault", reason="given up by the store", exc_info=error))
            return True
        if self.trouble is not None:
            self._say(partial(self._log.info, "store can be written"))
        self.trouble = None
        return True

    def _say(self, line: Callable[[], object]) -> None:
        """Log from the loop's thread, which the journal belongs to."""
        self._loop.call_soon_threadsafe(line)
