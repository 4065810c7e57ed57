"""What does a child say that cannot live?  A line in the log: nobody reads its standard error."""

from collections.abc import Iterator
from contextlib import contextmanager

from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.record.journal import Journal, call_now, logger
from tidewaiter.store.told import told


@contextmanager
def last_words(handover: Handover, **who: object) -> Iterator[None]:
    """Log why the process ends, where it ends by an exception; the exit code is 1."""
    try:
        yield
    except Exception as error:
        log = logger(Journal(handover.log, call_now), generation=handover.generation, **who)
        log.error("process fails", **told(error), exc_info=error)  # noqa: TRY400 - the same, as the journal takes it
        raise SystemExit(1) from error
