"""Kills, reloads and restarts under load, with the gateway as `tidewaiter run` starts it (promise 4)."""

import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gateway.family import CONFIGURATION, Family
from tests.gateway.load import Load, Memory, delivered

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

Count = Callable[[str, int, int], int]
CLIENTS = 6
RUN = [sys.executable, "-m", "tidewaiter", "run", "--config"]


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """An address that is ours across restarts: bound here too, and never listened on."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()


@pytest.fixture
def family(tmp_path: Path, address: tuple[str, int]) -> Family:
    """A gateway before a Maildir, not started yet."""
    text = CONFIGURATION.format(workers="")
    (tmp_path / "tidewaiter.toml").write_text(text.replace('"127.0.0.1:0"\nrole', f'"127.0.0.1:{address[1]}"\nrole'))
    return Family(tmp_path, command=RUN)


@pytest.fixture
def load(address: tuple[str, int]) -> Iterator[Load]:
    """Clients that send mail from `start` to `stop`."""
    made = Load(address, CLIENTS)
    yield made
    made.give_up()


def judge(family: Family, memory: Memory) -> None:
    """Promise 4, and at most what RFC 1047 cannot spare anyone: one more for each reply that never came, by name."""
    found = delivered(family.folder / "mail")
    assert [event for event in family.events if event["event"] == "fault"] == []
    assert memory.acknowledged, "there was no load"
    assert memory.acknowledged - set(found) == set(), "acknowledged and lost"
    doubled = {name: copies for name, copies in found.items() if len(copies) > 1}
    assert {name for name, copies in doubled.items() if len(copies) > 1 + memory.unanswered[name]} == set(), "doubled"
    named = {event["id"] for event in family.events if event["event"] in {"transaction", "transaction in doubt"}}
    assert {name for name, copies in doubled.items() if set(copies) - named} == set(), "doubled, and nobody was told"


@pytest.mark.timeout(7200)  # as the clerk's in test_clerk: each loss is waited for longer, up to half a minute
def test_a_worker_or_clerk_killed_at_any_moment_loses_nothing_acknowledged(
    family: Family, load: Load, count: Count
) -> None:
    kills = count("kills of a worker or the clerk", 8, 140)
    chance = random.Random(kills)  # noqa: S311 - repeatable moments
    with family:
        family.serving()
        load.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.5))  # the moment is what is random, nothing waits for it
            victim = chance.choice(["worker", "worker", "clerk"])
            os.kill(family.pid_of(f"tidewaiter.gateway.{victim}"), signal.SIGKILL)
            family.wait_for("process ended")
        load.stop()
    judge(family, load.memory)


def test_a_supervisor_killed_at_any_moment_loses_nothing_acknowledged(family: Family, load: Load, count: Count) -> None:
    kills = count("kills of the supervisor", 2, 60)
    chance = random.Random(kills)  # noqa: S311 - repeatable moments
    load.start()
    for _ in range(kills):
        with family:
            family.serving()
            time.sleep(chance.uniform(0.1, 1.0))  # the moment is what is random
            family.process.kill()
    with family:
        family.serving()
        load.stop()
    judge(family, load.memory)


def test_a_reload_under_load_refuses_no_connection_and_cuts_none(family: Family, load: Load, count: Count) -> None:
    reloads = count("reloads under load", 4, 50)
    with family:
        family.serving()
        load.start()
        for number in range(2, 2 + reloads):
            family.signal(signal.SIGHUP)
            assert family.wait_for("serving")["of_generation"] == number
        load.stop()
        assert load.memory.refused == []
        assert load.memory.unanswered == {}
        family.last_words()
    judge(family, load.memory)
    assert {len(copies) for copies in delivered(family.folder / "mail").values()} == {1}


def test_a_restart_under_load_doubles_and_loses_nothing(family: Family, load: Load, count: Count) -> None:
    restarts = count("restarts under load", 2, 10)
    load.start()
    for _ in range(restarts):
        with family:
            family.serving()
            time.sleep(0.5)  # some load in each life
            family.last_words()
    with family:
        family.serving()
        load.stop()
    assert load.memory.unanswered == {}, "a stop finishes what was begun"
    judge(family, load.memory)
    assert {len(copies) for copies in delivered(family.folder / "mail").values()} == {1}
