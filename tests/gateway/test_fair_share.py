"""A crowd at the next hop: whoever guesses, repeats or keeps silent does not keep honest mail from it."""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.gateway.next_hop import NextHop
from tests.gateway.running import HOST, Caller, RunningGateway, running_gateway
from tests.gateway.test_flow import configuration

pytestmark = pytest.mark.slow

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"


async def call_from(gateway: RunningGateway, address: str) -> Caller:
    """Connect from this address of the loopback network."""
    caller = Caller(*await asyncio.open_connection(HOST, gateway.port, local_addr=(address, 0)))
    await caller.reply()
    await caller.say(f"EHLO c{address.replace('.', '-')}.test")
    return caller


async def say_for_ever(gateway: RunningGateway, address: str, recipient: str, pause: float) -> None:
    """Repeat one RCPT, as guessers do and as mail bombs do; begin anew where the connection was ended."""
    while True:
        with suppress(ConnectionError, AssertionError):
            async with await call_from(gateway, address) as caller:
                await caller.say("MAIL FROM:<x@crowd.test>")
                while (await caller.say(f"RCPT TO:<{recipient}>"))[:3] in ("250", "550", "451"):
                    await asyncio.sleep(pause)


async def send_from(gateway: RunningGateway, address: str) -> str:
    async with await call_from(gateway, address) as caller:
        await caller.envelope()
        return await caller.data(MESSAGE)


async def honest_beside(crowd: list[tuple[str, str, float]], hop: NextHop, folder: Path) -> tuple[list[str], float]:
    """Send honest messages one after another beside a crowd; give the replies and the longest time."""
    loop = asyncio.get_running_loop()
    text = configuration(hop.port, route="connections = 10", limits="connections_per_network = 200")
    async with running_gateway(folder, text, next_hop_wait=3.0) as gateway:
        tasks = [asyncio.create_task(say_for_ever(gateway, *one)) for one in crowd]
        await asyncio.sleep(0.3)
        replies, longest = [], 0.0
        for number in range(5):
            since = loop.time()
            replies.append(await send_from(gateway, f"127.9.{number}.1"))
            longest = max(longest, loop.time() - since)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return replies, longest


async def test_honest_mail_passes_beside_a_network_that_repeats_a_valid_recipient(tmp_path: Path) -> None:
    crowd = [("127.1.1.1", "b@inside.test", 0.04)] * 50
    async with NextHop() as hop:
        replies, _ = await honest_beside(crowd, hop, tmp_path)
    assert [reply[:3] for reply in replies] == ["250"] * 5


async def test_honest_mail_passes_beside_many_networks_that_never_pause(tmp_path: Path) -> None:
    crowd = [(f"127.1.{number}.1", "b@inside.test", 0.0) for number in range(30)]
    async with NextHop() as hop:
        replies, _ = await honest_beside(crowd, hop, tmp_path)
    assert [reply[:3] for reply in replies] == ["250"] * 5


async def test_what_strangers_guess_is_never_held_against_honest_mail(tmp_path: Path) -> None:
    """Each connection of the hop's that saw an error carries mail of that one client."""

    def known(line: str) -> str:
        return "250 2.1.5 Ok" if "<b@" in line else "550 5.1.1 No such user"

    crowd = [(f"127.1.{number}.1", f"u{number}@inside.test", 0.01) for number in range(20)]
    async with NextHop(answers={"RCPT": known}) as hop:
        replies, _ = await honest_beside(crowd, hop, tmp_path)
    assert [reply[:3] for reply in replies] == ["250"] * 5
    for commands in hop.commands:
        guessed = [number for number, line in enumerate(commands) if line.startswith("RCPT") and "<b@" not in line]
        behind = commands[guessed[0] :] if guessed else []
        assert "DATA" not in behind, "honest mail on a connection on which a stranger erred"
