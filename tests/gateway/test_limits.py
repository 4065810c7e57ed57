"""Limits count: each setting of `[limits]` binds, is given back, and lets the next honest message pass.

A setting that has no check here fails `test_every_limit_has_a_check`. `running_gateway` looks at the end of each
whether connections, rooms, timers and all else are back where they were.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from tests.gateway.next_hop import NextHop
from tests.gateway.running import Caller, until
from tests.gateway.scene import MESSAGE, ended, greeting, scene
from tests.gateway.test_crowd import Crowding
from tidewaiter.config.settings import Limits
from tidewaiter.gateway.mail.crowd import Entry

# Connections.


async def connections(folder: Path) -> None:
    async with scene(folder, "connections = 2\nconnections_per_network = 2") as at:
        first, _, third = [await at.call() for _ in range(3)]
        assert greeting(third).startswith("421 4.3.2 ")
        assert await third.closed()
        await first.say("QUIT")
        await at.alone(1)
        await at.honest()


async def connections_per_network(folder: Path) -> None:
    async with scene(folder, "connections_per_network = 2\nexempt_networks = []") as at:
        first, _, third = [await at.call("127.0.3.1") for _ in range(3)]
        assert greeting(third).startswith("421 4.7.0 ")
        await at.honest("127.0.4.1")
        await first.say("QUIT")
        await at.alone(1)
        await at.honest("127.0.3.2")


async def _ipv6(folder: Path, limit: str, addresses: list[str]) -> None:
    async with scene(folder, f"{limit} = 2") as at:
        crowding = Crowding(at.gateway)
        assert [crowding.comes(each) for each in addresses] == [Entry.TAKEN, Entry.TAKEN, Entry.NETWORK_FULL]
        assert crowding.comes("2001:db8:ffff::1") is Entry.TAKEN
        crowding.leaves()
        assert crowding.comes(addresses[2]) is Entry.TAKEN
        crowding.inside = addresses[2:]
        crowding.leaves()
        await at.honest()


async def connections_per_56(folder: Path) -> None:
    await _ipv6(folder, "connections_per_56", [f"2001:db8:0:10{number}::1" for number in range(3)])


async def connections_per_48(folder: Path) -> None:
    await _ipv6(folder, "connections_per_48", [f"2001:db8:0:{number}00::1" for number in range(3)])


async def exempt_networks(folder: Path) -> None:
    async with scene(folder, 'connections_per_network = 1\nexempt_networks = ["127.0.3.0/24"]') as at:
        assert all([greeting(await at.call("127.0.3.1")).startswith("220 ") for _ in range(4)])
        await at.call("127.0.4.1")
        assert greeting(await at.call("127.0.4.1")).startswith("421 4.7.0 ")
        await at.honest("127.0.5.1")


async def crowded_time(folder: Path) -> None:
    limits = "connections = 10\nconnections_per_network = 10"
    async with scene(folder, limits, crowded_time=0.2) as at:
        for silent in [await at.call(hello="") for _ in range(9)]:
            await ended(silent, "421 4.4.2 ")
        await at.alone()
        at.gateway.worker.crowd.look()
        caller = await at.ready()
        await asyncio.sleep(0.6)  # there is room again
        assert (await caller.data(MESSAGE)).startswith("250 ")


# What is said.


async def commands(folder: Path) -> None:
    async with scene(folder, "commands = 3") as at:
        caller = await at.call(hello="")
        assert (await caller.say("NOOP", "RSET", "EHLO client.test")).startswith("250")
        await caller.send(b"NOOP\r\n")
        await ended(caller, "421 4.7.0 ")
        caller = await at.call()
        for _ in range(3):  # a message that is accepted gives them back
            assert (await caller.say("NOOP")).startswith("250")
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250 ")


async def errors(folder: Path) -> None:
    async with scene(folder, "errors = 2") as at:
        caller = await at.call()
        assert [(await caller.say("BOGUS"))[:3] for _ in range(2)] == ["500", "500"]
        await ended(caller, "421 4.7.0 ")
        caller = await at.call()
        for _ in range(3):
            assert (await caller.say("BOGUS")).startswith("500")
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250 ")


async def recipients(folder: Path) -> None:
    async with scene(folder, "recipients = 100") as at:
        caller = await at.ready()
        for _ in range(99):
            assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("250")
        assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("452 4.5.3 ")
        assert (await caller.data(MESSAGE)).startswith("250 ")
        assert len(at.hop.taken[0].recipients) == 100
        await caller.envelope()
        assert (await caller.data(MESSAGE)).startswith("250 ")


async def message_size(folder: Path) -> None:
    async with scene(folder, 'message_size = "64KiB"\nheader_size = "1KiB"') as at:
        caller = await at.call()
        assert (await caller.say("MAIL FROM:<a@client.test> SIZE=65537")).startswith("552 5.3.4 ")
        await caller.envelope()
        assert (await caller.data(MESSAGE + b"x" * 65536)).startswith("552 5.3.4 ")
        await at.honest()


async def header_size(folder: Path) -> None:
    async with scene(folder, 'header_size = "1KiB"') as at:
        caller = await at.ready()
        assert (await caller.data(b"X: y\r\n" * 200 + MESSAGE)).startswith("552 5.3.4 ")
        await caller.envelope()
        assert (await caller.data(MESSAGE + b"x" * 2000)).startswith("250 ")


async def received_fields(folder: Path) -> None:
    async with scene(folder, "received_fields = 150") as at:
        caller = await at.ready()
        assert (await caller.data(b"Received: x\r\n" * 151 + MESSAGE)).startswith("554 5.4.6 ")
        await caller.envelope()
        assert (await caller.data(b"Received: x\r\n" * 150 + MESSAGE)).startswith("250 ")


async def command_line(folder: Path) -> None:
    async with scene(folder, 'command_line = "1KiB"') as at:
        caller = await at.call()
        assert (await caller.say("NOOP " + "x" * (1024 - 7))).startswith("250")
        assert (await caller.say("NOOP " + "x" * (1024 - 6))).startswith("500 5.5.2 ")
        await at.honest()


async def unread_replies(folder: Path) -> None:
    async with scene(folder, 'unread_replies = "4KiB"\ncommands = 1000000') as at:
        caller = await at.call()
        [session] = at.gateway.sessions
        caller.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads too
        flood = asyncio.ensure_future(caller.send(b"RSET\r\n" * 2_000_000))
        await until(lambda: session._unread, "a pause")
        assert session._transport.get_write_buffer_limits()[1] == 4096
        assert not flood.done()
        flood.cancel()
        caller.vanish()
        await at.honest()


# Time.


async def tls_handshake(folder: Path) -> None:
    trustme.CA().issue_cert("mx.tidewaiter.test").private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    listener = 'tls = "starttls"\ncertificate = "both.pem"\nkey = "both.pem"\n----'
    async with scene(folder, listener, tls_handshake=1.5) as at:
        caller = await at.call()
        assert (await caller.say("STARTTLS")).startswith("220 ")
        assert await caller.closed()
        await at.alone()
        assert at.gateway.worker.recorder._counts["tls_failures", "client"] == 1
        honest = await Caller.call(at.gateway.port)  # not left to the scene: asyncio never sees the end of TLS
        await honest.say("STARTTLS")
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        await honest.writer.start_tls(context)
        await honest.say("EHLO client.test")
        await honest.envelope()
        assert (await honest.data(MESSAGE)).startswith("250 ")
        honest.vanish()


async def command_time(folder: Path) -> None:
    async with scene(folder, command_time=0.3) as at:
        await ended(await at.ready(), "421 4.4.2 ")
        await at.honest()


async def data_time(folder: Path) -> None:
    async with scene(folder, data_time=0.3) as at:
        caller = await at.ready()
        await caller.say("DATA")
        await ended(caller, "421 4.4.2 ")
        await at.honest()


async def message_time(folder: Path) -> None:
    async with scene(folder, message_time=0.3) as at:
        caller = await at.ready()
        await caller.say("DATA")
        last = asyncio.ensure_future(caller.reply())
        while not last.done():
            await caller.send(b"x")
            await asyncio.sleep(0.02)
        assert (await last).startswith("421 4.4.2 ")
        await at.honest()


async def unread_time(folder: Path) -> None:
    async with scene(folder, 'unread_replies = "4KiB"\ncommands = 1000000', unread_time=0.3) as at:
        caller = await at.call()
        caller.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads too
        flood = asyncio.ensure_future(caller.send(b"RSET\r\n" * 2_000_000))
        await at.alone()
        await asyncio.wait([flood])
        assert isinstance(flood.exception(), ConnectionError)
        await at.honest()


async def next_hop_wait(folder: Path) -> None:
    hop = NextHop(held=asyncio.Event())
    async with scene(folder, "--connections = 1\n--", hop, next_hop_wait=0.3) as at:
        first = await at.ready()
        reply = asyncio.ensure_future(first.data(MESSAGE))
        second = await at.call("127.0.3.1")
        await second.say("MAIL FROM:<a@client.test>")
        assert (await second.say("RCPT TO:<b@inside.test>")).startswith("451 4.4.5 ")
        assert hop.held is not None
        hop.held.set()
        assert (await reply).startswith("250 ")
        await at.honest()


async def next_hop_idle(folder: Path) -> None:
    async with scene(folder, next_hop_idle=0.3) as at:
        caller = await at.ready()
        assert "RSET" not in at.hop.said
        await until(lambda: "RSET" in at.hop.said, "the end of its turn")
        assert (await caller.data(MESSAGE)).startswith("250 ")
        await at.honest()


async def final_reply(folder: Path) -> None:
    hop = NextHop(held=asyncio.Event())
    async with scene(folder, hop=hop, final_reply=0.4) as at:
        caller = await at.ready()
        assert (await caller.data(MESSAGE)).startswith("451 4.4.2 ")
        assert hop.held is not None
        hop.held.set()
        await at.gateway.settled()
        assert [record.outcome for record in at.gateway.memory.transactions] == ["doubtful"]
        await at.honest()


# Room.


async def spool_memory(folder: Path) -> None:
    async with scene(folder, 'spool_memory = "4KiB"') as at:
        room = at.gateway.worker.room
        await at.honest()
        assert room.written == 0
        caller = await at.ready()
        assert (await caller.data(MESSAGE + b"x" * 5000)).startswith("250 ")
        assert room.written > 5000
        await at.honest()


async def spool_memory_total(folder: Path) -> None:
    async with scene(folder, 'spool_memory = "64KiB"\nspool_memory_total = "64KiB"') as at:
        room = at.gateway.worker.room
        callers = [await at.ready() for _ in range(2)]
        for caller in callers:
            assert room.written == 0, "one alone has room in memory"
            await caller.say("DATA")
            await caller.send(MESSAGE + b"x" * 40_000)
            await until(lambda: room.written or room.memory_used > 40_000, "what was sent")
        await until(lambda: room.written, "a message that leaves memory")
        for caller in callers:
            await caller.send(b"\r\n.\r\n")
            assert (await caller.reply()).startswith("250 ")
        await at.gateway.settled()
        assert room.memory_used == 0
        await at.honest()


async def spool_total(folder: Path) -> None:
    async with scene(folder, spool_total=60_000) as at:
        caller = await at.ready(mail="MAIL FROM:<a@client.test> SIZE=100")
        assert (await caller.data(MESSAGE + b"x" * 62_000)).startswith("452 4.3.1 ")
        assert at.gateway.worker.room.used == 0
        await caller.envelope(mail="MAIL FROM:<a@client.test> SIZE=70000")
        assert (await caller.say("DATA")).startswith("452 4.3.1 ")
        await at.honest()


CHECKS: dict[str, Callable[[Path], Awaitable[None]]] = {
    check.__name__: check
    for check in (
        connections,
        connections_per_network,
        connections_per_56,
        connections_per_48,
        exempt_networks,
        crowded_time,
        commands,
        errors,
        recipients,
        message_size,
        header_size,
        received_fields,
        command_line,
        unread_replies,
        tls_handshake,
        command_time,
        data_time,
        message_time,
        unread_time,
        next_hop_wait,
        next_hop_idle,
        final_reply,
        spool_memory,
        spool_memory_total,
        spool_total,
    )
}


def test_every_limit_has_a_check() -> None:
    assert set(CHECKS) == set(Limits.__struct_fields__)


@pytest.mark.parametrize("limit", CHECKS)
async def test_a_limit_binds_and_is_given_back(limit: str, tmp_path: Path) -> None:
    await CHECKS[limit](tmp_path)
