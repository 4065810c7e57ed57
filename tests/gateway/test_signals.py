import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tidewaiter.gateway.processes.signals import Signals


@pytest.fixture
def signals() -> Iterator[Signals]:
    taken = Signals()
    yield taken
    taken.close()


def test_a_signal_is_taken_once(signals: Signals) -> None:
    os.kill(os.getpid(), signal.SIGHUP)
    assert signals.take() == [signal.SIGHUP]
    assert signals.take() == []


def test_a_signal_whose_byte_does_not_fit_is_taken_all_the_same(signals: Signals) -> None:
    with suppress(BlockingIOError):
        while True:
            os.write(signals._write_end, bytes(4096))
    os.kill(os.getpid(), signal.SIGTERM)
    assert signals.take() == [signal.SIGTERM]
