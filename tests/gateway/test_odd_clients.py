"""Honest clients that are a little odd: what has one reading is taken, and the next hop hears it written anew."""

import asyncio
import re
import smtplib
from pathlib import Path

import pytest

from tests.gateway.house import HOST, Caller, house
from tests.gateway.next_hop import NextHop
from tests.gateway.test_flow import configuration

HOME = '[[listener.exclusion]]\nnetworks = "127.0.0.0/8"\n'


async def test_an_envelope_that_is_written_oddly_goes_on_as_it_should_be(tmp_path: Path) -> None:
    async with NextHop() as hop, house(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            assert await caller.say("MAIL  FROM : a@client.test  SIZE=10") == "250 2.1.0 Ok"
            assert await caller.say("RCPT TO: < b@inside.test >") == "250 2.1.5 Ok"
            assert await caller.say("RCPT TO:c@inside.test") == "250 2.1.5 Ok"
            assert (await caller.data(b"Subject: x\r\n\r\n")).startswith("250")
    [taken] = hop.taken
    assert taken.mail.split(" SIZE=")[0] == "MAIL FROM:<a@client.test>"
    assert taken.recipients == ("b@inside.test", "c@inside.test")


@pytest.mark.parametrize(
    ("listener", "said"),
    [
        ("", {"MAIL FROM:a@b.test": "250", "MAIL FROM:<root>": "553"}),
        ('envelope = "refuse"\n', {"MAIL FROM:a@b.test": "501", "MAIL FROM:<root>": "553"}),
        (f'envelope = "refuse"\n{HOME}', {"MAIL FROM:a@b.test": "250", "MAIL FROM:<root>": "250"}),
        (f'{HOME}envelope = "refuse"\n', {"MAIL FROM:a@b.test": "501", "MAIL FROM:<root>": "553"}),
        ('envelope = "refuse"\nshadow = true\n', {"MAIL FROM:a@b.test": "250", "MAIL FROM:<root>": "553"}),
    ],
)
async def test_each_listener_and_each_exclusion_has_its_position(
    listener: str, said: dict[str, str], tmp_path: Path
) -> None:
    async with NextHop() as hop, house(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            for line, code in said.items():
                assert (await caller.say(line))[:3] == code, line
                assert (await caller.say("RSET"))[:3] == "250"


async def test_a_sender_without_a_domain_is_given_our_host_name_within_an_exclusion(tmp_path: Path) -> None:
    async with NextHop() as hop, house(tmp_path, configuration(hop.port, listener=HOME)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<root>")
            assert (await caller.data(b"Subject: x\r\n\r\n")).startswith("250")
    assert [taken.mail for taken in hop.taken] == ["MAIL FROM:<root@mx.tidewaiter.test>"]
    assert [record.reverse_path for record in gateway.memory.transactions] == ["root@mx.tidewaiter.test"]


@pytest.mark.parametrize(("behind", "reply", "logged"), [(b"\r\n", "221", 0), (b"NOOP\r\n", "554", 1)])
async def test_one_more_line_end_behind_quit_is_not_logged_as_a_refusal(
    behind: bytes, reply: str, logged: int, tmp_path: Path
) -> None:
    async with NextHop() as hop, house(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.send(b"QUIT\r\n" + behind)
            assert (await caller.reply())[:3] == reply
            assert await caller.closed()
    assert len(gateway.memory.refusals) == logged


async def test_a_list_of_2100_recipients_goes_to_those_who_were_taken(tmp_path: Path) -> None:
    recipients = [f"b{number}@inside.test" for number in range(2100)]
    async with NextHop() as hop, house(tmp_path, configuration(hop.port)) as gateway:
        refused = await asyncio.to_thread(_send, gateway.port, recipients)
    [taken] = hop.taken
    assert taken.recipients == tuple(recipients[:1000])
    assert list(refused) == recipients[1000:]
    assert {code for code, _ in refused.values()} == {452}


def _send(port: int, recipients: list[str]) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP(HOST, port, timeout=60) as client:
        return client.sendmail("a@client.test", recipients, b"Subject: x\r\n\r\nHello.\r\n")


@pytest.mark.parametrize(("setting", "word"), [("", "Tidewaiter"), ('greeting = "No UCE here"\n', "No UCE here")])
async def test_a_word_stands_behind_esmtp_in_the_greeting(setting: str, word: str, tmp_path: Path) -> None:
    async with NextHop() as hop, house(tmp_path, setting + configuration(hop.port)) as gateway:
        async with Caller(*await asyncio.open_connection(HOST, gateway.port)) as caller:
            greeting = await caller.reply()
    found = re.fullmatch(r"220 ([^ ]+) ESMTP (.+)", greeting)
    assert found, greeting
    assert found.groups() == ("mx.tidewaiter.test", word)
