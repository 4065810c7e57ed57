"""An exception that nobody expected: it is a `fault` in the log, whoever waits is answered, and nothing is kept.

Each is planted where a client's command, a next hop's answer, a full file or a clock calls into a session.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gateway.next_hop import NextHop
from tests.gateway.running import Caller, RunningGateway, running_gateway
from tests.gateway.test_flow import configuration
from tests.gateway.test_session import MESSAGE
from tidewaiter.gateway.mail.dialogue import Dialogue
from tidewaiter.gateway.mail.recipients import Recipients
from tidewaiter.gateway.mail.session import Session
from tidewaiter.gateway.mail.transaction import Transaction
from tidewaiter.gateway.record.recorder import Recorder
from tidewaiter.message.header import HeaderSection
from tidewaiter.wire import Server

pytestmark = pytest.mark.interpreted

WHERE: dict[str, tuple[type, str]] = {
    "a command": (Server, "receive"),
    "RCPT": (Transaction, "rcpt"),
    "a recipient's route": (Recipients, "ask"),
    "the hop's answer to RCPT": (Recipients, "_pass_on"),
    "an answer on its way to the client": (Dialogue, "answer"),
    "DATA": (Transaction, "begin"),
    "content": (HeaderSection, "feed"),
    "the end": (Transaction, "end"),
    "what is sent": (Transaction, "_send_when_complete"),
    "the outcome": (Transaction, "_end"),
    "the record": (Recorder, "transaction"),
    "what is said": (Session, "_settle"),
    "its waiting": (Session, "_wait"),
}


class PlantedError(Exception):
    """What goes wrong."""


def once(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    """Let the next call of a method go wrong, and all others do as before."""
    right: Callable[..., object] = getattr(owner, name)
    left = [1]

    def wrong(*arguments: object, **named: object) -> object:
        if left:
            left.pop()
            raise PlantedError
        return right(*arguments, **named)

    monkeypatch.setattr(owner, name, wrong)


async def one_message(caller: Caller) -> list[str]:
    """Send it as far as it is taken; give the replies."""
    said = []
    for command in ("MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>"):
        said.append(await caller.say(command))
        if not said[-1].startswith("250"):
            return said
    said.append(await caller.data(MESSAGE))
    return said


@pytest.mark.parametrize("where", WHERE)
async def test_what_goes_wrong_is_logged_answered_and_given_back(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port), faults=["Planted"]) as gateway:
        async with await Caller.call(gateway.port) as caller:
            once(monkeypatch, *WHERE[where])
            *_, last = await one_message(caller)
            assert last[:4] in {"421 ", "451 "} or (last.startswith("250 ") and where == "the record"), last
        await gateway.settled()
        [fault] = gateway.memory.told("fault")
        assert "Planted" in str(fault["exception"])
        await the_next_is_served(gateway)
    assert len(hop.taken) <= 2


async def test_what_goes_wrong_twice_costs_the_connection_and_nothing_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port), faults=["Planted"]) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            once(monkeypatch, Server, "receive")
            once(monkeypatch, Recorder, "transaction")
            await caller.send(b"DATA\r\n")
            assert await caller.closed() in {True, False}
        await gateway.settled()
        assert len(gateway.memory.told("fault")) == 2
        await the_next_is_served(gateway)


async def test_a_deadline_that_goes_wrong_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with NextHop() as hop:
        async with running_gateway(tmp_path, configuration(hop.port), faults=["Planted"], command_time=0.2) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.say("MAIL FROM:<a@client.test>")
                once(monkeypatch, Session, "_give_up")
                assert (await caller.reply()).startswith("421 4.3.0 ")
            await gateway.settled()
            assert [each.reply[:9] for each in gateway.memory.transactions] == ["421 4.3.0"]


async def test_a_file_whose_news_goes_wrong_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = configuration  # a message that goes to a file
    async with NextHop() as hop:
        async with running_gateway(
            tmp_path, text(hop.port, limits='spool_memory = "1KiB"'), faults=["Planted"]
        ) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.envelope()
                await caller.say("DATA")
                once(monkeypatch, Session, "regulate")
                await caller.send(b"X: " + b"y" * 3000 + b"\r\n")
                assert (await caller.reply()).startswith("421 4.3.0 ")
            await gateway.settled()
            assert [each.reply[:9] for each in gateway.memory.transactions] == ["421 4.3.0"]


async def the_next_is_served(gateway: RunningGateway) -> None:
    async with await Caller.call(gateway.port) as caller:
        *_, last = await one_message(caller)
        assert last.startswith("250 ")
