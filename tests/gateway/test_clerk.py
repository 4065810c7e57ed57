import json
import os
import re
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.gateway.family import SECONDS, Family, serving
from tidewaiter.store.archive import FILE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Count = Callable[[str, int, int], int]


def stored(folder: Path) -> set[str]:
    """The ids in the store; none before it is made."""
    file = folder / "state" / FILE
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return {row[0] for row in connection.execute("SELECT id FROM transactions")}
    except sqlite3.OperationalError:
        return set()


def holds_more(folder: Path, than: int) -> bool:
    return len(stored(folder)) > than


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)  # between two looks at another process


def logged(events: list[dict[str, str]]) -> set[str]:
    return {event["id"] for event in events if event["event"] == "transaction"}


def metric(family: Family, name: str) -> float:
    page = family.get("/metrics")[1].decode()
    found = re.findall(rf"^tidewaiter_{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(found[0]) if found else 0.0


def test_what_is_logged_is_stored_and_counted(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        with family.connect() as client:
            client.ask("record 300")
            until(lambda: metric(family, 'transactions_total{outcome="delivered"}') == 300)
            assert metric(family, "received_bytes_total") == 300 * 4096
            assert metric(family, "open_connections") == 1
            assert metric(family, "workers") == 2
            until(lambda: metric(family, "transaction_seconds_count") == 300)
        until(lambda: len(stored(tmp_path)) == 300)
        until(lambda: metric(family, "records_waiting") == 0)
        status, body = family.get("/readyz")
        assert (status, json.loads(body)) == (200, {"workers": 2, "store": "ok", "next_hops": {}})
        assert logged(family.last_words()) == stored(tmp_path)
        assert len(stored(tmp_path)) == 300


@pytest.mark.timeout(7200)  # each loss is waited for longer, up to half a minute: the full count takes an hour
def test_a_clerk_killed_at_any_moment_loses_no_record(tmp_path: Path, count: Count) -> None:
    kills = count("kills of the clerk", 4, 100)
    with serving(tmp_path) as family, family.connect() as client:
        for kill in range(1, kills + 1):
            for _ in range(10):
                client.ask("record 20")
            if kill % 2:  # else it dies before it has opened the store, but not so often that the queue overflows
                until(partial(holds_more, tmp_path, 220 * (kill - 1)))
            os.kill(family.pid_of("tidewaiter.gateway.clerk"), signal.SIGKILL)
            client.ask("record 20")
            family.wait_for("process ended")
        until(lambda: len(stored(tmp_path)) == kills * 220)
        client.close()
        family.last_words()
        assert logged(family.events) == stored(tmp_path)


def test_a_locked_store_never_stops_mail_and_takes_all_when_free(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        client.ask("record 1")
        until(lambda: len(stored(tmp_path)) == 1)
        with closing(sqlite3.connect(tmp_path / "state" / FILE, isolation_level=None, timeout=20)) as another:
            another.execute("BEGIN EXCLUSIVE")
            client.ask("record 400")
            family.wait_for("store can be written")  # it was, before
            assert "locked" in family.wait_for("store cannot be written")["reason"]
            assert client.ask("record 10") == "done"
            status, body = family.get("/readyz")
            assert status == 503, "what is taken now may never be recorded"
            assert "locked" in json.loads(body)["store"]
            assert metric(family, "store_up") == 0
            another.execute("ROLLBACK")
        family.wait_for("store can be written")
        until(lambda: len(stored(tmp_path)) == 411)


def test_a_store_that_is_taken_away_never_stops_mail(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        client.ask("record 5")
        until(lambda: len(stored(tmp_path)) == 5)
        family.wait_for("store can be written")
        for file in (tmp_path / "state").glob(f"{FILE}*"):
            file.unlink()
        assert client.ask("record 7") == "done"
        family.wait_for("store can be written")
        until(lambda: len(stored(tmp_path)) == 7)


def test_what_the_store_lacks_is_what_is_counted_as_dropped(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        client.ask("record 1")
        until(lambda: len(stored(tmp_path)) == 1)
        with closing(sqlite3.connect(tmp_path / "state" / FILE, isolation_level=None, timeout=20)) as another:
            another.execute("BEGIN EXCLUSIVE")
            for _ in range(16):
                assert client.ask("record 1000") == "done"
            another.execute("ROLLBACK")
        dropped = family.wait_for("records dropped")["count"]
        assert dropped > 0
        until(lambda: len(stored(tmp_path)) == 16_001 - dropped)
        until(lambda: metric(family, "records_dropped_total") == dropped)


@contextmanager
def small_disk(folder: Path, image: Path) -> Iterator[None]:
    """A real file system of 16 MiB on the folder; one in memory would be refused."""
    image.write_bytes(bytes(16 * 2**20))
    subprocess.run(["mkfs.ext4", "-q", "-E", "root_owner=0:0", image], check=True)
    folder.mkdir()
    subprocess.run(["mount", "-o", "loop", image, folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_never_stops_mail(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with small_disk(state, tmp_path / "image"), serving(tmp_path) as family, family.connect() as client:
        client.ask("record 1")
        until(lambda: len(stored(tmp_path)) == 1)
        ballast = state / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        for _ in range(5):
            assert client.ask("record 1000") == "done"
        family.wait_for("store can be written")  # it was, before
        assert "full" in family.wait_for("store cannot be written")["reason"]
        assert client.ask("record 1") == "done"
        ballast.unlink()
        until(lambda: len(stored(tmp_path)) == 5002)
        client.close()
        family.last_words()
