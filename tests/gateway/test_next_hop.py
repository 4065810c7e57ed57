"""The next hop: asked as the envelope arrives, left without a trace of what failed, never asked twice to deliver."""

import asyncio
from pathlib import Path

import pytest

from tests.gateway.next_hop import CLOSE, OFFERS, SILENCE, NextHop
from tests.gateway.running import INBOUND, Caller, RunningGateway, running_gateway, until
from tests.gateway.test_flow import configuration, without_received
from tidewaiter.gateway.record.hop_status import DOWN, FULL, UP

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"
LARGE = b"Subject: x\r\n\r\n" + (b"z" * 76 + b"\r\n") * 30_000


async def send_one(gateway: RunningGateway, content: bytes = MESSAGE) -> str:
    async with await Caller.call(gateway.port) as caller:
        await caller.envelope()
        return await caller.data(content)


async def test_a_next_hop_that_is_down_is_4xx_at_rcpt(tmp_path: Path) -> None:
    async with NextHop() as hop:
        port = hop.port
    async with running_gateway(tmp_path, configuration(port)) as gateway, await Caller.call(gateway.port) as caller:
        assert await caller.say("MAIL FROM:<a@client.test>") == "250 2.1.0 Ok"
        assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("451 4.4.1 ")
        assert (await caller.say("DATA")).startswith("554 5.5.1 ")


async def test_failover_goes_on_until_a_next_hop_accepts_a_recipient(tmp_path: Path) -> None:
    async with NextHop() as gone:
        port = gone.port
    async with NextHop(answers={"MAIL": "451 4.3.0 Not now"}) as ill, NextHop() as well:
        async with running_gateway(tmp_path, configuration(port, ill.port, well.port)) as gateway:
            assert (await send_one(gateway)).startswith("250")
            await gateway.settled()
        assert without_received(well.taken[0].content) == MESSAGE
        assert ill.taken == []


async def test_a_next_hop_that_takes_no_more_connections_serves_all_by_those_it_took(tmp_path: Path) -> None:
    greetings = ["220 hop.test ESMTP"] + ["421 4.3.2 Too many concurrent SMTP connections"] * 100
    async with (
        NextHop(answers={"greeting": greetings}) as hop,
        running_gateway(tmp_path, configuration(hop.port)) as gateway,
    ):
        answers = await asyncio.gather(*(send_one(gateway) for _ in range(20)))
        assert [answer[:3] for answer in answers] == ["250"] * 20
        [full] = gateway.memory.told(FULL)
        assert (full["level"], full["next_hop"]) == ("warning", f"smtp://127.0.0.1:{hop.port}")
        assert "Too many concurrent" in str(full["reason"])
        assert gateway.memory.told(DOWN) == []
    assert len(hop.commands) < 20, "a hop that is full is knocked at by each transaction that waits"


async def test_a_full_next_hop_that_drops_what_it_kept_is_asked_again_at_once(tmp_path: Path) -> None:
    greetings = ["220 hop.test ESMTP", "421 4.3.2 Too many concurrent SMTP connections"]
    async with (
        NextHop(answers={"greeting": greetings}) as hop,
        running_gateway(tmp_path, configuration(hop.port)) as gateway,
    ):
        async with await Caller.call(gateway.port) as first, await Caller.call(gateway.port) as second:
            await asyncio.gather(first.envelope(), second.envelope())
            assert len(gateway.memory.told(FULL)) == 1
        hop.drop()
        await until(lambda: not hop.open, "the end of what was kept")
        assert (await send_one(gateway)).startswith("250")


async def test_a_next_hop_that_goes_and_comes_is_told_once_each_time(tmp_path: Path) -> None:
    async with NextHop() as hop:
        port = hop.port
        async with running_gateway(tmp_path, configuration(port)) as gateway:
            await hop.stop()
            for _ in range(3):
                async with await Caller.call(gateway.port) as caller:
                    reply = await caller.say("MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>")
                    assert reply.startswith("451 4.4.1 ")
            await hop.start(port)
            async with await Caller.call(gateway.port) as caller:
                while not (await caller.say("RSET", "MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>")).startswith(
                    "2"
                ):
                    await asyncio.sleep(0.1)
            assert [len(gateway.memory.told(event)) for event in (DOWN, UP, FULL)] == [1, 1, 0]


