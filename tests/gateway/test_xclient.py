"""Whose mail it is: told by XCLIENT, never left to be guessed, and never another's."""

from pathlib import Path

import pytest

from tests.gateway.next_hop import OFFERS, NextHop
from tests.gateway.running import Caller, RunningGateway, running_gateway
from tests.gateway.test_flow import configuration

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"
ALL = "XCLIENT NAME REVERSE_NAME ADDR PORT PROTO HELO"
US = "EHLO mx.tidewaiter.test"


def hop_that(*, lists_it_again: bool, **answers: object) -> NextHop:
    """A next hop that takes XCLIENT, and offers it again behind it, or judges it by the address that it was told."""

    def hello(line: str) -> str:
        offers = [*OFFERS, ALL] if lists_it_again or line == US else OFFERS
        return "\r\n".join(["250-hop.test", *(f"250-{offer}" for offer in offers), "250 ENHANCEDSTATUSCODES"])

    return NextHop(answers={"XCLIENT": "220 hop.test ESMTP", "EHLO": hello} | answers)


async def send_as(gateway: RunningGateway, name: str, *, hello: str = "EHLO", messages: int = 1) -> list[str]:
    async with await Caller.call(gateway.port, hello=f"{hello} {name}") as caller:
        replies = []
        for _ in range(messages):
            await caller.say("MAIL FROM:<a@client.test>")
            reply = await caller.say("RCPT TO:<b@inside.test>")
            replies.append(await caller.data(MESSAGE) if reply.startswith("250") else reply)
            await caller.say("RSET")
        return replies


def verbs(commands: list[str]) -> list[str]:
    return [line.split(" ")[0] for line in commands]


@pytest.mark.parametrize("lists_it_again", [True, False])
@pytest.mark.parametrize("xclient", ["auto", "on"])
async def test_every_client_is_told_of_before_its_mail(lists_it_again: bool, xclient: str, tmp_path: Path) -> None:
    async with hop_that(lists_it_again=lists_it_again) as hop:
        async with running_gateway(tmp_path, configuration(hop.port, route=f'xclient = "{xclient}"')) as gateway:
            for number in range(4):
                [reply] = await send_as(gateway, f"client{number}.test")
                assert reply.startswith("250 ")
    assert len(hop.taken) == 4
    for commands in hop.commands:
        told = ""
        for line in commands:
            if line.startswith("XCLIENT "):
                assert lists_it_again or not told, "a second client is told of on a connection that did not offer that"
                told = line.rpartition("HELO=")[2]
            elif line.startswith("EHLO ") and told:
                assert line == f"EHLO {told}", "the greeting behind XCLIENT is taken for the client's"
            elif line.startswith("MAIL "):
                assert told, "mail that would be taken for ours"
    assert (len([each for each in hop.commands if "QUIT" not in verbs(each)[:2]]) == 1) is lists_it_again


async def test_a_clients_second_message_needs_no_second_introduction(tmp_path: Path) -> None:
    async with hop_that(lists_it_again=False) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        replies = await send_as(gateway, "client.test", messages=3)
        assert [reply[:3] for reply in replies] == ["250"] * 3
    assert sum(line.startswith("XCLIENT") for line in hop.said) == 1
    assert len(hop.commands) == 1


async def test_what_nobody_has_looked_up_is_said_to_be_unknown_for_now(tmp_path: Path) -> None:
    async with hop_that(lists_it_again=True) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        await send_as(gateway, "client.test", hello="HELO")
    [told] = [line for line in hop.said if line.startswith("XCLIENT")]
    name, reverse, address, port, protocol, hello = told.split(" ")[1:]
    assert (name, reverse, address) == ("NAME=[TEMPUNAVAIL]", "REVERSE_NAME=[TEMPUNAVAIL]", "ADDR=127.0.0.1")
    assert port.removeprefix("PORT=").isdigit()
    assert (protocol, hello) == ("PROTO=SMTP", "HELO=client.test")


@pytest.mark.parametrize("xclient", ["auto", "on"])
async def test_a_second_introduction_that_fails_never_sends_an_envelope(xclient: str, tmp_path: Path) -> None:
    answers = ["220 hop.test ESMTP", "550 5.7.0 Error: insufficient authorization", "220 hop.test ESMTP"]
    async with hop_that(lists_it_again=True, XCLIENT=answers) as hop:
        async with running_gateway(tmp_path, configuration(hop.port, route=f'xclient = "{xclient}"')) as gateway:
            for name in ("one.test", "two.test"):
                assert (await send_as(gateway, name))[0].startswith("250 ")
    first, second = hop.commands
    assert verbs(first)[-1] == "XCLIENT"
    assert verbs(second)[:3] == ["EHLO", "XCLIENT", "EHLO"]


ABOUT_US = ["500 5.5.2 What?", "501 5.5.4 Bad", "502 5.5.1 No", "503 5.5.1 Not now", "550 5.7.0 No right"]


@pytest.mark.parametrize(
    ("moment", "said", "heard"),
    [
        *(("XCLIENT", said, "451 4.3.5 ") for said in ABOUT_US),
        ("XCLIENT", "450 4.7.1 Come later", "450 4.7.1 Come later"),
        ("XCLIENT", "421 4.7.0 Go away", "451 4.4.2 Go away"),
        ("XCLIENT", "554 5.7.1 Client host rejected", "554 5.7.1 Client host rejected"),
        ("EHLO", "503 5.5.1 No", "451 4.3.5 "),
        ("EHLO", "450 4.7.1 Come later", "450 4.7.1 Come later"),
        ("EHLO", "554 5.7.1 Client host rejected", "554 5.7.1 Client host rejected"),
        ("EHLO", "550 5.7.1 Helo command rejected", "550 5.7.1 Helo command rejected"),
    ],
)
async def test_a_refused_introduction_is_about_the_client_or_about_us_and_the_hop_stays_up(
    moment: str, said: str, heard: str, tmp_path: Path
) -> None:
    async with hop_that(lists_it_again=False) as hop:
        polite = hop.answers["EHLO"]
        if moment == "XCLIENT":
            hop.answers["XCLIENT"] = lambda line: said if "bad.test" in line else "220 hop.test ESMTP"
        else:
            hop.answers["EHLO"] = lambda line: said if "bad.test" in line else polite(line)
        async with running_gateway(tmp_path, configuration(hop.port)) as gateway:
            for _ in range(2):
                assert (await send_as(gateway, "bad.test"))[0].startswith(heard)
                assert (await send_as(gateway, "good.test"))[0].startswith("250 ")
            assert gateway.memory.told("next hop down") == []
            # What is about us is told, and so is a hop that ends the connection.
            assert bool(gateway.memory.told("next hop trouble")) is heard.startswith("451 ")
    assert len(hop.taken) == 2


async def test_a_hop_that_must_be_told_and_offers_no_xclient_gets_no_mail(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, route='xclient = "on"')) as gateway:
        assert (await send_as(gateway, "client.test"))[0].startswith("451 4.3.5 ")
    assert not any(line.startswith("MAIL") for line in hop.said)
