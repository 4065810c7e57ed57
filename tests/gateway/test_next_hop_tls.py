"""TLS towards the next hop: off, may, require, verify; and what was said before it is forgotten behind it."""

import ssl
from pathlib import Path

import pytest
import trustme

from tests.gateway.next_hop import OFFERS, NextHop
from tests.gateway.running import Caller, RunningGateway, running_gateway
from tests.gateway.test_flow import configuration
from tidewaiter.gateway.record.hop_status import DOWN, PLAIN

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"
STARTTLS = (*OFFERS, "STARTTLS")


class Authority:
    """Signs for a next hop, and is trusted by the file it writes."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(folder / "ca.pem")

    def context(self, *names: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*names).configure_cert(context)
        return context


async def send_one(gateway: RunningGateway) -> str:
    async with await Caller.call(gateway.port) as caller:
        await caller.say("MAIL FROM:<a@client.test>")
        reply = await caller.say("RCPT TO:<b@inside.test>")
        return await caller.data(MESSAGE) if reply.startswith("250") else reply


OUTCOMES = {
    # (asked of the next hop, it offers STARTTLS, its certificate's name): our reply, and whether it was TLS
    ("off", True, "127.0.0.1"): ("250 ", False),
    ("may", False, "127.0.0.1"): ("250 ", False),
    ("may", True, "other.test"): ("250 ", True),
    ("require", False, "127.0.0.1"): ("451 4.4.1 ", False),
    ("require", True, "other.test"): ("250 ", True),
    ("verify", False, "127.0.0.1"): ("451 4.4.1 ", False),
    ("verify", True, "other.test"): ("451 4.4.1 ", False),
    ("verify", True, "127.0.0.1"): ("250 ", True),
}


@pytest.mark.parametrize(("tls", "offered", "name"), OUTCOMES)
async def test_tls_towards_the_next_hop_is_what_was_asked_for(
    tls: str, offered: bool, name: str, tmp_path: Path
) -> None:
    reply, was_tls = OUTCOMES[tls, offered, name]
    context = Authority(tmp_path).context(name)
    async with NextHop(STARTTLS if offered else OFFERS, context=context) as hop:
        text = configuration(hop.port, route=f'tls = "{tls}"\nca = "ca.pem"' if tls == "verify" else f'tls = "{tls}"')
        async with running_gateway(tmp_path, text) as gateway:
            assert (await send_one(gateway)).startswith(reply)
            failed = gateway.worker.recorder._counts["tls_failures", "next hop"]
    assert (failed > 0) is ((tls, offered, name) == ("verify", True, "other.test")), "counted where it was tried"
    assert len(hop.taken) == (reply == "250 ")
    if hop.taken:
        assert ("STARTTLS" in hop.said) is was_tls


async def test_implicit_tls_is_from_the_first_byte(tmp_path: Path) -> None:
    context = Authority(tmp_path).context("127.0.0.1")
    async with NextHop(context=context, implicit=True) as hop:
        text = configuration(hop.port, scheme="smtps", route='tls = "verify"\nca = "ca.pem"')
        async with running_gateway(tmp_path, text) as gateway:
            assert (await send_one(gateway)).startswith("250 ")
    assert len(hop.taken) == 1


async def test_a_handshake_from_the_first_byte_that_fails_is_counted_and_told(tmp_path: Path) -> None:
    context = Authority(tmp_path).context("other.test")
    async with NextHop(context=context, implicit=True) as hop:
        text = configuration(hop.port, scheme="smtps", route='tls = "verify"\nca = "ca.pem"')
        async with running_gateway(tmp_path, text) as gateway:
            assert (await send_one(gateway)).startswith("451 4.4.1 ")
            assert gateway.worker.recorder._counts["tls_failures", "next hop"] > 0
            assert str(gateway.memory.told(DOWN)[0]["reason"]).startswith("TLS handshake: ")
    assert hop.taken == []


async def test_a_reply_injected_before_the_handshake_is_not_believed_behind_it(tmp_path: Path) -> None:
    context = Authority(tmp_path).context("127.0.0.1")
    injected = "220 2.0.0 Go\r\n250-evil.test\r\n250 XCLIENT NAME ADDR"
    async with NextHop(STARTTLS, answers={"STARTTLS": injected}, context=context) as hop:
        async with running_gateway(tmp_path, configuration(hop.port, route='tls = "require"')) as gateway:
            assert (await send_one(gateway)).startswith("451 4.4.1 ")
    assert hop.taken == []


BROKEN = {"STARTTLS": "454 4.7.0 TLS not available"}, {"STARTTLS": "220 2.0.0 Go\r\n500 This is no handshake"}


@pytest.mark.parametrize("answers", BROKEN, ids=["refused", "broken"])
@pytest.mark.parametrize(("tls", "reply"), [("may", "250 "), ("require", "451 4.4.1 "), ("verify", "451 4.4.1 ")])
async def test_tls_that_fails_is_done_without_only_where_it_may_be_and_said(
    tls: str, reply: str, answers: dict[str, str], tmp_path: Path
) -> None:
    async with NextHop(STARTTLS, answers=dict(answers)) as hop:
        async with running_gateway(tmp_path, configuration(hop.port, route=f'tls = "{tls}"')) as gateway:
            assert (await send_one(gateway)).startswith(reply)
            told = gateway.memory.told(PLAIN)
    assert [line["next_hop"] for line in told] == ([f"smtp://127.0.0.1:{hop.port}"] if tls == "may" else [])
    assert hop.said.count("STARTTLS") == 1 or tls != "may", "it is tried again for each connection"
