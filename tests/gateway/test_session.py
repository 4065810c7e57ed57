"""A client's connection: what ends it, what it may not do, and that no failed path leaves anything behind."""

import asyncio
import gc
import socket
import ssl
import struct
from pathlib import Path

import pytest
import trustme

from tests.gateway.next_hop import NextHop
from tests.gateway.running import HOST, Caller, running_gateway, until
from tests.gateway.test_flow import configuration, without_received
from tidewaiter.gateway.mail.dialogue import Dialogue
from tidewaiter.gateway.mail.recipients import Recipients
from tidewaiter.gateway.mail.session import Session
from tidewaiter.gateway.mail.transaction import Transaction
from tidewaiter.store.spool import DISK_KEPT

MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"
ATTACK = (
    b"Subject: x\r\n\r\nHello.\n.\r\nMAIL FROM:<admin@inside.test>\r\nRCPT TO:<c@inside.test>\r\nDATA\r\nx\r\n.\r\n"
)


async def test_only_crlf_dot_crlf_ends_data_and_a_bare_newline_costs_the_connection(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(ATTACK)
            assert (await caller.reply()).startswith("550 5.6.0 ")
            assert await caller.closed()
        record = await gateway.recorded()
        assert (record.outcome, record.oddities) == ("refused", {"bare_lf": 1})
        [early] = record.findings
        assert (early.rule, early.readings) == ("bare-lf", ()), "it is known at once"
        await until(lambda: gateway.memory.findings, "what others would have read")
        [found] = gateway.memory.findings
        assert found.id == record.id
        [finding] = found.findings
        assert finding.rule == "smuggled-message"
        [fooled, *_] = finding.readings
        assert "aiosmtpd-1.4.4" in fooled.programs
        assert (fooled.messages, fooled.reverse_path, fooled.recipients) == (
            2,
            "<admin@inside.test>",
            ("<c@inside.test>",),
        )
        assert hop.taken == []


@pytest.mark.parametrize("cut", range(1, len(ATTACK), 7))
async def test_slicing_never_changes_the_verdict(cut: int, tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(ATTACK[:cut])
            await asyncio.sleep(0.002)
            await caller.send(ATTACK[cut:])
            assert (await caller.reply()).startswith("550 5.6.0 ")
            assert await caller.closed()
        assert hop.taken == []


async def test_an_excluded_network_is_repaired_and_still_ends_once(tmp_path: Path) -> None:
    listener = '[[listener.exclusion]]\nnetworks = ["127.0.0.0/8"]\n'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(ATTACK)
            assert (await caller.reply()).startswith("250 ")
    [taken] = hop.taken
    assert without_received(taken.content) == ATTACK[:-3].replace(b"\n.\r\n", b"\r\n.\r\n").replace(b"\r\r", b"\r")


async def test_in_the_shadow_what_would_be_refused_is_delivered_with_one_end(tmp_path: Path) -> None:
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port, listener="shadow = true")) as gateway,
    ):
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(b"Subject: x\r\n\r\na\nb\n.\r\nc\r\n.\r\n")
            assert (await caller.reply()).startswith("250 ")
        record = await gateway.recorded()
        assert record.oddities == {"bare_lf": 2}
    assert without_received(hop.taken[0].content) == b"Subject: x\r\n\r\na\nb\r\n.\r\nc\r\n"


async def test_a_client_that_is_gone_before_it_was_greeted_is_no_fault(tmp_path: Path) -> None:
    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        with socket.socket() as gone:  # reset while the loop is ours: it will be accepted without an address
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.setblocking(False)  # noqa: FBT003 - it has no name for it
            gone.connect_ex((HOST, gateway.port))
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250")
            await until(lambda: len(gateway.sessions) == 1, "the end of the one that has gone")
    assert faults == []


