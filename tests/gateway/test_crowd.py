"""Crowds: a network, however large, leaves room for others, and where room is short the silent make some."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_network
from itertools import product
from pathlib import Path

import pytest
import trustme

from tests.gateway.next_hop import NextHop
from tests.gateway.running import HOST, Caller, RunningGateway, running_gateway, until
from tests.gateway.test_flow import configuration
from tidewaiter.gateway.mail.crowd import Entry
from tidewaiter.gateway.processes.descriptors import Descriptors

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"
HONEST = ("192.0.2.7", "198.51.100.7", "2001:db8:9::7", "2001:db8:a:100::7")


@dataclass
class Crowding:
    """Comes from many addresses: all that is counted is the gateway's own."""

    gateway: RunningGateway

    def __post_init__(self) -> None:
        self.inside: list[str] = []

    def comes(self, address: str) -> Entry:
        """Come in, or leave at once."""
        listening = self.gateway.listenings[0]
        crowd, client = listening.worker.crowd, listening.rules_of(address)
        entry = crowd.enter(client, 0)
        if entry is Entry.TAKEN:
            self.inside.append(address)
        else:
            crowd.leave(client)
        return entry

    def leaves(self) -> None:
        """All of it."""
        listening = self.gateway.listenings[0]
        for address in self.inside:
            listening.worker.crowd.leave(listening.rules_of(address))


def _networks(of: str, prefix: int, count: int) -> list[str]:
    """The first address of each of so many networks."""
    found = ip_network(of)
    first, step = int(found.network_address), 1 << found.max_prefixlen - prefix
    return [str(type(found.network_address)(first + number * step)) for number in range(count)]


@pytest.mark.parametrize(
    ("strangers", "let_in"),
    [
        (_networks("2001:db8:1:100::/56", 64, 150), 200),
        (_networks("2001:db8:1::/48", 56, 150), 400),
        (_networks("2001:db8:1::/48", 64, 150), 200),
        (_networks("2001:db8:1::/64", 128, 150), 100),
        (_networks("203.0.113.0/24", 32, 150), 100),
        ([f"::ffff:{address}" for address in _networks("203.0.113.0/24", 32, 150)], 100),
    ],
    ids=["/64 of a /56", "/56 of a /48", "/64 of a /48", "of a /64", "of a /24", "of a mapped /24"],
)
async def test_a_network_with_many_networks_in_it_leaves_room_for_others(
    strangers: list[str], let_in: int, tmp_path: Path
) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        crowding = Crowding(gateway)
        answers = Counter(crowding.comes(address) for address in strangers for _ in range(100))
        assert answers == {Entry.TAKEN: let_in, Entry.NETWORK_FULL: 15_000 - let_in}
        for address in HONEST:
            assert crowding.comes(address) is Entry.TAKEN, address
        assert not gateway.worker.crowd.short
        crowding.leaves()
        assert gateway.worker.connections.total() == 0


CLIENTS = ("192.0.2.1", "192.0.3.1", "2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:100::1", "2001:db8:1::1")
SIZES = {4: (24,), 6: (64, 56, 48)}


def _within(address: str) -> list[tuple[str, int]]:
    """The networks that hold it, each with its limit in the test below."""
    sizes = SIZES[6 if ":" in address else 4]
    return [(str(ip_network(f"{address}/{size}", strict=False)), limit) for limit, size in enumerate(sizes, start=1)]


async def test_every_order_of_coming_and_leaving_is_counted_as_by_a_plain_list(tmp_path: Path) -> None:
    limits = "connections = 3\nconnections_per_network = 1\nconnections_per_56 = 2\nconnections_per_48 = 3"
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        for moves in product((*CLIENTS, ""), repeat=4):
            crowding = Crowding(gateway)
            inside: list[str] = []
            for move in moves:
                if not move:
                    crowding.leaves()
                    crowding.inside, inside = [], []
                    continue
                held = Counter(network for address in (*inside, move) for network, _ in _within(address))
                full = any(held[network] > limit for network, limit in _within(move))
                expected = Entry.FULL if len(inside) == 3 else Entry.NETWORK_FULL if full else Entry.TAKEN
                assert crowding.comes(move) is expected, moves
                inside += [move] * (expected is Entry.TAKEN)
            crowding.leaves()
            assert gateway.worker.connections.total() == 0


async def _call(port: int, address: str) -> Caller:
    caller = Caller(*await asyncio.open_connection(HOST, port, local_addr=(address, 0)))
    await caller.reply()
    return caller