@pytest.mark.parametrize("step", ["greeting", "EHLO"])
async def test_a_5xx_before_mail_is_our_misconfiguration_and_4xx_to_the_client(step: str, tmp_path: Path) -> None:
    async with NextHop(answers={step: "554 5.7.1 Go away", "HELO": "554 5.7.1 Go away"}) as hop:
        async with (
            running_gateway(tmp_path, configuration(hop.port)) as gateway,
            await Caller.call(gateway.port) as caller,
        ):
            assert (await caller.say("MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>")).startswith("451 4.4.1 ")


async def test_a_recipient_of_another_next_hop_comes_again(tmp_path: Path) -> None:
    async with NextHop() as one, NextHop() as other:
        text = configuration(one.port) + (
            f'[[route]]\ndomains = ["other.test"]\nnext_hop = "smtp://127.0.0.1:{other.port}"\n'
        )
        text = text.replace("[limits]\n\n", "")
        async with running_gateway(tmp_path, text) as gateway, await Caller.call(gateway.port) as caller:
            await caller.envelope("b@inside.test")
            assert (await caller.say("RCPT TO:<c@other.test>")).startswith("452 4.5.3 ")
            assert (await caller.data(MESSAGE)).startswith("250")
            await caller.envelope("c@other.test")
            assert (await caller.data(MESSAGE)).startswith("250")
        assert [len(one.taken), len(other.taken)] == [1, 1]


async def test_lmtp_takes_one_recipient_a_transaction(tmp_path: Path) -> None:
    async with NextHop() as hop:
        async with running_gateway(tmp_path, configuration(hop.port, scheme="lmtp")) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.envelope("b@inside.test")
                assert (await caller.say("RCPT TO:<c@inside.test>")).startswith("452 4.5.3 ")
                assert (await caller.data(MESSAGE)).startswith("250")
    assert hop.said[0].startswith("LHLO ")
    assert [taken.recipients for taken in hop.taken] == [("b@inside.test",)]


async def test_who_waits_too_long_for_a_connection_hears_451(tmp_path: Path) -> None:
    async with NextHop(held=asyncio.Event()) as hop:
        text = configuration(hop.port, route="connections = 1")
        async with running_gateway(tmp_path, text, next_hop_wait=0.2) as gateway:
            async with await Caller.call(gateway.port) as first, await Caller.call(gateway.port) as second:
                await first.envelope()
                answer = asyncio.ensure_future(first.data(MESSAGE))
                await until(lambda: any(b"\r\n.\r\n" in wire for wire in hop.wire), "the final dot")
                await second.say("MAIL FROM:<c@client.test>")
                assert (await second.say("RCPT TO:<b@inside.test>")).startswith("451 4.4.5 ")
                assert hop.held is not None
                hop.held.set()
                assert (await answer).startswith("250")
        assert hop.most == 1


async def test_a_silent_clients_connection_is_lent_to_who_waits_and_its_envelope_repeated(tmp_path: Path) -> None:
    async with NextHop() as hop:
        async with running_gateway(tmp_path, configuration(hop.port, route="connections = 1")) as gateway:
            async with await Caller.call(gateway.port) as silent, await Caller.call(gateway.port) as other:
                await silent.envelope("b@inside.test", "c@inside.test")
                await other.envelope("d@inside.test")
                assert (await other.data(MESSAGE)).startswith("250")
                assert (await silent.data(MESSAGE)).startswith("250")
    assert hop.most == 1
    assert [taken.recipients for taken in hop.taken] == [("d@inside.test",), ("b@inside.test", "c@inside.test")]