async def test_a_client_that_speaks_before_it_is_greeted_is_refused(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        with socket.socket() as early:  # sent while the loop is ours: it lies there before the connection is accepted
            early.setblocking(False)  # noqa: FBT003 - it has no name for it
            early.connect_ex((HOST, gateway.port))
            early.send(b"EHLO client.test\r\n")
            said = await asyncio.get_running_loop().sock_recv(early, 4096)
            assert said.startswith(b"554 5.5.0 ")
            assert await asyncio.get_running_loop().sock_recv(early, 4096) == b""


async def test_an_inbound_listener_relays_only_to_domains_it_names(tmp_path: Path) -> None:
    """Promise 10, the first half of it."""
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.say("MAIL FROM:<a@client.test>")
            for recipient in ("b@outside.test", "b@sub.inside.test", '"b@inside.test"@outside.test', "b@[127.0.0.1]"):
                assert (await caller.say(f"RCPT TO:<{recipient}>")).startswith("554 5.7.1 "), recipient
            assert (await caller.say("RCPT TO:<b@INSIDE.test>")).startswith("250")
            assert (await caller.say("RCPT TO:<postmaster>")).startswith("250")
        assert [refusal.reason for refusal in gateway.memory.refusals[:4]] == ["relay denied"] * 4
    assert [line for line in hop.said if line.startswith("RCPT")] == ["RCPT TO:<b@inside.test>", "RCPT TO:<postmaster>"]


@pytest.mark.parametrize(("network", "reply"), [("127.0.0.0/8", "250"), ("192.0.2.0/24", "554 5.7.1 ")])
async def test_an_outbound_listener_relays_only_for_networks_it_names(network: str, reply: str, tmp_path: Path) -> None:
    """Promise 10, the second half of it."""
    async with NextHop() as hop:
        text = configuration(hop.port, listener=f'networks = ["{network}"]', route='roles = ["outbound"]')
        text = text.replace('role = "inbound"', 'role = "outbound"').replace('"inside.test"', '"*"')
        async with running_gateway(tmp_path, text) as gateway, await Caller.call(gateway.port) as caller:
            assert (await caller.say("MAIL FROM:<a@client.test>")).startswith(reply)


async def test_more_than_a_hundred_received_fields_are_a_loop(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            for number, reply in ((100, "250 "), (101, "554 5.4.6 "), (100, "250 ")):
                await caller.envelope()
                assert (await caller.data(b"Received: x\r\n" * number + MESSAGE)).startswith(reply)
    assert len(hop.taken) == 2


async def test_the_header_section_has_a_limit_and_the_body_another(tmp_path: Path) -> None:
    limits = 'header_size = "1KiB"\nmessage_size = "64KiB"'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(b"X: " + b"y" * 1100 + b"\r\n\r\n")).startswith("552 5.3.4 ")
            await caller.envelope()
            assert (await caller.data(b"\r\n" + b"y\r\n" * 25000)).startswith("552 5.3.4 ")
            await caller.envelope()
            assert (await caller.data(b"\r\n" + b"y\r\n" * 20000)).startswith("250 ")
            assert (await caller.say("MAIL FROM:<a@client.test> SIZE=65537")).startswith("552 5.3.4 ")
    assert len(hop.taken) == 1


async def test_a_long_line_is_told_and_refused_where_that_was_asked_for(tmp_path: Path) -> None:
    listener = 'data = { long_line = "refuse" }'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(b"\r\n" + b"y" * 998 + b"\r\n")).startswith("250 ")
            await caller.envelope()
            assert (await caller.data(b"\r\n" + b"y" * 999 + b"\r\n")).startswith("550 5.6.0 ")
            assert await caller.closed()
    assert len(hop.taken) == 1


async def test_a_spent_spool_is_452_after_the_true_end(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port), spool_total=60_000) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<a@client.test> SIZE=100")
            assert (await caller.data(b"\r\n" + b"y" * 62000)).startswith("452 4.3.1 ")
            [told] = gateway.memory.told("no room for a message")
            assert (told["spool_total"], int(str(told["needed"])) > 60_000) == (60_000, True)
            await caller.envelope(mail="MAIL FROM:<a@client.test> SIZE=100")
            assert (await caller.data(MESSAGE)).startswith("250 ")
        assert (gateway.worker.room.used, gateway.worker.room.memory_used) == (0, 0)
    assert len(hop.taken) == 1


LARGE = b"Subject: x\r\n\r\n" + (b"y" * 76 + b"\r\n") * 4000


