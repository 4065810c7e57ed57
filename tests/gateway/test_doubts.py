import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidewaiter.gateway.processes import doubts
from tidewaiter.gateway.processes.doubts import SLOTS, Doubts

COLUMNS = 3


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    state = os.open(tmp_path, os.O_RDONLY)
    opened = doubts.create(state, COLUMNS)
    yield opened
    os.close(opened)
    os.close(state)


def test_a_survivor_names_what_was_in_doubt_and_only_that(descriptor: int) -> None:
    with Doubts(descriptor, 1) as dead, Doubts(descriptor, 2) as other, Doubts(descriptor, 0) as survivor:
        ended = dead.begin("aa")
        dead.begin("bb")
        dead.end(ended)
        other.begin("cc")
        assert survivor.take(1) == ["bb"]
        assert survivor.take(1) == [], "named once"
        assert survivor.take_all() == ["cc"]


def test_a_slot_is_used_again_and_never_mixes_two_ids(descriptor: int) -> None:
    with Doubts(descriptor, 0) as own:
        for name in ("0123456789abcdef0123456789abcde", "x", "yz"):
            slot = own.begin(name)
            assert own.take(0) == [name]
            own.end(slot)
        assert own.take(0) == []


def test_more_than_there_are_slots_are_counted_and_harm_nobody(descriptor: int) -> None:
    with Doubts(descriptor, 1) as own, Doubts(descriptor, 2) as neighbour:
        slots = [own.begin(f"{number:020x}") for number in range(SLOTS + 2)]
        assert own.overflow == 2
        assert neighbour.take(2) == []
        for slot in slots:
            own.end(slot)
        assert own.take(1) == []
        assert own.begin("again") >= 0


KILLED = """
import os, sys
from tidewaiter.gateway.processes.doubts import Doubts
own = Doubts(int(sys.argv[1]), 1)
print("ready", flush=True)
while True:
    own.end(own.begin("0123456789abcdef0123"))
"""


def test_a_kill_at_any_moment_leaves_a_whole_id_or_none(descriptor: int) -> None:
    with Doubts(descriptor, 0) as survivor:
        for _ in range(5):
            command = [sys.executable, "-c", KILLED, str(descriptor)]
            with subprocess.Popen(command, pass_fds=[descriptor], stdout=subprocess.PIPE) as process:
                assert process.stdout is not None
                process.stdout.readline()
                process.send_signal(signal.SIGKILL)
            assert survivor.take(1) in ([], ["0123456789abcdef0123"])


def test_doubts_outlive_the_processes_and_a_smaller_family(tmp_path: Path) -> None:
    state = os.open(tmp_path, os.O_RDONLY)
    first = doubts.create(state, COLUMNS)
    with Doubts(first, COLUMNS - 1) as last:
        last.begin("left")
    os.close(first)
    second = doubts.create(state, 1)
    with Doubts(second, 0) as survivor:
        assert survivor.take_all() == ["left"]
    os.close(second)
    os.close(state)
