"""Whether each real program boots, takes or sends one honest message, and is gone afterwards."""

import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.peers import CHUNKING, Peer, PeerError, Sink, raw, receiver, relay, sender
from tests.peers import postfix as postfix_program
from tests.peers.boot import descendants, free_port, running
from tests.peers.cache import home
from tests.peers.commands import run
from tests.peers.conftest import needed
from tests.peers.instances import instance
from tests.peers.registry import RECEIVERS, RELAYS, SENDERS

pytestmark = pytest.mark.peers

QUEUING = ("command", "send-email")  # they keep what they could not send and try again
BODY = [b"one line", b".a line that begins with a dot", b"", b"8-bit: \xc3\xa9", b"last"]
HONEST = b"".join(line + b"\r\n" for line in [b"Subject: an honest message", b"X-Odd: none", b"", *BODY])


def steps(peer: Peer, content: bytes, recipient: str) -> list[bytes]:
    """Give one transaction, cut where a client has to wait for a server that offers no PIPELINING."""
    hello = b"LHLO" if peer.lmtp else b"EHLO"
    envelope = [b"MAIL FROM:<user@src.test>\r\n", b"RCPT TO:<%s>\r\n" % recipient.encode(), b"DATA\r\n"]
    return [hello + b" client.test\r\n", *envelope, content + b".\r\n", b"QUIT\r\n"]


def codes(peer: Peer, content: bytes, recipient: str) -> list[int]:
    return [reply.code for reply in raw.converse(peer.port, steps(peer, content, recipient))]


def stuffed(content: bytes) -> bytes:
    return content.replace(b"\r\n.", b"\r\n..")


def holds_body(message: bytes) -> bool:
    """Say whether the lines of the body came through as they were, whatever ends them now."""
    return message.splitlines()[-len(BODY) :] == BODY


def assert_gone(pids: list[int]) -> None:
    """Hold that nothing of a stopped program is left: no process, no mount, no folder."""
    alive = [pid for pid in pids if Path(f"/proc/{pid}").exists()]
    assert alive == []
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(home()) not in mounts


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_takes_an_honest_message_and_is_gone_afterwards(name: str) -> None:
    needed(name)
    with receiver(name) as peer:
        assert codes(peer, stuffed(HONEST), peer.recipient) == [220, 250, 250, 250, 354, 250, 221]
        if peer.box:
            [message] = peer.deliveries(1)
            assert holds_body(message)
        pids = peer.processes()
        assert peer.pid in pids
    assert_gone(pids)


@pytest.mark.parametrize("name", RELAYS)
def test_a_relay_hands_an_honest_message_on_once(name: str) -> None:
    needed(name)
    with Sink(offers=CHUNKING) as sink, relay(name, sink.port) as peer:
        assert codes(peer, stuffed(HONEST), "rcpt@sink.test")[-2:] == [250, 221]
        [message] = sink.wait(1)
        assert holds_body(message.content)
        assert message.forward_paths == (b"<rcpt@sink.test>",)
        assert message.verb == ("BDAT" if name.endswith("bdat") else "DATA")


@pytest.mark.parametrize("name", SENDERS)
def test_a_sender_sends_an_honest_message_once(name: str) -> None:
    needed(name)
    local = b"\n" if name.endswith(("crlf", *QUEUING)) else b"\r\n"
    content = HONEST.replace(b"\xc3\xa9", b"e") if name.endswith("str") else HONEST
    with Sink() as sink, sender(name, sink.port) as send:
        sent = send(content.replace(b"\r\n", local))
        assert sent.accepted, sent.text
        [message] = sink.wait(1)
    lines = message.content.rstrip(b"\r\n").split(b"\r\n")
    assert lines[-len(BODY) :] == content.rstrip(b"\r\n").split(b"\r\n")[-len(BODY) :]


@pytest.mark.parametrize("name", [name for name in SENDERS if not name.endswith(QUEUING)])
def test_a_sender_without_a_queue_says_when_nobody_took_its_message(name: str) -> None:
    needed(name)
    with Sink() as sink:
        nobody_listens = sink.port
    with sender(name, nobody_listens) as send:
        assert not send(HONEST).accepted


# What each setting makes of `LF . CR LF` in a body: how many messages it delivers, read from its documents.
SETTINGS = {
    "postfix-3.7-no": 2,
    "postfix-3.7-normalize": 1,
    "postfix-3.7-reject": 0,
    "postfix-3.7-excluded": 2,
    "exim-4.96-unsynchronised": 1,
    "sendmail-8.17": 0,
    "sendmail-8.17-O-G-U": 2,
    "haraka-3.3.3": 2,
    "haraka-3.3.4": 0,
    "aiosmtpd-1.4.4": 2,
    "aiosmtpd-1.4.6": 1,
    "smtp-server-3.21.6": 1,
    "dovecot-lmtp-2.3.19": 2,
}