@pytest.mark.parametrize("said", ["", f" SIZE={len(LARGE)}"], ids=["in the end", "before DATA"])
async def test_on_a_full_disk_a_large_message_is_452_and_a_small_one_needs_none(said: str, tmp_path: Path) -> None:
    """What has come is counted, and not what might come; the log says where, and how much there is."""
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        gateway.worker.room.disk = DISK_KEPT + 2000
        async with await Caller.call(gateway.port) as caller:
            for _ in range(3):
                await caller.envelope(mail=f"MAIL FROM:<a@client.test>{said}")
                if said:
                    assert (await caller.say("DATA")).startswith("452 4.3.1 ")
                else:
                    assert (await caller.data(LARGE)).startswith("452 4.3.1 ")
                await caller.envelope()
                assert (await caller.data(MESSAGE)).startswith("250 ")
        [told] = gateway.memory.told("no room for a message")
        assert told["folder"] == f"{gateway.worker.settings.store.path}/spool"
        assert (told["disk_free"], told["spool_total"]) == (DISK_KEPT + 2000, 8 * 2**30)
        assert int(str(told["needed"])) > 256 * 1024
        gateway.worker.room.disk = DISK_KEPT + 2 * len(LARGE)
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail=f"MAIL FROM:<a@client.test>{said}")
            assert (await caller.data(LARGE)).startswith("250 ")
        assert (gateway.worker.room.used, gateway.worker.room.memory_used) == (0, 0)
    assert len(hop.taken) == 4


async def test_a_spool_that_cannot_be_written_is_451_and_leaves_nothing(tmp_path: Path) -> None:
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port, limits='spool_memory = "1KiB"')) as gateway,
    ):
        gateway.worker.room.folder = str(tmp_path / "gone")
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(b"\r\n" + b"y" * 5000)).startswith("451 4.3.0 ")
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250 ")
        assert (gateway.worker.room.used, gateway.worker.room.memory_used) == (0, 0)
    assert len(hop.taken) == 1


async def test_a_large_message_goes_through_a_file_and_back(tmp_path: Path) -> None:
    content = b"Subject: x\r\n\r\n" + b"".join(b".%d\r\n" % number for number in range(200_000))
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port, limits='spool_memory = "1KiB"')) as gateway,
    ):
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            assert (await caller.data(content)).startswith("250 ")
        await gateway.settled()
        assert (gateway.worker.room.used, gateway.worker.room.memory_used) == (0, 0)
    assert without_received(hop.taken[0].content) == content


async def test_replies_that_a_client_does_not_read_are_bounded(tmp_path: Path) -> None:
    limits = 'unread_replies = "4KiB"\ncommands = 1000000'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            [session] = gateway.sessions
            caller.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads too
            flood = asyncio.ensure_future(caller.send(b"RSET\r\n" * 2_000_000))
            await until(lambda: session._unread, "a pause")
            assert session._transport.get_write_buffer_size() < 1024 * 1024
            assert not flood.done()
            flood.cancel()
            caller.vanish()


async def test_commands_that_wait_for_the_next_hop_are_bounded(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.say("MAIL FROM:<a@client.test>")
            [session] = gateway.sessions
            flood = asyncio.ensure_future(caller.send(b"RCPT TO:<b@inside.test>\r\n" * 1_000_000))
            most = 0
            while len(hop.said) < 500:
                await asyncio.sleep(0.001)
                server = session._dialogue.server
                most = max(most, len(server._unread) + len(server._waiting))
            flood.cancel()
            caller.vanish()
    assert most < 1024 * 1024


async def test_too_many_connections_are_421(tmp_path: Path) -> None:
    limits = "connections_per_network = 2\nexempt_networks = []"
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        async with await Caller.call(gateway.port), await Caller.call(gateway.port) as second:
            third = Caller(*await asyncio.open_connection(HOST, gateway.port))
            assert (await third.reply()).startswith("421 4.7.0 ")
            assert await third.closed()
            third.writer.close()
            assert (await second.say("QUIT")).startswith("221 ")
            assert await second.closed()
            await until(lambda: len(gateway.sessions) == 1, "the end of a connection")
            async with await Caller.call(gateway.port) as fourth:
                assert (await fourth.say("NOOP")).startswith("250")


async def test_silence_is_421_at_every_phase(tmp_path: Path) -> None:
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port), command_time=0.2, data_time=0.2) as gateway,
    ):
        async with await Caller.call(gateway.port) as caller:
            assert (await caller.reply()).startswith("421 4.4.2 ")
            assert await caller.closed()
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(b"Subject: x\r\n")
            assert (await caller.reply()).startswith("421 4.4.2 ")
            assert await caller.closed()
        await gateway.settled()
        assert [record.outcome for record in gateway.memory.transactions] == ["deferred"]
    assert hop.taken == []


