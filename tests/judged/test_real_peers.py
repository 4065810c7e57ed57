"""Real programs before the gateway and behind it: their mail passes byte for byte but for their own fields."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.judged.gateway import LISTENER, gateway, route
from tests.judged.hand_over import HELLO, hand_over
from tests.judged.judge import around_received
from tests.peers import CHUNKING, Sink, receiver, relay, sender
from tests.peers.conftest import needed
from tests.peers.honest import MESSAGES, OWN, without_own
from tests.peers.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.judged.conftest import Tell

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(600)]

SENDERS = ("swaks", "smtplib-3.11-bytes", "curl-7.88")
RELAYS = ("postfix-3.7-no", "exim-4.96", "exim-4.96-bdat")
RECEIVERS = ("postfix-3.7-no", "exim-4.96", "dovecot-lmtp-2.3.19")


def program(peer: str) -> str:
    """Give the name in `OWN` that the peer is a setting of."""
    (found,) = [name for name in OWN if peer.startswith(name)]
    return found


def assert_all_passed(held: list[bytes], peer: str, newline: bytes = b"\r\n") -> None:
    """Hold each message to the one sent: a peer's fields stand above ours if it is behind us, below if before us."""
    left = {message.replace(b"\r\n", newline): name for name, message in MESSAGES.items()}
    for file in held:
        around = around_received(file)
        assert around is not None, file[:1000]
        above, content = (without_own(part, program(peer)) for part in around)
        assert above == b""
        assert content in left, content[:2000]
        del left[content]
    assert left == {}, "lost"


@contextmanager
def before_the_gateway(folder: Path) -> Iterator[tuple[int, Sink]]:
    """Give the port of a gateway and the sink behind it."""
    with (
        Sink(offers=CHUNKING) as sink,
        gateway(folder, LISTENER + route(f"smtp://127.0.0.1:{sink.port}", "sink.test")) as ports,
    ):
        yield ports[0], sink


def hand_over_all(port: int, recipient: str) -> None:
    """Send the twenty messages, half of them by BDAT where that is offered."""
    with Raw(port, within=120) as connection:
        connection.reply()
        offered = connection.ask(HELLO)
        for number, (name, message) in enumerate(MESSAGES.items()):
            chunked = bool(number % 2) and b"CHUNKING" in offered.wire
            assert hand_over(connection, message, recipient, chunked=chunked).code == 250, name


def test_there_are_twenty_messages() -> None:
    assert len(set(MESSAGES.values())) == 20


@pytest.mark.parametrize("name", SENDERS)
def test_a_real_sender_before_the_gateway_sends_its_mail_byte_for_byte(name: str, tmp_path: Path, tell: Tell) -> None:
    needed(name)
    with before_the_gateway(tmp_path) as (port, sink), sender(name, port) as send:
        for special, message in MESSAGES.items():
            sent = send(message)
            assert sent.accepted, (special, sent.text)
        assert_all_passed([message.content for message in sink.wait(20)], name)
    tell(f"{name} before the gateway: 20 of 20 byte for byte")


@pytest.mark.parametrize("name", RELAYS)
def test_a_real_relay_before_the_gateway_sends_its_mail_byte_for_byte(name: str, tmp_path: Path, tell: Tell) -> None:
    needed(name)
    with before_the_gateway(tmp_path) as (port, sink), relay(name, port) as peer:
        hand_over_all(peer.port, "rcpt@sink.test")
        assert_all_passed([message.content for message in sink.wait(20, within=120)], name)
    tell(f"{name} before the gateway: 20 of 20 byte for byte")


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_real_receiver_behind_the_gateway_holds_its_mail_byte_for_byte(name: str, tmp_path: Path, tell: Tell) -> None:
    needed(name)
    with receiver(name) as peer:
        next_hop = f"{'lmtp' if peer.lmtp else 'smtp'}://127.0.0.1:{peer.port}"
        with gateway(tmp_path, LISTENER + route(next_hop)) as ports:
            hand_over_all(ports[0], peer.recipient)
            assert_all_passed(peer.deliveries(20, within=120), name, newline=b"\n")
    tell(f"{name} behind the gateway: 20 of 20 byte for byte")
