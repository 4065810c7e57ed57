"""Each misfortune of a next hop that was once met, by name: what today's delivery makes of it.

`test_walk` meets them among all others; here each has its own script, and its own numbers.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.exploration import walk
from tests.exploration.checks import SCRIPTED
from tests.exploration.client import Client
from tests.exploration.company import BASE, COMPANY, DRESSES, Company
from tests.exploration.moments import Answer, Moment, Step, answers
from tests.exploration.stage import Stage, staged
from tests.exploration.world import Run

M = Moment
TOO_BIG = Answer("too big", "552 5.3.4 Too big")
NO_TLS = Answer("no TLS now", "454 4.7.0 TLS not available")
REJECTED = Answer("rejected", "554 5.7.1 Client host rejected")
NO_RIGHT = Answer("no right", "550 5.7.0 You are not authorized")
SWALLOW = answers(M.CONNECT)["swallow"]
SILENCE = answers(M.GREETING)["silence"]
FREEZE = answers(M.RCPT)["freeze"]
BROKEN = answers(M.HANDSHAKE)["broken"]
EIGHT_BIT = "ñ\r\n".encode()


@contextmanager
def played(dress: str, company: str | Company, *steps: Step, forever: bool = False) -> Iterator[Stage]:
    """Play on this stage; then nothing may be left, and no property broken that holds of every run."""
    named = COMPANY[company] if isinstance(company, str) else company
    run = Run(DRESSES[dress], named, steps, forever=forever)
    with staged(run) as stage:
        run.program.armed = True
        yield stage
    found = {name: each for name, each in walk.judged(run).items() if name not in SCRIPTED}
    assert not found, walk.told(run, found)


def sent(stage: Stage, **message: Any) -> str:
    """Send one message; give what became of it."""
    client = stage.send(**message)
    stage.until_heard()
    return client.final


def took(client: Client) -> float:
    """Seconds from the first to the last reply."""
    return client.heard[-1].replied - client.heard[0].asked


@pytest.mark.parametrize(("dress", "moment"), [("large chunk", M.CHUNK_BEFORE), ("large", M.CONTENT)])
def test_a_hop_that_refuses_before_the_end_is_believed_at_once_and_left(dress: str, moment: Moment) -> None:
    with played(dress, "nobody", Step(moment, TOO_BIG)) as stage:
        client = stage.send()
        stage.until_heard()
        assert client.final == TOO_BIG.says
        assert took(client) < 1.0
        [talk] = stage.run.hops[0].talks
        assert talk.far is not None
        assert talk.far.ended == "abort"
        assert [line for _, line in talk.commands if line in {"RSET", "QUIT"}] == []


@pytest.mark.parametrize("parameters", [" BODY=8BITMIME", " SMTPUTF8"])
def test_a_hop_that_starts_later_is_asked_again_and_nobody_hears_never(parameters: str) -> None:
    with played("pipelining", "nobody") as stage:
        address, hop = stage.loop.network.listening.popitem()
        assert sent(stage, parameters=parameters)[0] == "4"
        stage.loop.run_for(2.0)
        stage.loop.network.listening[address] = hop
        stage.loop.run_for(3.0)
        assert sent(stage, parameters=parameters)[:3] == "250"


def test_seven_bit_content_said_to_be_eight_bit_goes_anywhere() -> None:
    with played("pipelining", "nobody") as stage:
        stage.run.hops[0].offers = ("PIPELINING",)
        assert sent(stage, parameters=" BODY=8BITMIME")[:3] == "250"
        assert sent(stage, parameters=" BODY=8BITMIME", odd=EIGHT_BIT).startswith("550 5.6.3")


def test_a_hop_that_offers_8bitmime_on_some_connections_is_given_eight_bit_content_on_those() -> None:
    with played("pipelining", "nobody") as stage:
        hop = stage.run.hops[0]
        hop.offers_by_turn = [BASE, ("PIPELINING",)]
        first = stage.send(rests=0.5)
        stage.loop.run_for(0.1)
        assert sent(stage, parameters=" BODY=8BITMIME", odd=EIGHT_BIT)[:3] == "250"
        assert first.final[:3] == "250"
        assert all("8BITMIME" in talk.offers for talk in hop.talks if b"\xc3\xb1" in b"".join(_contents(talk.taken)))


@pytest.mark.parametrize(("moment", "answer"), [(M.STARTTLS, NO_TLS), (M.HANDSHAKE, BROKEN)])
def test_where_tls_may_be_and_fails_mail_goes_without_and_the_log_says_so(moment: Moment, answer: Answer) -> None:
    with played("TLS may", "nobody", Step(moment, answer), forever=True) as stage:
        assert sent(stage)[:3] == "250"
        tried = len(stage.run.program.fired)
        assert sent(stage)[:3] == "250"
        assert len(stage.run.program.fired) == tried, "TLS is tried on each connection"
        stage.loop.run_for(601.0)
        assert sent(stage)[:3] == "250"
        assert len(stage.run.program.fired) == tried + 1, "TLS is never tried again"
    assert [line["event"] for line in stage.run.log if line["event"] == "next hop without tls"] != []


@pytest.mark.parametrize(("moment", "answer"), [(M.STARTTLS, NO_TLS), (M.HANDSHAKE, BROKEN)])
def test_where_tls_must_be_and_fails_no_mail_goes(moment: Moment, answer: Answer) -> None:
    with played("TLS require", "nobody", Step(moment, answer), forever=True) as stage:
        assert sent(stage)[:3] == "451"
        assert stage.run.hops[0].taken == []


def test_an_address_that_swallows_what_is_sent_to_it_costs_a_moment() -> None:
    with played("pipelining", "a second address", Step(M.CONNECT, SWALLOW), forever=True) as stage:
        client = stage.send()
        stage.until_heard()
        assert client.final[:3] == "250"
        assert took(client) < 1.0


def test_a_hop_that_never_greets_costs_seconds_and_once_where_another_is_named() -> None:
    with played("pipelining", "a second hop", Step(M.GREETING, SILENCE), forever=True) as stage:
        first = stage.send()
        stage.until_heard()
        second = stage.send()
        stage.until_heard()
        assert [first.final[:3], second.final[:3]] == ["250", "250"]
        assert took(first) < 10.0
        assert took(second) < 1.0


def test_a_hop_that_takes_one_message_a_connection_takes_all_of_them() -> None:
    with played("pipelining", "a pool of many") as stage:
        stage.run.hops[0].most = 1
        warm = [stage.send(rests=0.01) for _ in range(4)]
        stage.until_heard()
        assert len(stage.run.hops[0].talks) == 4
        replies = [*(client.final for client in warm), *(sent(stage) for _ in range(4))]
        assert [reply[:3] for reply in replies] == ["250"] * 8


def test_silent_clients_lose_their_connections_within_a_second_where_the_hop_opens_no_more() -> None:
    company = Company("two silent", connections=10)
    with played("pipelining", company, Step(M.GREETING, SILENCE), forever=True) as stage:
        stage.run.program.armed = False
        silent = [stage.send(rests=5.0) for _ in range(2)]
        stage.loop.run_for(0.5)
        stage.run.program.armed = True
        client = stage.send()
        stage.until_heard()
        assert [each.final[:3] for each in (client, *silent)] == ["250"] * 3
        assert took(client) < 1.0


def test_a_pooled_connection_that_freezes_leaves_time_for_the_spare() -> None:
    with played("pipelining", "a second hop", Step(M.RCPT, FREEZE), forever=True) as stage:
        stage.run.program.armed = False
        assert sent(stage)[:3] == "250"
        stage.run.program.armed = True
        client = stage.send()
        stage.until_heard()
        assert client.final[:3] == "250"
        assert took(client) < 300.0, "the client has gone by then (RFC 5321 §4.5.3.2.3)"


XCLIENT_REPLIES = [
    (M.XCLIENT, NO_RIGHT, "451"),
    (M.XCLIENT, answers(M.XCLIENT)["503"], "451"),
    (M.XCLIENT, answers(M.XCLIENT)["4xx"], "450"),
    (M.XCLIENT, answers(M.XCLIENT)["421"], "451"),
    (M.XCLIENT, REJECTED, REJECTED.says),
    (M.EHLO_XCLIENT, REJECTED, REJECTED.says),
    (M.EHLO_XCLIENT, answers(M.EHLO_XCLIENT)["503"], "451"),
]


@pytest.mark.parametrize(("moment", "answer", "heard"), XCLIENT_REPLIES, ids=lambda value: getattr(value, "name", None))
def test_a_client_whom_the_hop_rejects_hears_it_and_others_do_not(moment: Moment, answer: Answer, heard: str) -> None:
    with played("XCLIENT", "nobody", Step(moment, answer)) as stage:
        assert sent(stage).startswith(heard)
        stage.loop.run_for(3.0)
        assert sent(stage)[:3] == "250"


def test_the_hop_sees_each_clients_own_name_and_address() -> None:
    with played("XCLIENT", "nobody") as stage:
        assert [sent(stage)[:3] for _ in range(2)] == ["250", "250"]
        said = [line for talk in stage.run.hops[0].talks for _, line in talk.commands]
        assert [line for line in said if line.startswith("EHLO client.test")] == ["EHLO client.test"] * 2
        assert ["ADDR=203.0.113.1" in line for line in said if line.startswith("XCLIENT")] == [True, False]


def _contents(taken: Sequence[object]) -> list[bytes]:
    return [getattr(each, "content", b"") for each in taken]


@pytest.mark.parametrize("answer", ["421", "FIN", "silence"])
@pytest.mark.parametrize("moment", [M.MAIL, M.RCPT])
def test_an_address_that_fails_every_message_is_left_for_the_other_of_the_name(moment: Moment, answer: str) -> None:
    with played("pipelining", "a second address", Step(moment, answers(moment)[answer]), forever=True) as stage:
        assert sent(stage)[:3] == "250"
        assert took(stage.run.clients[0]) < 200.0
        stage.loop.run_for(60.0)
        assert sent(stage)[:3] == "250"
        assert took(stage.run.clients[1]) < 1.0
        assert len(stage.run.program.fired) == 1
