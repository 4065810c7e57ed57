"""What a worker counts reaches the clerk once, as the clerk reads it; and what lasts nothing is not told."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.gateway.running import until
from tidewaiter.gateway.record import recorder as module
from tidewaiter.gateway.record.ids import Ids, WorkerId
from tidewaiter.gateway.record.inbox import Counts, Hello, Line, read_line
from tidewaiter.gateway.record.metrics import DOWN
from tidewaiter.gateway.record.recorder import Recorder

pytestmark = pytest.mark.interpreted  # what is compiled has its constants within it


@asynccontextmanager
async def recording(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Recorder, list[Line | None]]]:
    """A recorder, and what a clerk that takes everything has heard from it."""
    monkeypatch.setattr(module, "COUNTER_SECONDS", 0.01)
    heard: list[Line | None] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            heard.append(read_line(line))
        writer.close()

    clerk = await asyncio.start_unix_server(listen, folder / "clerk.sock")
    log = os.memfd_create("log")
    made = Recorder(asyncio.get_running_loop(), WorkerId(3, 2, 1), log, str(folder / "clerk.sock"))
    try:
        yield made, heard
    finally:
        await made.close(0.0)
        clerk.close()
        await clerk.wait_closed()
        os.close(log)


def counted(heard: list[Line | None]) -> list[tuple[list[str], int]]:
    return [each for line in heard if isinstance(line, Counts) for each in line.counts]


async def test_what_is_counted_is_told_once_with_the_name_of_the_worker_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recording(tmp_path, monkeypatch) as (recorder, heard):
        recorder.count("connections", "[::]:25")
        recorder.count("connections", "[::]:25", by=2)
        await until(lambda: counted(heard), "the counters")
        recorder.count("connections", "[::]:25")
        await until(lambda: len(counted(heard)) > 1, "the next counters")
        assert heard[0] == Hello(worker=3, generation=2)
        assert counted(heard) == [(["connections", "[::]:25"], 3), (["connections", "[::]:25"], 1)]


async def test_the_state_of_a_next_hop_is_told_though_nothing_was_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recording(tmp_path, monkeypatch) as (recorder, heard):
        recorder.next_hop("smtp://hop.test").state = DOWN
        await until(lambda: any(isinstance(line, Counts) for line in heard), "the state")
        told = next(line for line in heard if isinstance(line, Counts))
        assert (told.counts, told.next_hops) == ([], {"smtp://hop.test": DOWN})


async def test_where_nothing_was_counted_and_no_hop_is_watched_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with recording(tmp_path, monkeypatch) as (recorder, heard):
        await until(lambda: heard, "the first line")
        assert recorder._take_counts() == b""
        assert heard == [Hello(worker=3, generation=2)]


async def test_lines_that_the_log_lost_are_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with recording(tmp_path, monkeypatch) as (recorder, heard):
        recorder._journal.dropped_total = 5
        await until(lambda: counted(heard), "the counter")
        recorder.count("connections", "[::]:25")
        await until(lambda: len(counted(heard)) > 1, "another")
        assert counted(heard) == [(["log_lines_dropped"], 5), (["connections", "[::]:25"], 1)]


def test_an_id_begins_with_the_time_in_milliseconds_and_then_names_the_process() -> None:
    assert Ids(5, now=lambda: 1.5).next().startswith("0000000005dc" + "05")
