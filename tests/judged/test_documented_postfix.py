"""In front of a real Postfix exactly as the page has it, with the clients that a real MX has: of many addresses."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from typing import TYPE_CHECKING

import pytest

from tests.judged.caller import Client, calling
from tests.judged.documented import HEADING, RECIPIENT, documented
from tests.judged.page import blocks
from tests.peers.conftest import needed

if TYPE_CHECKING:
    from tests.judged.conftest import Tell
    from tests.peers import Peer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(600)]

CLIENTS = 200
AT_ONCE = 60
MANY = 4
GUESSING = 60
SECONDS = 1.0
HONEST = 10
LATE = 4
# What the page says may replace a line of the gateway's service: Postfix lets whoever reaches it tell of clients.
_, _, SHARED = blocks(HEADING)
# Those of Postfix 3.7 where nobody set any.
THEIR_OWN = """\
  -o smtpd_error_sleep_time=1s
  -o smtpd_soft_error_limit=10
  -o smtpd_hard_error_limit=20
  -o smtpd_junk_command_limit=100
"""


def clients(count: int) -> list[Client]:
    """As many addresses, of IPv4 and IPv6 in turn, each with a name of its own."""
    networks = ("198.51.100.{}", "203.0.113.{}", "2001:db8:1:{:x}::1")
    return [
        Client(networks[each % 3].format(each // 3 + 1), f"client{each}.outside.example")
        for each in range(1, count + 1)
    ]


async def send(client: Client, messages: int, room: asyncio.Semaphore) -> list[str]:
    """Send so many messages on one connection, each to somebody unknown too; give what was not as it should be."""
    async with room, calling(client) as caller:
        wrong = []
        for number in range(messages):
            unknown = f"unknown-{client.name}@example.test"
            said = await caller.hand_over(f"{client.name} {number}", unknown, RECIPIENT)
            wrong += [f"{client}: {said}"] * ([each[:3] for each in said] != ["550", "250", "250"])
        return wrong


async def send_all(crowd: list[Client], messages: int) -> list[str]:
    """Send from all, some at a time; what was wrong."""
    room = asyncio.Semaphore(AT_ONCE)
    return [line for each in await asyncio.gather(*(send(one, messages, room) for one in crowd)) for line in each]


def refused(log: str) -> set[tuple[str, str]]:
    """The address and the HELO of each client that Postfix refused a recipient."""
    found = re.findall(r"reject: RCPT from \S*\[(\S+)\]: 550 5\.1\.1 .* helo=<(\S+)>", log)
    return set(found)


def delivered(peer: Peer, count: int) -> set[tuple[str, str]]:
    """The address and the HELO that Postfix wrote into the trace of each of so many messages."""
    contents = peer.deliveries(count, within=120)
    assert len(contents) == count
    found = [re.search(rb"(?m)^Received: from (\S+) \(unknown \[(?:IPv6:)?(\S+)\]\)", each) for each in contents]
    return {(each[2].decode(), each[1].decode()) for each in found if each}


@pytest.mark.parametrize("messages", [1, MANY])
@pytest.mark.parametrize("service", ["", SHARED], ids=["as the page has it", "with connections that are shared"])
def test_all_mail_of_200_clients_is_taken_and_postfix_knows_each(service: str, messages: int, tell: Tell) -> None:
    needed("postfix-3.7-no")
    crowd = clients(CLIENTS)
    known = {(each.address, each.name) for each in crowd}
    with documented(service=service) as there:
        begin = time.monotonic()
        assert asyncio.run(send_all(crowd, messages)) == []
        took = time.monotonic() - begin
        assert delivered(there.postfix, CLIENTS * messages) == known
        assert refused(there.postfix.log()) == known
    tell(f"the documented Postfix, {CLIENTS} clients, {messages} messages each: all taken in {took:.1f} s")


async def guess(client: Client, enough: asyncio.Event) -> None:
    """Guess recipients, and come again when sent away, until it is enough."""
    number = 0
    while not enough.is_set():
        async with calling(client) as caller:
            said = await caller.ask(f"MAIL FROM:<sender@{client.name}>")
            while not enough.is_set() and not said.startswith("421") and said:
                number += 1
                said = await caller.ask(f"RCPT TO:<guess{number}-{client.name}@example.test>")


async def honest_beside_guessing(crowd: list[Client], honest: list[Client]) -> list[float]:
    """How long each honest message takes beside the others, from the connection to its 250."""
    enough, took = asyncio.Event(), []
    guessing = [asyncio.create_task(guess(each, enough)) for each in crowd]
    try:
        await asyncio.sleep(2)  # all of them are at it
        for client in honest:
            begin = time.monotonic()
            async with calling(client) as caller:
                said = await caller.hand_over(client.name, RECIPIENT)
                took.append(time.monotonic() - begin)
                assert [each[:3] for each in said] == ["250", "250"], said
            assert not any(each.done() for each in guessing)
    finally:
        enough.set()
        await asyncio.gather(*guessing)
    return took


@pytest.mark.parametrize("service", ["", THEIR_OWN], ids=["as the page has it", "with Postfix's own limits"])
def test_an_honest_message_beside_60_guessing_strangers_takes_a_second_at_most(service: str, tell: Tell) -> None:
    needed("postfix-3.7-no")
    crowd = clients(GUESSING + HONEST)
    with documented(service=service) as there:
        took = asyncio.run(honest_beside_guessing(crowd[:GUESSING], crowd[GUESSING:]))
        assert len(refused(there.postfix.log())) == GUESSING
    middle = statistics.median(took)
    tell(f"an honest message beside {GUESSING} guessing strangers: {middle:.2f} s, {max(took):.2f} s at most")
    # A machine that is busy with other things than this may be late once; those who waited for strangers took 14 s.
    assert middle <= SECONDS, sorted(took)
    assert max(took) <= LATE * SECONDS, sorted(took)
