"""What else the page says of the documented Postfix and gateway, asked of them as they run."""

from __future__ import annotations

import asyncio
import json
import re
import smtplib
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from tests.judged.caller import Client, calling
from tests.judged.documented import FOR_PROGRAMS, FOR_THE_GATEWAY, RECIPIENT, USER, documented
from tests.peers.conftest import needed
from tests.peers.raw import Raw

if TYPE_CHECKING:
    from tests.judged.documented import Documented

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(300)]

CLIENT = Client("198.51.100.7", "client.outside.example")
ELSEWHERE = "somebody@elsewhere.example"
# An outbound listener on what is another machine to Postfix, whose own addresses are those of its interface.
OUTBOUND = """
[[listener]]
address = "203.0.113.250:25"
role = "outbound"
networks = ["127.0.0.0/8", "203.0.113.0/24"]

[[route]]
domains = ["*"]
roles = ["outbound"]
next_hop = "{next_hop}"
"""
RELAYHOST = "relayhost = [203.0.113.250]:25\n"


@pytest.fixture(autouse=True)
def _there_is_a_postfix() -> None:
    needed("postfix-3.7-no")


def ask(client: Client, *commands: str) -> list[str]:
    """The replies to some commands of one session with the gateway."""

    async def all_of_them() -> list[str]:
        async with calling(client) as caller:
            return [await caller.ask(command) for command in commands]

    return asyncio.run(all_of_them())


def hand_over(client: Client, *recipients: str, content: str = "") -> list[str]:
    """The replies to a message's recipients, and to its end."""

    async def it() -> list[str]:
        async with calling(client) as caller:
            return await caller.hand_over(content or "hello", *recipients)

    return asyncio.run(it())


def to_postfix(port: int, *commands: str) -> list[int]:
    """The codes that a program on this machine hears from Postfix itself."""
    with Raw(port) as raw:
        raw.reply()
        return [raw.ask(command.encode() + b"\r\n").code for command in ("EHLO program.test", *commands)][1:]


def logged(there: Documented, pattern: str) -> str:
    """Wait until Postfix has logged it."""
    deadline = time.monotonic() + 60
    while not (found := re.search(pattern, there.postfix.log())):
        assert time.monotonic() < deadline, there.postfix.log()
        time.sleep(0.05)
    return found[0]


def test_a_client_is_offered_starttls_and_its_odd_bytes_are_noted_and_repaired() -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    with documented() as there:
        with smtplib.SMTP("192.0.2.1", 25, source_address=(CLIENT.address, 0), local_hostname=CLIENT.name) as client:
            assert client.starttls(context=trusting)[0] == 220
            client.ehlo()
            client.mail("sender@outside.example")
            client.rcpt(RECIPIENT)
            client.putcmd("DATA")
            client.getreply()
            client.send(b"Subject: odd\r\n\r\none\n.\r\ntwo\r\n.\r\n")
            assert client.getreply()[0] == 250
        [message] = there.postfix.deliveries(1)
        assert message.endswith(b"\n\none\n.\ntwo\n")
        said = there.gateway.wait_for("transaction")
    assert "bare-lf" in json.dumps(said["findings"])
    assert said["tls"].startswith("TLSv1.3")


def test_the_machines_own_programs_may_relay_and_nobody_else() -> None:
    mail = f"MAIL FROM:<{USER}@example.test>"
    with documented():
        assert to_postfix(FOR_PROGRAMS, mail, f"RCPT TO:<{ELSEWHERE}>") == [250, 250]
        # Not even who may use XCLIENT and does not, nor who is told to be a program of the machine.
        assert to_postfix(FOR_THE_GATEWAY, mail, f"RCPT TO:<{ELSEWHERE}>") == [250, 554]
        told = "XCLIENT ADDR=127.0.0.2 NAME=localhost"
        assert to_postfix(FOR_THE_GATEWAY, told, "EHLO x.test", mail, f"RCPT TO:<{ELSEWHERE}>") == [220, 250, 250, 554]
        assert ask(CLIENT, mail, f"RCPT TO:<{ELSEWHERE}>")[1].startswith("554 5.7.1")


