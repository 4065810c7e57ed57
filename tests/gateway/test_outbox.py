import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.gateway.record.outbox import QUEUE_LINES, Outbox


class Clerk:
    """A clerk that acknowledges only what it is told to."""

    def __init__(self, arrivals: "asyncio.Queue[tuple[Any, Any]]") -> None:
        self._arrivals = arrivals

    async def meet(self) -> None:
        """Take the worker's next connection."""
        self.reader, self._writer = await asyncio.wait_for(self._arrivals.get(), 10)
        assert await self.line() == b"hello"

    async def line(self) -> bytes:
        """The next line; a line of counters is skipped."""
        line: bytes = await asyncio.wait_for(self.reader.readline(), 10)
        return await self.line() if line == b"counts\n" else line.removesuffix(b"\n")

    def acknowledge(self, *counts: int) -> None:
        self._writer.write(b"".join(count.to_bytes(4, "big") for count in counts))

    async def die(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def clerk_and_outbox() -> AsyncIterator[tuple[Clerk, Outbox]]:
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        address = str(Path(folder) / "clerk.sock")
        arrivals: asyncio.Queue[tuple[Any, Any]] = asyncio.Queue()
        server = await asyncio.start_unix_server(lambda *both: arrivals.put_nowait(both), address)
        outbox = Outbox(address, loop, b"hello", lambda: b"counts")
        clerk = Clerk(arrivals)
        yield clerk, outbox
        outbox.close()
        await clerk.die()
        server.close()
        await server.wait_closed()


async def until(condition: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + 20
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "it never came"
        await asyncio.sleep(0)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario)


def test_lines_arrive_in_order_and_are_kept_until_acknowledged() -> None:
    async def scenario() -> None:
        async with clerk_and_outbox() as (clerk, outbox):
            for name in (b"one", b"two", b"three"):
                outbox.put(name)
            await clerk.meet()
            assert [await clerk.line() for _ in range(3)] == [b"one", b"two", b"three"]
            assert outbox.waiting == 3
            clerk.acknowledge(1, 2)
            await until(lambda: not outbox.waiting)

    run(scenario())


FEWER = settings(max_examples=10)  # each reconnects several times
LIVES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=4)


@FEWER
@given(LIVES)
def test_whatever_a_dead_clerk_had_not_acknowledged_the_next_one_hears(lives: list[tuple[int, int]]) -> None:
    """In each life so many lines are read, and no more than those acknowledged, one after the other."""

    async def scenario() -> None:
        async with clerk_and_outbox() as (clerk, outbox):
            lines = [f"{number}".encode() for number in range(100)]
            for line in lines:
                outbox.put(line)
            done = 0
            for read, acknowledged in lives:
                outbox.flush()
                await clerk.meet()
                for number in range(read):
                    assert await clerk.line() == lines[done + number]
                clerk.acknowledge(*[1] * min(read, acknowledged))
                done += min(read, acknowledged)
                left = len(lines) - done
                await until(lambda: outbox.waiting == left)  # noqa: B023 - waited for before it changes
                await clerk.die()
                await until(lambda: not outbox.connected)
            outbox.flush()
            await clerk.meet()
            assert [await clerk.line() for _ in range(100 - done)] == lines[done:]

    run(scenario())


def test_without_a_clerk_the_queue_is_bounded_and_the_loss_is_counted() -> None:
    async def scenario() -> None:
        outbox = Outbox("/nonexistent/clerk.sock", asyncio.get_running_loop(), b"hello", lambda: b"")
        for _ in range(QUEUE_LINES + 5):
            outbox.put(b"line")
        assert outbox.dropped == 5
        assert outbox.close() == QUEUE_LINES, "and what is left at the end is told"

    run(scenario())


def test_a_clerk_that_reads_nothing_delays_nothing() -> None:
    async def scenario() -> None:
        async with clerk_and_outbox() as (clerk, outbox):
            for number in range(QUEUE_LINES):
                outbox.put(b"%05d" % number + b"x" * 1000)
                outbox.flush()
            await clerk.meet()
            for number in range(QUEUE_LINES):
                assert (await clerk.line())[:5] == b"%05d" % number

    run(scenario())


def test_half_an_acknowledgement_of_a_dead_clerk_is_not_the_next_ones() -> None:
    async def scenario() -> None:
        async with clerk_and_outbox() as (clerk, outbox):
            for name in (b"one", b"two"):
                outbox.put(name)
            await clerk.meet()
            assert await clerk.line() == b"one"
            clerk._writer.write(b"\0\0")
            await clerk._writer.drain()
            await clerk.die()
            await until(lambda: not outbox.connected)
            outbox.flush()
            await clerk.meet()
            assert [await clerk.line(), await clerk.line()] == [b"one", b"two"]
            clerk.acknowledge(1)
            await until(lambda: outbox.waiting < 2)
            assert outbox.waiting == 1

    run(scenario())