@pytest.mark.parametrize(("name", "delivered"), SETTINGS.items())
def test_each_setting_is_in_force(name: str, delivered: int) -> None:
    needed(name)
    with receiver(name) as peer:
        _, *envelope, _, _ = steps(peer, b"", peer.recipient)
        smuggled = b"".join(envelope) + b"Subject: smuggled\r\n\r\nbody\r\n"
        hidden = b"Subject: outer\r\n\r\nbody\n.\r\n" + smuggled
        opening = steps(peer, b"", peer.recipient)[:4]
        with raw.Raw(peer.port) as client:
            client.reply()
            for step in opening:
                client.ask(step)
            client.write(hidden + b".\r\nQUIT\r\n")
            client.finish()
        assert len(peer.deliveries(delivered)) == delivered


def test_postfix_takes_the_clients_address_where_xclient_is_allowed(postfix: Peer) -> None:
    hello, *rest = steps(postfix, HONEST, postfix.recipient)
    xclient = b"XCLIENT ADDR=192.0.2.7 NAME=client.example\r\n"
    refused = raw.converse(postfix.port, [hello, xclient])
    accepted = raw.converse(postfix.at("xclient").port, [hello, xclient, hello, *rest])
    assert (refused[-1].code, accepted[2].code) == (550, 220)
    assert b"Received: from client.test (client.example [192.0.2.7])" in postfix.deliveries(1)[-1]


def test_postfix_forbids_unasked_pipelining_only_where_it_is_told_to(postfix: Peer) -> None:
    early = b"EHLO a.test\r\nMAIL FROM:<a@src.test>\r\nQUIT\r\n"
    assert raw.send(postfix.port, early).codes == [220, 250, 250, 221]
    assert raw.send(postfix.at("patient").port, early).codes == [220, 554]


@pytest.mark.parametrize(("service", "codes"), [("strict", [250, 554]), ("unsynchronised", [250, 550, 250, 221])])
def test_exim_closes_on_commands_behind_a_message_only_where_it_insists(
    exim: Peer, service: str, codes: list[int]
) -> None:
    *opening, content, _ = steps(exim, HONEST, exim.recipient)
    with raw.Raw(exim.at(service).port) as client:
        client.reply()
        for step in opening:
            client.ask(step)
        client.write(content + b"EXPN q\r\nNOOP\r\nQUIT\r\n")
        assert client.finish().codes == codes


def test_postfixs_load_tools_carry_a_hundred_messages() -> None:
    needed("smtp-sink")
    with receiver("smtp-sink") as sink:
        arguments = ["-s", "5", "-m", "100", "-l", "4096", "-f", "a@src.test", "-t", "b@sink.test"]
        run([*postfix_program.command("smtp-source"), *arguments, f"127.0.0.1:{sink.port}"])


BOOT = """
import sys
from tests.peers import receiver
with receiver(sys.argv[1]) as peer:
    print(peer.running.place.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("name", ["exim-4.96", "aiosmtpd-1.4.6"])
def test_a_killed_run_leaves_no_process_and_no_mount_and_the_next_removes_its_folder(name: str) -> None:
    needed(name)
    command = [sys.executable, "-c", BOOT, name]
    here = Path(__file__).parents[2]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=here, text=True) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip())
        pids = descendants(run.pid)
        assert len(pids) > 1
        run.kill()
    wait_until_gone(pids)
    assert_gone(pids)
    with receiver(name):
        assert not folder.exists()


def test_a_program_that_ends_before_it_is_ready_says_why() -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such setting')"]
    with ExitStack() as stack, pytest.raises(PeerError, match="no such setting"):
        stack.enter_context(running(stack.enter_context(instance("trial")), command, [free_port()]))


@pytest.mark.parametrize("name", ["postfix-3.7-no", "exim-4.96", "dovecot-lmtp-2.3.19", "aiosmtpd-1.4.6"])
def test_a_killed_receiver_starts_again_with_what_it_had_acknowledged(name: str) -> None:
    needed(name)
    with receiver(name) as peer:
        codes(peer, HONEST, peer.recipient)
        before = peer.processes()
        peer.running.kill()
        assert_gone(before)
        peer.running.start()
        assert len(peer.deliveries(1)) == 1
        assert codes(peer, HONEST, peer.recipient)[-2:] == [250, 221]
        assert len(peer.deliveries(2)) == 2


def test_two_peers_of_one_program_run_side_by_side() -> None:
    needed("exim-4.96")
    with receiver("exim-4.96") as one, receiver("exim-4.96") as other:
        codes(one, HONEST, one.recipient)
        assert (len(one.deliveries(1)), other.deliveries()) == (1, [])


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline, "a program outlived its test run"
        time.sleep(0.02)