async def test_a_silent_client_loses_its_connection_even_when_nobody_waits(tmp_path: Path) -> None:
    async with NextHop() as hop:
        async with running_gateway(tmp_path, configuration(hop.port), next_hop_idle=0.1) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.envelope()
                await until(lambda: "RSET" in hop.said, "RSET")
                assert (await caller.data(MESSAGE)).startswith("250")
    verbs = [line.split(" ")[0] for line in hop.said]
    assert verbs[:7] == ["EHLO", "MAIL", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
async def test_a_next_hop_that_answers_the_repeated_envelope_differently_is_451(verb: str, tmp_path: Path) -> None:
    answers = {verb: ["250 2.0.0 Ok", "550 5.7.1 Not any more"]}
    async with NextHop(answers=answers) as hop:
        async with running_gateway(tmp_path, configuration(hop.port), next_hop_idle=0.1) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.envelope()
                await until(lambda: "RSET" in hop.said, "RSET")
                assert (await caller.data(MESSAGE)).startswith("451 4.5.0 ")
                await caller.envelope()
                assert (await caller.data(MESSAGE)).startswith("250")
    assert len(hop.taken) == 1


async def test_xclient_tells_of_each_client_once(tmp_path: Path) -> None:
    answers = {"XCLIENT": "220 hop.test ESMTP"}
    async with NextHop((*OFFERS, "XCLIENT NAME ADDR PROTO HELO"), answers=answers) as hop:
        async with running_gateway(tmp_path, configuration(hop.port, route="connections = 1")) as gateway:
            for hello in ("EHLO one.test", "HELO two.test"):
                async with await Caller.call(gateway.port, hello=hello) as caller:
                    for _ in range(2):
                        await caller.envelope()
                        assert (await caller.data(MESSAGE)).startswith("250")
    assert [line for line in hop.said if line.startswith("XCLIENT")] == [
        "XCLIENT NAME=[TEMPUNAVAIL] ADDR=127.0.0.1 PROTO=ESMTP HELO=one.test",
        "XCLIENT NAME=[TEMPUNAVAIL] ADDR=127.0.0.1 PROTO=SMTP HELO=two.test",
    ]
    assert len(hop.taken) == 4


async def test_a_pooled_connection_that_dies_before_the_body_is_replaced_once(tmp_path: Path) -> None:
    async with (
        NextHop(answers={"DATA": [CLOSE, "354 Go on"]}) as hop,
        running_gateway(tmp_path, configuration(hop.port)) as gateway,
    ):
        assert (await send_one(gateway)).startswith("250")
        assert len(hop.taken) == 1
        hop.answers["DATA"] = [CLOSE, CLOSE, "354 Go on"]
        assert (await send_one(gateway)).startswith("451 4.4.2 ")
        assert len(hop.taken) == 1


async def test_a_pooled_connection_that_dies_before_a_recipient_is_answered_is_replaced_once(tmp_path: Path) -> None:
    async with (
        NextHop(answers={"RCPT": [CLOSE, "250 2.1.5 Ok"]}) as hop,
        running_gateway(tmp_path, configuration(hop.port)) as gateway,
    ):
        assert (await send_one(gateway)).startswith("250")
    assert len(hop.taken) == 1


async def test_a_next_hop_that_answers_what_was_not_asked_yet_is_believed_nothing(tmp_path: Path) -> None:
    replies = "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 Go\r\n250 2.0.0 Ok"
    async with NextHop(answers={"MAIL": replies}) as hop:
        async with (
            running_gateway(tmp_path, configuration(hop.port)) as gateway,
            await Caller.call(gateway.port) as caller,
        ):
            await caller.say("MAIL FROM:<a@client.test>")
            assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("451 ")
            assert (await caller.say("DATA")).startswith("554 ")
    assert hop.taken == []


async def test_a_connection_lost_within_the_body_is_451_and_not_tried_again(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        hop.deaf = True
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            answer = asyncio.ensure_future(caller.data(LARGE))
            await until(lambda: "DATA" in hop.said, "DATA")
            await hop.stop()
            assert (await answer).startswith("451 4.4.2 ")
        await gateway.settled()
        [record] = gateway.memory.transactions
        assert record.outcome in ("deferred", "doubtful")
    assert hop.said.count("DATA") == 1


@pytest.mark.parametrize("content", [MESSAGE, LARGE], ids=["memory", "file"])
@pytest.mark.parametrize("verb", ["DATA", "BDAT"])
async def test_a_reply_that_never_came_is_451_and_doubtful_and_never_sent_twice(
    verb: str, content: bytes, tmp_path: Path
) -> None:
    offers = OFFERS if verb == "DATA" else (*OFFERS, "CHUNKING")
    async with (
        NextHop(offers, answers={"end": CLOSE}) as hop,
        running_gateway(tmp_path, configuration(hop.port)) as gateway,
    ):
        assert (await send_one(gateway, content)).startswith("451 4.4.2 ")
        [record] = gateway.memory.transactions
        assert record.outcome == "doubtful"
        assert gateway.doubts.take_all() == []
    assert sum(line.startswith(verb) for line in hop.said) == 1


async def test_the_outcome_is_awaited_even_when_the_client_has_gone(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with NextHop(held=held) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(MESSAGE + b".\r\n")
            await until(lambda: any(b"\r\n.\r\n" in wire for wire in hop.wire), "the final dot")
            caller.vanish()
        await until(lambda: not gateway.sessions, "the end of the connection")
        assert gateway.worker.under_way == 1
        held.set()
        await gateway.settled()
        [record] = gateway.memory.transactions
    assert (record.outcome, record.queue_id) == ("doubtful", "4ABCDEF123")
    assert len(hop.taken) == 1


async def test_a_next_hop_that_takes_too_long_is_451_in_time_and_logged_as_possibly_doubled(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with (
        NextHop(held=held) as hop,
        running_gateway(tmp_path, configuration(hop.port), final_reply=0.3) as gateway,
    ):
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("451 4.4.2 ")
            assert gateway.memory.transactions == []
            held.set()
            await gateway.settled()
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250")
        first, second = gateway.memory.transactions
    assert (first.outcome, second.outcome) == ("doubtful", "delivered")


async def test_a_next_hop_silent_at_rcpt_is_451_in_time(tmp_path: Path) -> None:
    async with NextHop(answers={"RCPT": SILENCE}) as hop:
        async with running_gateway(tmp_path, configuration(hop.port), final_reply=0.3) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.say("MAIL FROM:<a@client.test>")
                assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("451 4.4.2 ")
                assert (await caller.say("RSET")).startswith("250")
            hop.drop()  # else it owes the reply to RSET for minutes


async def test_who_was_accepted_before_is_not_forgotten_when_another_recipient_takes_too_long(tmp_path: Path) -> None:
    async with NextHop(answers={"RCPT": ["250 2.1.5 Ok", SILENCE]}) as hop:
        async with running_gateway(tmp_path, configuration(hop.port), final_reply=0.3) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.envelope("b@inside.test")
                assert (await caller.say("RCPT TO:<c@inside.test>")).startswith("451 4.4.2 ")
                assert (await caller.say("RCPT TO:<d@inside.test>")).startswith("250 ")
                assert (await caller.data(MESSAGE)).startswith("250 ")
            hop.drop()  # else it owes the reply to RSET for minutes
    assert [taken.recipients for taken in hop.taken] == [("b@inside.test", "d@inside.test")]


EIGHT_BIT = b"Subject: x\r\n\r\nHol\xc3\xa1.\r\n"


def without(offer: str) -> tuple[str, ...]:
    return tuple(each for each in OFFERS if each != offer)


async def test_what_is_7_bit_goes_where_8bitmime_is_not_offered(tmp_path: Path) -> None:
    async with NextHop(without("8BITMIME")) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<a@client.test> BODY=8BITMIME")
            assert (await caller.data(MESSAGE)).startswith("250 ")
    assert [taken.mail for taken in hop.taken] == ["MAIL FROM:<a@client.test>"]


async def test_what_is_not_7_bit_is_550_once_every_hop_has_said_no(tmp_path: Path) -> None:
    async with NextHop(without("8BITMIME")) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<a@client.test> BODY=8BITMIME")
            assert (await caller.data(EIGHT_BIT)).startswith("550 5.6.3 ")
            assert (await caller.say("MAIL FROM:<a@client.test> SMTPUTF8")).startswith("250 ")
    assert hop.taken == []


async def test_what_is_not_7_bit_finds_the_connection_that_was_offered_8bitmime(tmp_path: Path) -> None:
    """Two servers stand behind one name, and connections meet now this one, now that."""
    async with NextHop(without("8BITMIME")) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<a@client.test> BODY=8BITMIME")
            hop.offers = OFFERS
            assert (await caller.data(EIGHT_BIT)).startswith("250 ")
            hop.offers = without("8BITMIME")
            hop.drop()
            await until(lambda: not hop.open, "the end of all connections")
            await caller.envelope(mail="MAIL FROM:<a@client.test> BODY=8BITMIME")
            assert (await caller.data(EIGHT_BIT)).startswith("451 4.6.3 "), "a hop that has offered it may do so again"
    assert [taken.mail for taken in hop.taken] == ["MAIL FROM:<a@client.test> BODY=8BITMIME"]


@pytest.mark.parametrize(("offers", "reply"), [(OFFERS, "250 "), (without("SMTPUTF8"), "550 5.6.7 ")])
async def test_smtputf8_is_asked_of_the_hop_and_550_once_it_has_said_no(
    offers: tuple[str, ...], reply: str, tmp_path: Path
) -> None:
    async with NextHop(offers) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            assert (await caller.say("MAIL FROM:<a@client.test> SMTPUTF8")).startswith("250 ")
            assert (await caller.say("RCPT TO:<b@inside.test>")).startswith(reply)


async def test_a_hop_that_starts_behind_us_is_asked_again_and_never_refused_for(tmp_path: Path) -> None:
    async with NextHop() as hop:
        port = hop.port
    async with running_gateway(tmp_path, configuration(port)) as gateway, await Caller.call(gateway.port) as caller:
        for mail in ("MAIL FROM:<a@client.test> BODY=8BITMIME", "MAIL FROM:<a@client.test> SMTPUTF8"):
            assert (await caller.say(mail)).startswith("250 ")
            assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("451 ")
            await caller.say("RSET")
        await hop.start(port)
        await until(lambda: gateway.hops.all()[0].offers, "the hop's offers, though nobody asks for it")
        await caller.envelope(mail="MAIL FROM:<a@client.test> BODY=8BITMIME SMTPUTF8")
        assert (await caller.data(EIGHT_BIT)).startswith("250 ")
    await hop.stop()


async def test_a_byte_that_nobody_asked_for_keeps_a_connection_out_of_the_pool(tmp_path: Path) -> None:
    async with NextHop(answers={"end": "250 2.0.0 Ok\r\n250 2.0.0 And one more"}) as hop:
        async with running_gateway(tmp_path, configuration(hop.port)) as gateway:
            for _ in range(2):
                assert (await send_one(gateway)).startswith("250")
    assert len(hop.commands) == 2


async def test_421_from_the_next_hop_is_tried_once_more_and_does_not_end_our_clients_connection(tmp_path: Path) -> None:
    async with NextHop(answers={"RCPT": ["421 4.3.2 Shutting down"] * 2}) as hop:
        async with (
            running_gateway(tmp_path, configuration(hop.port)) as gateway,
            await Caller.call(gateway.port) as caller,
        ):
            await caller.say("MAIL FROM:<a@client.test>")
            assert await caller.say("RCPT TO:<b@inside.test>") == "451 4.4.2 Shutting down"
            assert (await caller.say("RCPT TO:<b@inside.test>")).startswith("250 ")
            assert (await caller.data(MESSAGE)).startswith("250")


async def test_a_next_hop_that_refuses_the_content_is_passed_on_and_leaves_no_residue(tmp_path: Path) -> None:
    answers = {"end": ["554 5.7.1 Spam", "250 2.0.0 Ok"], "DATA": ["451 4.3.0 Later", "354 Go", "354 Go"]}
    async with NextHop(answers=answers) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            for expected in ("451 4.3.0 Later", "554 5.7.1 Spam", "250 2.0.0 Ok: "):
                await caller.envelope()
                assert (await caller.data(MESSAGE)).startswith(expected)
    assert len(hop.taken) == 1
    assert len(hop.commands) == 1


async def test_reset_by_the_client_resets_the_next_hop(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, route="connections = 1")) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope("b@inside.test")
            assert (await caller.say("RSET")).startswith("250")
            await caller.envelope("c@inside.test")
            assert (await caller.data(MESSAGE)).startswith("250")
    assert [taken.recipients for taken in hop.taken] == [("c@inside.test",)]


async def test_the_offers_are_those_of_the_next_hop(tmp_path: Path) -> None:
    async with (
        NextHop(("PIPELINING", "8BITMIME", "SIZE 100000")) as hop,
        running_gateway(tmp_path, configuration(hop.port)) as gateway,
    ):
        async with await Caller.call(gateway.port, hello="") as caller:
            lines = (await caller.say("EHLO client.test")).split("\n")
            assert [line[4:] for line in lines[1:]] == ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "SIZE 98976"]


async def test_before_a_next_hop_was_heard_only_what_we_can_keep_is_offered(tmp_path: Path) -> None:
    async with NextHop() as hop:
        port = hop.port
    async with running_gateway(
        tmp_path, INBOUND.format(hops=f'"smtp://127.0.0.1:{port}"', listener="", route="", limits="")
    ) as gateway:
        async with await Caller.call(gateway.port, hello="") as caller:
            lines = (await caller.say("EHLO client.test")).split("\n")
            assert [line[4:] for line in lines[1:]] == ["PIPELINING", "ENHANCEDSTATUSCODES", "SIZE 52428800"]
