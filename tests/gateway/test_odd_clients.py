"""Honest clients that are a little odd: what has one reading is taken, and the next hop hears it written anew."""

import asyncio
import re
import smtplib
from pathlib import Path

import pytest

from tests.gateway.next_hop import NextHop
from tests.gateway.running import HOST, Caller, running_gateway
from tests.gateway.test_flow import configuration

HOME = '[[listener.exclusion]]\nnetworks = "127.0.0.0/8"\n'


async def test_an_envelope_that_is_written_oddly_goes_on_as_it_should_be(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
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
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            for line, code in said.items():
                assert (await caller.say(line))[:3] == code, line
                assert (await caller.say("RSET"))[:3] == "250"


async def test_a_sender_without_a_domain_is_given_our_host_name_within_an_exclusion(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=HOME)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<root>")
            assert (await caller.data(b"Subject: x\r\n\r\n")).startswith("250")
    assert [taken.mail for taken in hop.taken] == ["MAIL FROM:<root@mx.tidewaiter.test>"]
    assert [record.reverse_path for record in gateway.memory.transactions] == ["root@mx.tidewaiter.test"]


@pytest.mark.parametrize(("behind", "reply", "logged"), [(b"\r\n", "221", 0), (b"NOOP\r\n", "554", 1)])
async def test_one_more_line_end_behind_quit_is_not_logged_as_a_refusal(
    behind: bytes, reply: str, logged: int, tmp_path: Path
) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.send(b"QUIT\r\n" + behind)
            assert (await caller.reply())[:3] == reply
            assert await caller.closed()
    assert len(gateway.memory.refusals) == logged


async def test_a_list_of_2100_recipients_goes_to_those_who_were_taken(tmp_path: Path) -> None:
    recipients = [f"b{number}@inside.test" for number in range(2100)]
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
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
    async with NextHop() as hop, running_gateway(tmp_path, setting + configuration(hop.port)) as gateway:
        async with Caller(*await asyncio.open_connection(HOST, gateway.port)) as caller:
            greeting = await caller.reply()
    found = re.fullmatch(r"220 ([^ ]+) ESMTP (.+)", greeting)
    assert found, greeting
    assert found.groups() == ("mx.tidewaiter.test", word)


RECEIVED = re.compile(rb"Received: from [^\r]*\r\n(?:\t[^\r]*\r\n)*")
TEXT = b"Hello, this is no header\r\n" * 13_000
WRITTEN = {
    b" x\r\n\r\nbody\r\n": b"\r\n x\r\n\r\nbody\r\n",
    b"\tfor <b@inside.test>\r\n\r\nbody\r\n": b"\r\n\tfor <b@inside.test>\r\n\r\nbody\r\n",
    b"From a@b.test Mon Jan  1 00:00:00 2024\r\nSubject: x\r\n\r\nbody\r\n": (
        b"X-Mailbox-Line: From a@b.test Mon Jan  1 00:00:00 2024\r\nSubject: x\r\n\r\nbody\r\n"
    ),
    b"Subject: x\r\nno field\r\nFrom: c@d.test\r\n\r\nbody\r\n": (
        b"Subject: x\r\n\r\nno field\r\nFrom: c@d.test\r\n\r\nbody\r\n"
    ),
    TEXT: b"\r\n" + TEXT,
}


@pytest.mark.parametrize("offers", [("PIPELINING", "SIZE 52428800"), ("PIPELINING", "SIZE 52428800", "CHUNKING")])
@pytest.mark.parametrize("content", WRITTEN, ids=lambda content: content[:12].decode())
async def test_the_header_section_ends_where_it_seems_to(
    content: bytes, offers: tuple[str, ...], tmp_path: Path
) -> None:
    async with NextHop(offers) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail=f"MAIL FROM:<a@client.test> SIZE={len(content)}")
            assert (await caller.data(content)).startswith("250")
        record = await gateway.recorded()
    [taken] = hop.taken
    found = RECEIVED.match(taken.content)
    assert found
    assert taken.content[found.end() :] == WRITTEN[content]
    announced = int(taken.mail.partition(" SIZE=")[2])
    assert len(taken.content) <= announced, "what is written in is within what was announced"
    assert record.oddities == {"header": 1}


@pytest.mark.parametrize("wire", [b". x\r\n\r\nbody\r\n", b"\rx\r\n\r\nbody\r\n", b"\0x\r\n\r\nbody\r\n"])
async def test_it_is_decided_on_the_content_as_it_will_be_written(wire: bytes, tmp_path: Path) -> None:
    """Behind unstuffing, and behind a CR or a NUL that became a space, the first line begins with white space."""
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=HOME)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(wire + b".\r\n")
            assert (await caller.reply()).startswith("250")
    found = RECEIVED.match(hop.taken[0].content)
    assert found
    assert hop.taken[0].content[found.end() :] == b"\r\n x\r\n\r\nbody\r\n"


async def test_who_wants_to_may_refuse_it_in_words_of_its_own(tmp_path: Path) -> None:
    where = 'data = { header = "refuse" }\n'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=where)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            said = await caller.data(b"no field\r\n")
            assert said == "550 5.6.0 A line of the header section is no header field"
            assert await caller.closed()
        record = await gateway.recorded()
    assert hop.taken == []
    assert (record.outcome, record.oddities) == ("refused", {"header": 1})


async def test_in_the_shadow_it_is_delivered_and_told(tmp_path: Path) -> None:
    where = 'data = { header = "refuse" }\nshadow = true\n'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=where)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(b"no field\r\n")).startswith("250")
        record = await gateway.recorded()
    assert hop.taken[0].content.endswith(b"\r\n\r\nno field\r\n")
    assert record.oddities == {"header": 1}
