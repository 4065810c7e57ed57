"""A check for each row of docs/limits.md that bounds what is asked of next hops; see `test_fixed_limits`."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Self

from tests.gateway.next_hop import OFFERS, SILENCE, NextHop
from tests.gateway.running import HOST, Caller, until
from tests.gateway.scene import MESSAGE, Check, Fix, Scene, scene
from tidewaiter.gateway.record.hop_status import FULL, TROUBLE

TICK: Final = "delivery.pool.TICK_SECONDS"
STEAL: Final = "delivery.pool.STEAL_SECONDS"
HANG: Final = "delivery.pool.HANG_SECONDS"
GREETING: Final = "220 hop.test ESMTP"
SOON: Final = 3.0
"""Well below what the limit is by default, well above what a busy machine needs."""


class Clock:
    """How long something took."""

    def __init__(self) -> None:
        self._since = asyncio.get_running_loop().time()

    @property
    def seconds(self) -> float:
        return asyncio.get_running_loop().time() - self._since


async def _rcpt(at: Scene, address: str = "127.0.3.1") -> tuple[Caller, str]:
    caller = await at.call(address)
    await caller.say("MAIL FROM:<a@client.test>")
    return caller, await caller.say("RCPT TO:<b@inside.test>")


async def steal_seconds(folder: Path, fix: Fix) -> None:
    fix(0.4)
    async with scene(folder, "--connections = 1\n--") as at:
        first, clock = await at.ready(), Clock()
        second, reply = await _rcpt(at)
        assert reply.startswith("250 ")
        assert clock.seconds >= 0.35
        for caller in (second, first):
            assert (await caller.data(MESSAGE)).startswith("250 ")


async def turn_seconds(folder: Path, fix: Fix) -> None:
    fix(0.9)
    fix(30.0, STEAL)
    async with scene(folder, "--connections = 1\n--") as at:
        greedy, clock, served = await at.ready(), Clock(), asyncio.Event()

        async def go_on() -> None:
            while not served.is_set():
                await greedy.say("RCPT TO:<b@inside.test>")
                await asyncio.sleep(0.01)  # else its recipients are too many before its time is over

        going_on = asyncio.ensure_future(go_on())
        second, reply = await _rcpt(at)
        served.set()
        assert reply.startswith("250 ")
        assert 0.9 <= clock.seconds < 10.0
        assert (await second.data(MESSAGE)).startswith("250 ")
        await going_on
        assert (await greedy.data(MESSAGE)).startswith("250 ")


async def hang_seconds(folder: Path, fix: Fix) -> None:
    fix(0.3)
    fix(0.05, TICK)
    hop = NextHop(answers={"greeting": [GREETING] + [SILENCE] * 50})
    async with scene(folder, hop=hop) as at:
        first, clock = await at.ready(), Clock()
        second, reply = await _rcpt(at)
        assert reply.startswith("250 "), "what hangs keeps nobody from what stands"
        await until(lambda: at.gateway.memory.told(FULL), "the line that says that it hangs")
        assert 0.3 <= clock.seconds < SOON
        for caller in (second, first):
            assert (await caller.data(MESSAGE)).startswith("250 ")


async def hung(folder: Path, fix: Fix) -> None:
    fix(0)
    fix(0.1, HANG)
    fix(0.05, TICK)
    fix(30.0, STEAL)
    hop = NextHop(answers={"greeting": [GREETING] + [SILENCE] * 50})
    async with scene(folder, hop=hop) as at:
        first = await at.ready()
        waiting = asyncio.ensure_future(_rcpt(at))
        await until(lambda: len(hop.commands) == 2, "an opening")
        fix(0.0, "delivery.condition.FULL_SECONDS")
        await asyncio.sleep(0.7)
        assert len(hop.commands) == 2, "it hangs, and no other is tried"
        fix(1)
        await until(lambda: len(hop.commands) == 3, "another opening")
        assert (await first.data(MESSAGE)).startswith("250 ")
        second, reply = await waiting
        assert reply.startswith("250 ")
        assert (await second.data(MESSAGE)).startswith("250 ")


async def bound_seconds(folder: Path, fix: Fix) -> None:
    fix(0.2)
    fix(0.05, TICK)
    introductions = ["250-hop.test\r\n250 XCLIENT NAME ADDR", "250 hop.test"] * 10
    async with scene(folder, hop=NextHop(answers={"EHLO": introductions})) as at:
        await at.honest()
        clock = Clock()
        await until(lambda: not at.hop.open, "the end of a connection that only one client may use")
        assert clock.seconds < SOON
        await at.honest()


async def down_seconds(folder: Path, fix: Fix) -> None:
    fix(1.6)
    fix(0.05, TICK)
    async with scene(folder) as at:
        port, clock = at.hop.port, Clock()
        await at.hop.stop()
        assert (await _rcpt(at))[1].startswith("451 4.4.1 ")
        await at.hop.start(port)
        assert (await _rcpt(at))[1].startswith("451 4.4.1 "), "it is left alone though it is there"
        await until(lambda: at.hop.open, "the next try")
        assert clock.seconds >= 1.6
        await at.honest()


async def longest_pause(folder: Path, fix: Fix) -> None:
    fix(0.1)
    fix(0.05, TICK)
    fix(0.05, "delivery.condition.DOWN_SECONDS")
    async with scene(folder) as at:
        port, counts = at.hop.port, at.gateway.worker.recorder._counts
        await at.hop.stop()
        assert (await _rcpt(at))[1].startswith("451 4.4.1 ")
        key = "next_hop_connections", at.gateway.hops.all()[0].name, "failed"
        before, clock = counts[key], Clock()
        await until(lambda: counts[key] > before + 6, "looks for it though nobody asks")
        assert clock.seconds < 20.0, "doubled each time, they would take two minutes"
        await at.hop.start(port)
        await until(lambda: at.hop.open, "the look that finds it")
        await at.honest()


async def full_seconds(folder: Path, fix: Fix) -> None:
    fix(0.3)
    fix(0.05, TICK)
    fix(30.0, STEAL)
    hop = NextHop(answers={"greeting": [GREETING] + ["421 4.3.2 Too many"] * 3})
    async with scene(folder, hop=hop) as at:
        first, clock = await at.ready(), Clock()
        second, reply = await _rcpt(at)
        assert reply.startswith("250 ")
        assert 0.9 <= clock.seconds < 10.0
        for caller in (second, first):
            assert (await caller.data(MESSAGE)).startswith("250 ")


async def plain_seconds(folder: Path, fix: Fix) -> None:
    fix(0.5)
    hop = NextHop((*OFFERS, "STARTTLS"), answers={"STARTTLS": "454 4.7.0 Not now"})
    async with scene(folder, '--tls = "may"\n--', hop) as at:
        await at.honest()
        assert hop.said.count("STARTTLS") == 1
        await asyncio.sleep(0.6)
        hop.drop()
        await until(lambda: not hop.open, "the end of what stood")
        await at.honest()
        assert hop.said.count("STARTTLS") == 2, "TLS is tried again"


async def offered_seconds(folder: Path, fix: Fix) -> None:
    fix(0.2)
    hop = NextHop(answers={"EHLO": ["250-hop.test\r\n250 8BITMIME"] + ["250 hop.test"] * 50})
    async with scene(folder, hop=hop) as at:
        await asyncio.sleep(0.3)
        hop.drop()
        await until(lambda: not hop.open, "the end of what stood")
        await at.honest()
        caller = await at.ready(mail="MAIL FROM:<a@client.test> BODY=8BITMIME")
        assert (await caller.data(MESSAGE + b"\xe9\r\n")).startswith("550 5.6.3 ")
        await at.honest()


@asynccontextmanager
async def _beside(fix: Fix, hop: NextHop, *, accepts: bool) -> AsyncIterator[None]:
    """Give the hop a first address that takes connections and says nothing, or does not even take them."""

    async def both(_hop: object, _seconds: float) -> list[str]:
        return ["127.0.0.2", HOST]

    await hop.start()
    with socket.socket() as silent, socket.socket() as one, socket.socket() as other:
        silent.bind(("127.0.0.2", hop.port))
        silent.listen(64 if accepts else 0)
        for filler in () if accepts else (one, other):  # then the kernel drops what comes
            filler.setblocking(False)  # noqa: FBT003 - it has no name for it
            filler.connect_ex(silent.getsockname())
        fix(both, "delivery.opening._addresses")
        yield


class _Begun(NextHop):
    """One that listens already."""

    async def __aenter__(self) -> Self:
        return self


async def _two_addresses(folder: Path, fix: Fix, *, accepts: bool) -> None:
    fix(2.5)
    hop = _Begun()
    async with _beside(fix, hop, accepts=accepts):
        clock = Clock()
        async with scene(folder, hop=hop) as at:
            assert 2.5 <= clock.seconds < 20.0
            await at.honest()


async def connect_seconds(folder: Path, fix: Fix) -> None:
    await _two_addresses(folder, fix, accepts=False)


async def silent_seconds(folder: Path, fix: Fix) -> None:
    await _two_addresses(folder, fix, accepts=True)


async def reset_seconds(folder: Path, fix: Fix) -> None:
    fix(0.3)
    async with scene(folder, hop=NextHop(answers={"RSET": SILENCE})) as at:
        caller, clock = await at.ready(), Clock()
        assert (await caller.say("RSET")).startswith("250 ")
        await until(lambda: at.gateway.memory.told(TROUBLE), "the end of a connection that does not answer")
        assert 0.3 <= clock.seconds < 10.0
        await at.honest()


async def first_seconds(folder: Path, fix: Fix) -> None:
    fix(0.6)
    async with scene(folder, hop=NextHop(answers={"RCPT": SILENCE})) as at:
        clock = Clock()
        assert (await _rcpt(at))[1].startswith("451 ")
        assert clock.seconds < 10.0
        at.hop.answers.clear()
        await at.honest()


async def opening_seconds(folder: Path, fix: Fix) -> None:
    fix(0.3)
    fix(0.05, TICK)
    async with NextHop() as spare:
        hop = NextHop(answers={"greeting": [GREETING] + [SILENCE] * 50})
        async with scene(folder, hop=hop, others=[spare.port]) as at:
            hop.drop()
            await until(lambda: not hop.open, "the end of what stood")
            clock = Clock()
            await at.honest()
            assert clock.seconds < SOON
            assert len(spare.taken) == 1


CHECKS: dict[str, Check] = {
    "delivery.pool.STEAL_SECONDS": steal_seconds,
    "delivery.pool.TURN_SECONDS": turn_seconds,
    "delivery.pool.HANG_SECONDS": hang_seconds,
    "delivery.pool.HUNG": hung,
    "delivery.pool.BOUND_SECONDS": bound_seconds,
    "delivery.condition.DOWN_SECONDS": down_seconds,
    "delivery.condition.LONGEST_PAUSE": longest_pause,
    "delivery.condition.FULL_SECONDS": full_seconds,
    "delivery.condition.PLAIN_SECONDS": plain_seconds,
    "delivery.condition.OFFERED_SECONDS": offered_seconds,
    "delivery.opening.CONNECT_SECONDS": connect_seconds,
    "delivery.opening.SILENT_SECONDS": silent_seconds,
    "delivery.resetting.RESET_SECONDS": reset_seconds,
    "gateway.mail.recipients.FIRST_SECONDS": first_seconds,
    "gateway.mail.recipients.OPENING_SECONDS": opening_seconds,
}