def test_machines_of_ones_own_network_relay_through_a_listener_of_their_own() -> None:
    with documented(gateway=OUTBOUND.format(next_hop="smtp://127.0.0.1:25")), Raw(25, host="203.0.113.250") as raw:
        raw.reply()
        commands = (b"EHLO printer.test", b"MAIL FROM:<printer@example.test>", f"RCPT TO:<{ELSEWHERE}>".encode())
        assert [raw.ask(command + b"\r\n").code for command in commands] == [250, 250, 250]


def test_rules_about_the_own_name_hold_for_clients_and_not_for_the_gateway() -> None:
    service = "  -o { smtpd_helo_restrictions = check_helo_access inline:{ mx.example.test=REJECT } }\n"
    with documented(service=service):
        assert [each[:3] for each in hand_over(CLIENT, RECIPIENT)] == ["250", "250"]
        liar = Client("198.51.100.8", "mx.example.test")
        assert ask(liar, "MAIL FROM:<>", f"RCPT TO:<{RECIPIENT}>")[1].startswith("554 5.7.1")


@pytest.mark.parametrize("restriction", ["reject_unknown_client_hostname", "reject_unknown_reverse_client_hostname"])
def test_who_asks_for_a_clients_name_hears_that_nobody_could_tell(restriction: str) -> None:
    with documented(service=f"  -o smtpd_client_restrictions={restriction}\n"):
        assert hand_over(CLIENT, RECIPIENT)[0].startswith("450 4.7.")
    with documented(service=f"  -o {{ smtpd_client_restrictions = warn_if_reject {restriction} }}\n"):
        assert [each[:3] for each in hand_over(CLIENT, RECIPIENT)] == ["250", "250"]


def test_rules_about_names_match_nobody_and_those_about_addresses_do() -> None:
    rules = "inline:{ outside.example=REJECT, client.outside.example=REJECT, 198.51.100.9=REJECT }"
    asked = f"check_client_access {rules}, check_reverse_client_hostname_access {rules}"
    with documented(service=f"  -o {{ smtpd_client_restrictions = {asked} }}\n"):
        assert [each[:3] for each in hand_over(CLIENT, RECIPIENT)] == ["250", "250"]
        refused = Client("198.51.100.9", CLIENT.name)
        assert hand_over(refused, RECIPIENT)[0].startswith("554 5.7.1")


def test_limits_of_connections_count_the_client_that_was_told_and_only_that_one_hears_451() -> None:
    with documented(service="  -o smtpd_client_connection_rate_limit=1\n"):
        several = [Client(f"198.51.100.{each}", f"client{each}.outside.example") for each in range(1, 9)]
        assert {each for client in several for each in (said[:3] for said in hand_over(client, RECIPIENT))} == {"250"}
        again = [hand_over(several[0], RECIPIENT)[0] for _ in range(4)]
        assert "Error: too many connections from 198.51.100.1" in again[-1]
        assert again[-1].startswith("451 ")
        assert hand_over(Client("198.51.100.99", "client99.outside.example"), RECIPIENT)[0].startswith("250")


@pytest.mark.parametrize("name", ["mail.example.test", "mx.example.test"])
def test_mail_that_postfix_sends_through_a_gateway_of_its_own_name_loops_back_to_itself(name: str) -> None:
    with documented(
        main=f"{RELAYHOST}myhostname = {name}\n", gateway=OUTBOUND.format(next_hop="maildir:/var/lib/tidewaiter/out")
    ) as there:
        with smtplib.SMTP("127.0.0.1", FOR_PROGRAMS) as program:
            program.sendmail(RECIPIENT, [ELSEWHERE], b"Subject: out\r\n\r\nhello\r\n")
        said = logged(there, rf"to=<{ELSEWHERE}>.* status=\w+ \(.*")
    if name == "mx.example.test":
        assert "loops back to myself" in said
    else:
        assert "status=sent" in said
