"""Mail flows: what goes in by one socket comes out by the other, byte for byte but for `Received`."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.gateway.next_hop import OFFERS, NextHop
from tests.gateway.running import INBOUND, Caller, running_gateway, until

RECEIVED = re.compile(
    rb"Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n"
    rb"\tby mx\.tidewaiter\.test with (?:UTF8SMTP|ESMTP|SMTP) id [0-9a-f]{20}"
    rb"(?:\r\n\tfor <[^>]+>)?; \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n"
)
HONEST = {
    "plain": b"Subject: hello\r\n\r\nHello.\r\n",
    "empty": b"",
    "no body": b"Subject: hello\r\n",
    "no header": b"\r\nHello.\r\n",
    "dots everywhere": b"\r\n.\r\n..\r\n...\r\n.x\r\nx.\r\n.\r\n\r\n.\r\n",
    "a dot first": b".Subject: x\r\n\r\n.\r\n",
    "8-bit": "Subject: naïve\r\n\r\nÆblegrød\r\n".encode("latin-1"),
    "utf-8": "Subject: Æblegrød\r\n\r\n\u2028\r\n".encode(),
    "a long line": b"Subject: x\r\n\r\n" + b"y" * 5000 + b"\r\n",
    "four megabytes": b"Subject: x\r\n\r\n" + (b"z" * 76 + b"\r\n") * 55_000,
}


def configuration(*ports: int, listener: str = "", route: str = "", limits: str = "", scheme: str = "smtp") -> str:
    hops = [f"{scheme}://127.0.0.1:{port}" for port in ports]
    return INBOUND.format(hops=hops, listener=listener, route=route, limits=limits)


def without_received(content: bytes) -> bytes:
    found = RECEIVED.match(content)
    assert found, content[:300]
    return content[found.end() :]


@pytest.mark.parametrize("chunking", [False, True], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("kind", HONEST)
async def test_honest_mail_passes_byte_for_byte_but_for_received(kind: str, chunking: bool, tmp_path: Path) -> None:
    offers = (*OFFERS, "CHUNKING") if chunking else OFFERS
    async with NextHop(offers) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            reply = await caller.data(HONEST[kind])
        await gateway.settled()
    assert reply.startswith("250 2.0.0 Ok: ")
    [taken] = hop.taken
    assert without_received(taken.content) == HONEST[kind]
    assert taken.by == ("BDAT" if chunking else "DATA")
    assert (taken.mail, taken.recipients) == ("MAIL FROM:<a@client.test>", ("b@inside.test",))
    [record] = gateway.memory.transactions
    assert (record.outcome, record.id, record.queue_id) == ("delivered", reply.split()[-1], "4ABCDEF123")
    assert record.size == len(HONEST[kind])


async def test_a_missing_last_newline_is_kept_where_the_next_hop_counts(tmp_path: Path) -> None:
    async with NextHop((*OFFERS, "CHUNKING")) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.send(b"BDAT 15\r\nSubject: x\r\n\r\ny")
            assert (await caller.reply()).startswith("250")
            await caller.send(b"BDAT 4 LAST\r\n.\r\nz")
            assert (await caller.reply()).startswith("250")
    assert without_received(hop.taken[0].content) == b"Subject: x\r\n\r\ny.\r\nz"


async def test_many_messages_use_one_connection_at_both_ends(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            for number in range(20):
                await caller.envelope(f"b{number}@inside.test")
                assert (await caller.data(b"Subject: %d\r\n\r\n" % number)).startswith("250")
    assert len(hop.commands) == 1
    assert [taken.recipients for taken in hop.taken] == [(f"b{number}@inside.test",) for number in range(20)]


async def test_an_unknown_recipient_is_refused_at_rcpt_with_the_next_hops_words(tmp_path: Path) -> None:
    answers = {"RCPT": ["550 5.1.1 No such user here", "250 2.1.5 Ok"]}
    async with NextHop(answers=answers) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            assert await caller.say("MAIL FROM:<>") == "250 2.1.0 Ok"
            assert await caller.say("RCPT TO:<nobody@inside.test>") == "550 5.1.1 No such user here"
            assert await caller.say("RCPT TO:<b@inside.test>") == "250 2.1.5 Ok"
            assert (await caller.data(b"Subject: x\r\n\r\n")).startswith("250")
        [refusal] = gateway.memory.refusals
    assert (refusal.stage, refusal.forward_path) == ("recipient", "nobody@inside.test")
    assert [(taken.mail, taken.recipients) for taken in hop.taken] == [("MAIL FROM:<>", ("b@inside.test",))]


async def test_what_honest_clients_ask_unasked_is_taken_and_does_not_go_to_the_next_hop(tmp_path: Path) -> None:
    async with NextHop(offers=("PIPELINING",)) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            mail = "MAIL FROM:<a@client.test> BODY=7BIT AUTH=<> RET=HDRS ENVID=x+2By"
            rcpt = "RCPT TO:<b@inside.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@inside.test"
            assert await caller.say(mail) == "250 2.1.0 Ok"
            assert await caller.say(rcpt) == "250 2.1.5 Ok"
            assert (await caller.data(b"Subject: x\r\n\r\n")).startswith("250")
    assert hop.said[1:3] == ["MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>"]


async def test_each_recipient_that_we_refuse_ourselves_has_its_line(tmp_path: Path) -> None:
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port, limits="recipients = 100")) as gateway,
    ):
        async with await Caller.call(gateway.port) as caller:
            await caller.say("RCPT TO:<b@inside.test>", "MAIL FROM:<a@client.test>")
            await caller.say("RCPT TO:<b\x1b[31m@inside.test>", "RCPT TO:<b@inside.test> NOTIFY=NOW")
            replies = [await caller.say(f"RCPT TO:<b{number}@inside.test>") for number in range(101)]
        assert replies[-1].startswith("452 4.5.3 ")
        said = [(each.stage, each.reason, each.reverse_path, each.forward_path) for each in gateway.memory.refusals]
    assert said == [
        ("recipient", "out of order", "", "TO:<b@inside.test>"),
        ("recipient", "malformed", "a@client.test", "TO:<b\\x1b[31m@inside.test>"),
        ("recipient", "malformed", "a@client.test", "TO:<b@inside.test> NOTIFY=NOW"),
        ("recipient", "too many recipients", "a@client.test", "TO:<b100@inside.test>"),
    ]


async def test_data_goes_to_the_next_hop_only_when_the_message_is_complete(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.say("DATA")).startswith("354")
            await caller.send(b"Subject: x\r\n\r\nhalf")
        await gateway.settled()
        assert hop.taken == []
        assert "DATA" not in hop.said


async def test_no_reply_comes_before_the_next_hops(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with NextHop(held=held) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            answer = asyncio.ensure_future(caller.data(b"Subject: x\r\n\r\n"))
            await until(lambda: any(b"\r\n.\r\n" in wire for wire in hop.wire), "the final dot")
            assert not answer.done()
            held.set()
            assert (await answer).startswith("250")