async def test_a_message_that_drips_is_cut_off_in_the_end(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port), message_time=0.3) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            answer = asyncio.ensure_future(caller.reply())
            for _ in range(200):
                if not answer.done():
                    await caller.send(b"x")
                    await asyncio.sleep(0.02)
            assert answer.done()
            assert (await answer).startswith("421 4.4.2 ")
    assert hop.taken == []


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_tls_towards_the_client(tls: str, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("mx.tidewaiter.test")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    listener = f'tls = "{tls}"\ncertificate = "both.pem"\nkey = "both.pem"'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        if tls == "implicit":
            caller = Caller(
                *await asyncio.open_connection(HOST, gateway.port, ssl=context, server_hostname="mx.tidewaiter.test")
            )
            await caller.reply()
        else:
            caller = await Caller.call(gateway.port)
            assert (await caller.say("STARTTLS")).startswith("220 ")
            await caller.writer.start_tls(context, server_hostname="mx.tidewaiter.test")
            assert (await caller.say("MAIL FROM:<a@client.test>")).startswith("503 ")
        async with caller:
            assert "STARTTLS" not in await caller.say("EHLO client.test")
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250 ")
        await gateway.settled()
        [record] = gateway.memory.transactions
        assert record.tls.startswith("TLSv1.3 TLS_")
    assert b"with ESMTPS id " in hop.taken[0].content


async def test_nothing_received_before_starttls_is_believed_after_it(tmp_path: Path) -> None:
    certificate = trustme.CA().issue_cert("mx.tidewaiter.test")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "both.pem")
    listener = 'tls = "starttls"\ncertificate = "both.pem"\nkey = "both.pem"'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.send(b"STARTTLS\r\nMAIL FROM:<evil@client.test>\r\n")
            assert (await caller.reply()).startswith("554 5.5.0 ")
            assert await caller.closed()
        async with await Caller.call(gateway.port) as caller:
            assert (await caller.say("STARTTLS")).startswith("220 ")
            await caller.send(b"MAIL FROM:<evil@client.test>\r\n")
            assert await caller.closed()
    assert hop.taken == []


async def test_a_draining_worker_finishes_what_is_under_way_and_says_421_to_the_rest(tmp_path: Path) -> None:
    held = asyncio.Event()
    async with NextHop(held=held) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with (
            await Caller.call(gateway.port) as busy,
            await Caller.call(gateway.port) as idle,
            await Caller.call(gateway.port) as undecided,
        ):
            await undecided.envelope()
            await busy.envelope()
            answer = asyncio.ensure_future(busy.data(MESSAGE))
            await until(lambda: any(b"\r\n.\r\n" in wire for wire in hop.wire), "the final dot")
            gateway.worker.draining = True
            for session in list(gateway.sessions):
                session.drain()
            assert (await idle.reply()).startswith("421 4.3.2 ")
            assert await idle.closed()
            assert (await undecided.say("RSET")).startswith("250 ")
            assert (await undecided.reply()).startswith("421 4.3.2 ")
            assert await undecided.closed()
            held.set()
            assert (await answer).startswith("250 ")
            assert (await busy.reply()).startswith("421 4.3.2 ")
            assert await busy.closed()


async def test_a_client_that_half_closes_behind_its_message_hears_the_reply_which_is_logged_as_perhaps_unheard(
    tmp_path: Path,
) -> None:
    held = asyncio.Event()
    async with NextHop(held=held) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(MESSAGE + b".\r\n")
            caller.writer.write_eof()
            await until(lambda: any(b"\r\n.\r\n" in wire for wire in hop.wire), "the final dot")
            await until(lambda: any(each.finished for each in gateway.sessions), "the end of what it says")
            held.set()
            assert (await caller.reply()).startswith("250 ")
            assert await caller.closed()
        record = await gateway.recorded()
    assert (record.outcome, record.reply[:3]) == ("doubtful", "250")


def _of_connections() -> list[object]:
    kinds = Session | Dialogue | Transaction | Recipients
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


async def test_a_connection_that_is_lost_leaves_nothing_for_the_collector(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        gc.collect()
        before = _of_connections()  # what a test before this one may have left
        gc.disable()
        try:
            async with await Caller.call(gateway.port) as caller:
                await caller.say("MAIL FROM:<a@client.test>")
                assert len(_of_connections()) > len(before)
            await until(lambda: len(_of_connections()) <= len(before), "its end")
        finally:
            gc.enable()
