"""A check for each row of docs/limits.md that bounds what clients may use."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.gateway.next_hop import OFFERS, NextHop
from tests.gateway.running import Caller, until
from tests.gateway.scene import MESSAGE, Check, Fix, Scene, ended, greeting, scene
from tests.gateway.test_crowd import Crowding
from tests.gateway.test_flow import without_received
from tidewaiter.gateway.mail.crowd import Entry
from tidewaiter.gateway.mail.turns import Turns
from tidewaiter.gateway.processes.connections import NETWORKS, TOTAL, WIDER
from tidewaiter.gateway.processes.descriptors import Descriptors, needed, next_hop_connections
from tidewaiter.lines.header import NAME_LIMIT
from tidewaiter.wire.service import PIPELINED

REPAIRED: Final = '[[listener.exclusion]]\nnetworks = ["127.0.0.0/8"]\n----'
SOON: Final = 3.0


# What is said.


async def pipelined(folder: Path, _: Fix) -> None:
    hop = NextHop(held=asyncio.Event())
    async with scene(folder, "commands = 1000000", hop) as at:
        caller = await at.ready()
        await caller.say("DATA")
        [session] = at.gateway.sessions
        server, group = session._dialogue.server, b"RSET\r\n" * 100_000
        await caller.send(b"x\r\n.\r\n" + group)
        await until(lambda: not server.reading, "a pause")
        await asyncio.sleep(0.2)
        assert PIPELINED < len(server._waiting) + len(server._unread) < len(group) / 2
        assert hop.held is not None
        hop.held.set()
        assert (await caller.reply()).startswith("250 2.0.0 Ok: ")
        assert await caller.reader.readexactly(14 * 100_000) == b"250 2.0.0 Ok\r\n" * 100_000
        await at.honest()


async def tiny_chunk(folder: Path, fix: Fix) -> None:
    fix(10)
    async with scene(folder, "commands = 3", NextHop((*OFFERS, "CHUNKING"))) as at:
        caller = await at.ready()
        for _ in range(6):
            assert (await caller.say("BDAT 10\r\n" + "x" * 8)).startswith("250")
        assert (await caller.say("BDAT 0 LAST")).startswith("250")
        await caller.envelope()
        for _ in range(3):
            assert (await caller.say("BDAT 9\r\n" + "x" * 7)).startswith("250")
        await caller.send(b"BDAT 9\r\n1234567\r\n")
        await ended(caller, "421 4.7.0 ")
        await at.honest()


async def hello_limit(folder: Path, fix: Fix) -> None:
    fix(30)
    async with scene(folder) as at:
        caller = await at.call(hello="")
        assert (await caller.say("EHLO " + "y" * 31)).startswith("501 ")
        assert (await caller.say("EHLO " + "y" * 30)).startswith("250")
        await at.honest()


async def _long_reply(folder: Path, good: str, bad: str) -> None:
    """Take one reply of a next hop, and not believe another."""
    hop = NextHop(answers={"RCPT": lambda line: bad if "<bad@" in line else good})
    async with scene(folder, hop=hop) as at:
        caller = await at.ready()
        assert (await caller.say("RCPT TO:<bad@inside.test>")).startswith("451 ")
        await at.honest()


async def line_limit(folder: Path, fix: Fix) -> None:
    fix(400)
    await _long_reply(folder, "250 2.1.5 " + "x" * 300, "250 2.1.5 " + "x" * 400)


async def lines(folder: Path, fix: Fix) -> None:
    fix(20)  # more than what the hop says to EHLO
    await _long_reply(folder, "250-2.1.5 x\r\n" * 19 + "250 2.1.5 x", "250-2.1.5 x\r\n" * 20 + "250 2.1.5 x")


async def name_limit(folder: Path, _: Fix) -> None:
    async with scene(folder) as at:
        for octets, between in ((NAME_LIMIT, b""), (NAME_LIMIT + 1, b"\r\n")):
            caller, line = await at.ready(), b"x" * octets + b": y\r\n\r\nHello.\r\n"
            assert (await caller.data(line)).startswith("250 ")
            assert without_received(at.hop.taken[-1].content) == between + line
        await at.honest()


# Connections.


async def networks(folder: Path, fix: Fix) -> None:
    fix(16)
    async with scene(folder, "connections_per_network = 1") as at:
        crowding = Crowding(at.gateway)
        said = [crowding.comes(f"198.18.{number}.1") for number in range(17)]
        assert set(said) == {Entry.TAKEN, Entry.NETWORK_FULL}, "of 17 networks in 16 rows, two share one"
        crowding.leaves()
        await at.honest()


async def wider(folder: Path, _: Fix) -> None:
    async with scene(folder) as at:
        found = [at.gateway.listenings[0].rules_of(f"2001:db8:{number:x}::1").rows for number in range(500)]
        assert {NETWORKS <= row < NETWORKS + WIDER for _, row, _ in found} == {True}
        assert {NETWORKS + WIDER <= row < TOTAL for _, _, row in found} == {True}
        await at.honest()


async def crowded_share(folder: Path, fix: Fix) -> None:
    fix(0.5)
    async with scene(folder, "connections = 10\nconnections_per_network = 10") as at:
        crowd, short = at.gateway.worker.crowd, []
        last = await at.call()
        for _ in range(5):
            short.append(crowd.short)
            last = await at.call()
        assert (short, crowd.short) == ([False] * 5, True)
        await last.say("QUIT")
        await at.alone(5)
        crowd.look()
        assert not crowd.short
        await at.honest()


async def own(folder: Path, fix: Fix) -> None:
    fix(1000)
    async with scene(folder, "connections = 10\nconnections_per_network = 10") as at:
        settings = at.gateway.worker.settings
        assert needed(settings, 1) == 1000 + 20 + next_hop_connections(settings, 1)
        await at.honest()


async def accepted_at_once(folder: Path, fix: Fix) -> None:
    fix(4)
    async with scene(folder) as at:
        worker = at.gateway.worker
        before, free = worker.descriptors, os.dup(at.gateway.memory.descriptor)
        os.close(free)
        few = Descriptors(limit=free + 6, next_hops=0)
        worker.descriptors = worker.crowd._descriptors = few
        callers = [await at.call() for _ in range(2)]  # each has two of ours: its own, and the gateway's
        assert [greeting(caller)[:9] for caller in callers][1] == "421 4.3.2"
        assert greeting(callers[0]).startswith("220 ")
        worker.descriptors = worker.crowd._descriptors = before
        await at.honest()


async def clients(folder: Path, fix: Fix) -> None:
    fix(3)
    async with scene(folder) as at:
        rules_of = at.gateway.listenings[0].rules_of
        rows = [rules_of(f"198.18.{number}.1").row for number in range(9)]
        assert rules_of.cache_info().currsize == 3
        assert [rules_of(f"198.18.{number}.1").row for number in range(9)] == rows
        await at.honest()


async def _turned_away(at: Scene) -> Caller:
    caller = await at.call()
    await caller.send(b"BOGUS\r\n" * 2)
    while (reply := await caller.reply()) and not reply.startswith("421"):
        pass
    assert reply.startswith("421 4.7.0 ")
    return caller


async def linger_seconds(folder: Path, fix: Fix) -> None:
    fix(0.2)
    async with scene(folder, "errors = 1") as at:
        await _turned_away(at)
        async with asyncio.timeout(SOON):
            await at.alone()
        await at.honest()


async def linger_bytes(folder: Path, fix: Fix) -> None:
    fix(1000)
    fix(60.0, "gateway.mail.session.LINGER_SECONDS")
    async with scene(folder, "errors = 1") as at:
        caller = await _turned_away(at)
        await caller.send(b"x" * 900)
        await asyncio.sleep(0.2)
        assert len(at.gateway.sessions) == 1
        await caller.send(b"x" * 900)
        await at.alone()
        await at.honest()


@contextmanager
def _turns(fix: Fix) -> Iterator[list[bool]]:
    """Remember who had to wait."""
    taken: list[bool] = []
    must_wait = Turns.must_wait

    def listen(turns: Turns, taker: Any) -> bool:
        taken.append(must_wait(turns, taker))
        return taken[-1]

    fix(listen, "gateway.mail.turns.Turns.must_wait")
    yield taken
    fix(must_wait, "gateway.mail.turns.Turns.must_wait")


async def large(folder: Path, fix: Fix) -> None:
    fix(5000, "gateway.mail.session.LARGE")
    async with scene(folder) as at:
        with _turns(fix) as taken:
            await at.honest()
            assert taken == []
            caller = await at.ready()
            assert (await caller.data(MESSAGE + b"x" * 9000)).startswith("250 ")
            assert taken
            assert not any(taken), "one alone never waits"
        await at.honest()


async def at_once(folder: Path, fix: Fix) -> None:
    async with scene(folder) as at:
        with _turns(fix) as taken:
            fix(0)
            caller = await at.ready()
            sending = asyncio.ensure_future(caller.data(MESSAGE + b"x" * 500_000))
            await until(lambda: any(taken), "a turn that is another's")
            fix(2)
            assert (await sending).startswith("250 ")
        await at.honest()


CHECKS: dict[str, Check] = {
    "wire.service.PIPELINED": pipelined,
    "wire.server.TINY_CHUNK": tiny_chunk,
    "wire.grammar.HELLO_LIMIT": hello_limit,
    "wire.replied.LINE_LIMIT": line_limit,
    "wire.replied.LINES": lines,
    "lines.header.NAME_LIMIT": name_limit,
    "gateway.processes.connections.NETWORKS": networks,
    "gateway.processes.connections.WIDER": wider,
    "gateway.mail.crowd.CROWDED_SHARE": crowded_share,
    "gateway.processes.descriptors.OWN": own,
    "gateway.processes.descriptors.ACCEPTED_AT_ONCE": accepted_at_once,
    "gateway.mail.listening.CLIENTS": clients,
    "gateway.mail.session.LINGER_SECONDS": linger_seconds,
    "gateway.mail.session.LINGER_BYTES": linger_bytes,
    "gateway.mail.turns.LARGE": large,
    "gateway.mail.turns.AT_ONCE": at_once,
}
