"""Do `/readyz` and `/metrics` say which next hop is down, and whether mail can be taken?"""

import ast
import asyncio
import json
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

import tidewaiter
from tests.gateway.family import CONFIGURATION, SECONDS, Family
from tests.gateway.next_hop import NextHop
from tests.gateway.test_clerk import metric
from tidewaiter.gateway.record.inbox import Counts, Inbox, next_hops
from tidewaiter.gateway.record.metrics import COUNTERS
from tidewaiter.gateway.record.recorder import HopState, Recorder
from tidewaiter.store.archive import FILE

RUN = (sys.executable, "-m", "tidewaiter", "run", "--config")


@contextmanager
def playing(port: int) -> Iterator[None]:
    """A next hop in a thread of its own."""
    begun, loop, end = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def play() -> None:
        hop = NextHop()
        await hop.start(port)
        begun.set()
        await end.wait()
        await hop.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(play(),))
    thread.start()
    assert begun.wait(SECONDS)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(SECONDS)
        loop.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)  # between two looks at another process


def ready(family: Family) -> tuple[int, dict[str, Any]]:
    status, body = family.get("/readyz")
    return status, json.loads(body)


@pytest.mark.slow
def test_ready_is_503_only_where_nothing_can_be_taken_and_names_what_is_down(tmp_path: Path) -> None:
    with closing(socket.socket()) as held, closing(socket.socket()) as unused:
        held.bind(("127.0.0.1", 0))
        unused.bind(("127.0.0.1", 0))  # nobody listens: connections are refused
        port = held.getsockname()[1]
        good, bad = (f"smtp://127.0.0.1:{one.getsockname()[1]}" for one in (held, unused))
        held.close()
        text = CONFIGURATION.format(workers="").replace('"maildir:mail"', f'["{good}", "{bad}"]')
        (tmp_path / "tidewaiter.toml").write_text(text)
        with Family(tmp_path, command=RUN) as family:
            family.serving()
            until(
                lambda: ready(family) == (503, {"workers": 2, "store": "ok", "next_hops": {good: "down", bad: "down"}})
            )
            assert metric(family, f'next_hop_up{{next_hop="{good}"}}') == 0
            with playing(port):
                until(lambda: ready(family)[0] == 200)
                assert ready(family)[1]["next_hops"] == {good: "up", bad: "down"}
                assert metric(family, f'next_hop_up{{next_hop="{good}"}}') == 1
                assert metric(family, f'next_hop_up{{next_hop="{bad}"}}') == 0
                assert metric(family, f'next_hop_full{{next_hop="{good}"}}') == 0
                assert metric(family, f'next_hop_connections_total{{next_hop="{good}",result="opened"}}') > 0
                assert metric(family, f'next_hop_connections_total{{next_hop="{bad}",result="failed"}}') > 0
                until(lambda: metric(family, "state_disk_free_bytes") > 0)
                _refuse_while_the_store_is_locked(family, tmp_path)
            family.last_words()


def _refuse_while_the_store_is_locked(family: Family, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "state" / FILE, isolation_level=None, timeout=20)) as another:
        another.execute("BEGIN EXCLUSIVE")
        with socket.create_connection(family.address) as client:
            client.recv(1000)
            client.sendall(b"RCPT TO:<a@b.test>\r\nQUIT\r\n")  # refused, and recorded
            client.recv(1000)
        until(lambda: ready(family)[0] == 503)
        assert "locked" in ready(family)[1]["store"]
        another.execute("ROLLBACK")
    until(lambda: ready(family)[0] == 200)


def _inbox(**states: str) -> Inbox:
    inbox = Inbox(None, None, set())  # type: ignore[arg-type]  # neither is asked
    inbox._count(Counts([], states))
    return inbox


def test_a_next_hop_is_as_the_worker_knows_it_who_reaches_it_best() -> None:
    inboxes = [_inbox(a="down", b="down", c="full"), _inbox(a="up", b="down", c="down", d="gone mad")]
    assert next_hops(inboxes) == {"a": "up", "b": "down", "c": "full"}


@pytest.mark.interpreted  # a compiled class is not made without its arguments
def test_a_next_hop_asked_in_two_ways_is_as_the_better_one(tmp_path: Path) -> None:
    recorder = Recorder.__new__(Recorder)
    recorder._next_hops = [HopState("a"), HopState("a"), HopState("b")]
    recorder._next_hops[0].state = recorder._next_hops[2].state = "down"
    assert recorder._states() == {"a": "up", "b": "down"}


def test_whatever_is_counted_is_served_with_the_labels_that_it_has() -> None:
    """Else the clerk would leave it out, and nobody would notice."""
    counted: set[tuple[str, int]] = set()
    for file in Path(tidewaiter.__file__).parent.glob("gateway/**/*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr="count"), args=[ast.Constant(value=str() as name), *labels]):
                    counted.add((name, len(labels)))
    assert len(counted) > 2
    assert counted <= {(name, len(labels)) for name, (_, labels) in COUNTERS.items()}