SILENT: dict[str, Callable[[Caller], object]] = {
    "before EHLO": lambda caller: caller.say(),
    "behind MAIL": lambda caller: caller.say("EHLO x.test", "MAIL FROM:<a@client.test>"),
    "within content": lambda caller: caller.say(
        "EHLO x.test", "MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>", "DATA"
    ),
}


@pytest.mark.parametrize("when", SILENT)
async def test_who_says_nothing_makes_room_where_it_is_short(when: str, tmp_path: Path) -> None:
    """Those who were silent before room became short too, and nobody whose message waits for the next hop."""
    limits = "connections = 10\nconnections_per_network = 10\nexempt_networks = []"
    hop = NextHop(held=asyncio.Event())
    async with hop, running_gateway(tmp_path, configuration(hop.port, limits=limits), crowded_time=0.3) as gateway:
        async with AsyncExitStack() as stack:
            waiting = await stack.enter_async_context(await _call(gateway.port, "127.0.9.1"))
            await waiting.say("EHLO client.test")
            await waiting.envelope()
            reply = asyncio.ensure_future(waiting.data(MESSAGE))
            silent = [await stack.enter_async_context(await _call(gateway.port, "127.0.1.1")) for _ in range(9)]
            for each in silent:
                await SILENT[when](each)  # type: ignore[misc]  # each of them gives a coroutine
            [told] = gateway.memory.told("room is short")
            assert (told["connections"], told["limit"]) == (9, 10)
            for each in silent:
                assert (await each.reply()).startswith("421 4.4.2 ")
                assert await each.closed()
            assert hop.held is not None
            hop.held.set()
            assert (await reply).startswith("250 ")
        await until(lambda: not gateway.sessions, "the end of all")
        gateway.worker.crowd.look()
        gateway.worker.crowd.look()
        await until(lambda: len(gateway.memory.told("room again")) == 1, "the line that says so")
        async with await _call(gateway.port, "127.0.2.1") as honest:
            await honest.say("EHLO client.test")
            await asyncio.sleep(0.7)  # longer than a crowd may be silent: there is room again
            await honest.envelope()
            assert (await honest.data(MESSAGE)).startswith("250 ")


async def test_a_client_for_whom_no_descriptor_is_left_hears_so(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port):
            worker = gateway.worker
            worker.crowd._descriptors = Descriptors(limit=8, next_hops=0)
            worker.descriptors = Descriptors(limit=8, next_hops=0)
            turned_away = Caller(*await asyncio.open_connection(HOST, gateway.port))
            assert (await turned_away.reply()).startswith("421 4.3.2 ")
            assert await turned_away.closed()
            turned_away.writer.close()
            await until(lambda: len(gateway.sessions) == 1, "the end of the one turned away")
            worker.crowd.look()
            worker.crowd.look()
            await until(lambda: gateway.memory.told("no file descriptor is left"), "the line that says so")
            [told] = gateway.memory.told("no file descriptor is left")
            assert (told["clients_sent_away"], told["limit"]) == (1, 8)


async def test_who_begins_a_handshake_and_does_not_go_on_is_counted_too(tmp_path: Path) -> None:
    trustme.CA().issue_cert("mx.tidewaiter.test").private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    listener = 'tls = "implicit"\ncertificate = "both.pem"\nkey = "both.pem"'
    limits = "connections_per_network = 2\nexempt_networks = []"
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port, listener=listener, limits=limits)) as gateway,
    ):
        connections = gateway.worker.connections
        silent = [await asyncio.open_connection(HOST, gateway.port) for _ in range(2)]
        await until(lambda: connections.total() == 2, "both")
        third = Caller(*await asyncio.open_connection(HOST, gateway.port, ssl=context))
        assert (await third.reply()).startswith("421 4.7.0 ")
        third.writer.transport.abort()
        for _, writer in silent:
            writer.close()
        await until(lambda: connections.total() == 0, "the end of all")
        honest = Caller(*await asyncio.open_connection(HOST, gateway.port, ssl=context))
        assert (await honest.reply()).startswith("220 ")
        assert connections.total() == 1
        await honest.say("EHLO client.test")
        await honest.envelope()
        assert (await honest.data(MESSAGE)).startswith("250 ")
        gateway.worker.descriptors = gateway.worker.crowd._descriptors = Descriptors(limit=8, next_hops=0)
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(HOST, gateway.port, ssl=context)
        await until(lambda: connections.total() == 1, "the end of the one for whom no descriptor is left")
        assert gateway.memory.refusals[-1].detail == "no file descriptor is left"
        honest.vanish()
