"""No mail without a trace, and none with two: each MAIL leaves one line, and so does each refusal.

A table of the ways in which a session can end, at every stage; then walks over sequences of commands, held to a rule
that is read off the replies alone.
"""

import asyncio
import itertools
import random
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.conftest import Count
from tests.gateway.next_hop import NextHop
from tests.gateway.running import HOST, Caller, RunningGateway, running_gateway, until
from tests.gateway.test_flow import configuration
from tidewaiter.model.reply import Reply

MAIL: Final = "MAIL FROM:<a@client.test>"
RCPT: Final = "RCPT TO:<b@inside.test>"
MESSAGE: Final = b"Subject: x\r\n\r\nHello.\r\n"
CLOSING: Final = Reply(421, "4.3.2", ("Service is shutting down",))

Step = Callable[[Caller, RunningGateway], Awaitable[None]]


def lines(gateway: RunningGateway) -> list[str]:
    """Say each line about mail in a few words, in the order of the kinds."""
    memory = gateway.memory
    said = [f"{each.outcome} {each.reply[:9]}" for each in memory.transactions]
    return said + [f"{each.stage}, {each.reason}: {each.reply[:9]}".rstrip() for each in memory.refusals]


def counted(gateway: RunningGateway) -> Counter[tuple[str, ...]]:
    """Give what was counted of transactions and refusals."""
    counts = gateway.worker.recorder._counts
    return Counter({key: value for key, value in counts.items() if key[0] in {"transactions", "refusals"}})


def assert_each_line_is_counted_once(gateway: RunningGateway) -> None:
    memory = gateway.memory
    expected = Counter[tuple[str, ...]](("transactions", each.outcome) for each in memory.transactions)
    expected.update(("refusals", each.stage, each.reason) for each in memory.refusals)
    assert counted(gateway) == expected


# Stages: how a session comes there.


async def _say(caller: Caller, *commands: str) -> None:
    for command in commands:
        await caller.send(command.encode() + b"\r\n")
        assert (await caller.reply())[0] in "23", command


def _behind(*commands: str, then: bytes = b"") -> Step:
    async def step(caller: Caller, gateway: RunningGateway) -> None:
        await _say(caller, *commands)
        if then:
            await caller.send(then)
            await until(lambda: _received(gateway), "the content")

    return step


def _received(gateway: RunningGateway) -> bool:
    return gateway.worker.room.used > 0


STAGES: Final[dict[str, Step]] = {
    "greeted": _behind(),
    "ready": _behind("EHLO client.test"),
    "mailed": _behind("EHLO client.test", MAIL),
    "named": _behind("EHLO client.test", MAIL, RCPT),
    "content": _behind("EHLO client.test", MAIL, RCPT, "DATA", then=b"Subject: x\r\n"),
    "chunk": _behind("EHLO client.test", MAIL, RCPT, then=b"BDAT 100 LAST\r\nSubject: x\r\n"),
    "chunked": _behind("EHLO client.test", MAIL, RCPT, "BDAT 6\r\nX: y", then=b""),
}

# Ends: what the client, or we, do there.


async def _quit(caller: Caller, _: RunningGateway) -> None:
    assert (await caller.say("QUIT")).startswith("221 ")


async def _reset(caller: Caller, _: RunningGateway) -> None:
    await _say(caller, "RSET")


async def _hello(caller: Caller, _: RunningGateway) -> None:
    await _say(caller, "EHLO again.test")


async def _leave(caller: Caller, _: RunningGateway) -> None:
    caller.writer.close()


async def _half_close(caller: Caller, _: RunningGateway) -> None:
    caller.writer.write_eof()
    assert await caller.closed()


async def _vanish(caller: Caller, _: RunningGateway) -> None:
    caller.vanish()


async def _be_silent(caller: Caller, gateway: RunningGateway) -> None:
    for session in list(gateway.sessions):
        session._late()
    assert (await caller.reply()).startswith("421 4.4.2 ")


async def _bare_lf(caller: Caller, _: RunningGateway) -> None:
    await caller.send(b"NOOP\n")
    assert (await caller.reply()).startswith("500 5.5.2 ")


async def _drain(caller: Caller, gateway: RunningGateway) -> None:
    gateway.worker.draining = True
    for session in list(gateway.sessions):
        session.drain()
    assert (await caller.reply()).startswith("421 4.3.2 ")


async def _cut(caller: Caller, gateway: RunningGateway) -> None:
    for session in list(gateway.sessions):
        session.leave(CLOSING)
    assert (await caller.reply()).startswith("421 4.3.2 ")


async def _go_wrong(caller: Caller, gateway: RunningGateway) -> None:
    [session] = gateway.sessions
    session._failed(RuntimeError("planted"))
    assert (await caller.reply()).startswith("421 4.3.0 ")


GONE: Final = "451 4.4.2"
ENDS: Final[dict[str, tuple[Step, list[str], list[str], list[str]]]] = {
    # What is in the log where there is no transaction, one without content, one with content.
    "QUIT": (_quit, [], ["abandoned 221 2.0.0"], ["abandoned 221 2.0.0"]),
    "RSET": (_reset, [], ["abandoned 250 2.0.0"], ["abandoned 250 2.0.0"]),
    "EHLO": (_hello, [], ["abandoned 250 mx.ti"], ["abandoned 250 mx.ti"]),
    "FIN": (_leave, [], [f"abandoned {GONE}"], [f"deferred {GONE}"]),
    "half a close": (_half_close, [], [f"abandoned {GONE}"], [f"deferred {GONE}"]),
    "RST": (_vanish, [], [f"abandoned {GONE}"], [f"deferred {GONE}"]),
    "silence": (_be_silent, ["connection, closed by us: 421 4.4.2"], ["deferred 421 4.4.2"], ["deferred 421 4.4.2"]),
    "a bare LF": (_bare_lf, ["connection, closed by us: 500 5.5.2"], ["refused 500 5.5.2"], ["refused 500 5.5.2"]),
    "stop_time": (_cut, ["connection, closed by us: 421 4.3.2"], ["deferred 421 4.3.2"], ["deferred 421 4.3.2"]),
    "a fault": (_go_wrong, ["connection, closed by us: 421 4.3.0"], ["deferred 421 4.3.0"], ["deferred 421 4.3.0"]),
}
COMMANDS: Final = frozenset({"QUIT", "RSET", "EHLO", "a bare LF"})
TABLE: Final = [
    (stage, end)
    for stage, end in itertools.product(STAGES, ENDS)
    if not (stage in {"content", "chunk"} and end in COMMANDS)  # which would be content
]


@pytest.mark.parametrize(("stage", "end"), TABLE)
async def test_each_way_to_end_at_each_stage_leaves_one_line_or_none(stage: str, end: str, tmp_path: Path) -> None:
    act, idle, mailed, begun = ENDS[end]
    expected = idle if stage in {"greeted", "ready"} else mailed if stage in {"mailed", "named"} else begun
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port), faults=["planted"]) as gateway:
        async with await Caller.call(gateway.port, hello="") as caller:
            await STAGES[stage](caller, gateway)
            await act(caller, gateway)
        await until(lambda: not gateway.sessions, "the end of the session")
        assert lines(gateway) == expected
        assert_each_line_is_counted_once(gateway)
    assert hop.taken == []


@pytest.mark.parametrize("stage", ["greeted", "ready"])
async def test_who_is_sent_away_by_a_drain_is_told_once(stage: str, tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port, hello="") as caller:
            await STAGES[stage](caller, gateway)
            await _drain(caller, gateway)
        assert lines(gateway) == ["connection, closed by us: 421 4.3.2"]
        assert_each_line_is_counted_once(gateway)


async def test_a_mail_behind_a_drain_is_told_once(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            gateway.worker.draining = True
            assert (await caller.say(MAIL)).startswith("421 4.3.2 ")
        assert lines(gateway) == ["command, shutting down: 421 4.3.2"]
        assert_each_line_is_counted_once(gateway)


async def test_too_many_connections_are_told_once(tmp_path: Path) -> None:
    limits = "connections_per_network = 1\nexempt_networks = []"
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        async with await Caller.call(gateway.port):
            second = Caller(*await asyncio.open_connection(HOST, gateway.port))
            async with second:
                assert (await second.reply()).startswith("421 4.7.0 ")
        assert lines(gateway) == ["connection, too many connections: 421 4.7.0"]
        assert_each_line_is_counted_once(gateway)


async def test_a_next_hop_that_closes_at_rcpt_is_told_once(tmp_path: Path) -> None:
    async with NextHop(answers={"RCPT": "421 4.3.2 Full"}) as hop:
        async with running_gateway(tmp_path, configuration(hop.port)) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await caller.say(MAIL)
                heard = (await caller.say(RCPT))[:9]
            await gateway.settled()
            [recipient] = gateway.memory.refusals
            [transaction] = gateway.memory.transactions
            assert (recipient.stage, recipient.reply[:9]) == ("recipient", heard)
            assert transaction.outcome in {"abandoned", "deferred"}
            assert_each_line_is_counted_once(gateway)


async def test_content_that_is_refused_is_told_once_though_it_costs_the_connection(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(b"Subject: x\r\n\r\na\nb\r\n.\r\n")
            assert (await caller.reply()).startswith("550 5.6.0 ")
            assert await caller.closed()
        assert lines(gateway) == ["refused 550 5.6.0"]
        assert_each_line_is_counted_once(gateway)


async def test_an_odd_message_is_in_the_log_when_the_client_hears_250(tmp_path: Path) -> None:
    listener = '[[listener.exclusion]]\nnetworks = ["127.0.0.0/8"]\n'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=listener)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope()
            await caller.say("DATA")
            await caller.send(b"Subject: x\r\n\r\na\nb\r\n.\r\n")
            assert (await caller.reply()).startswith("250 ")
            assert [each[:9] for each in lines(gateway)] == ["delivered"]
            [record] = gateway.memory.transactions
            assert (record.outcome, record.oddities) == ("delivered", {"bare_lf": 1})
            assert [each.rule for each in record.findings] == ["bare-lf"]


REFUSED: Final = {
    "MAIL FROM:<a@client.test> SIZE=99999999999": ("552", "too big"),
    "MAIL FROM:<a@client.test> HOLDFOR=1": ("555", "unknown parameter"),
    "MAIL FROM:a@b>c": ("501", "malformed"),
    "MAIL": ("501", "malformed"),
}


@pytest.mark.parametrize("mail", REFUSED)
async def test_a_mail_that_the_core_refuses_is_told(mail: str, tmp_path: Path) -> None:
    code, reason = REFUSED[mail]
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            assert (await caller.say(mail)).startswith(code)
        assert [each[:12] for each in lines(gateway)] == [f"command, {reason}"[:12]]
        [line] = gateway.memory.refusals
        assert (line.stage, line.reason, line.reply[:3], line.helo) == ("command", reason, code, "client.test")
        assert line.reverse_path == mail[5:], "what it said, as it said it"
        assert_each_line_is_counted_once(gateway)


async def test_no_room_at_data_is_told(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port), spool_total=10) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await caller.say(MAIL + " SIZE=100", RCPT)
            assert (await caller.say("DATA")).startswith("452 4.3.1 ")
        assert lines(gateway) == ["deferred 452 4.3.1"]
        assert_each_line_is_counted_once(gateway)


async def test_replies_that_nobody_reads_are_told(tmp_path: Path) -> None:
    limits = 'unread_replies = "4KiB"\ncommands = 1000000'
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            [session] = gateway.sessions
            caller.writer.transport.pause_reading()  # type: ignore[attr-defined]  # it reads too
            flood = asyncio.ensure_future(caller.send(b"RSET\r\n" * 2_000_000))
            await until(lambda: session._unread, "a pause")
            session._late()
            await until(lambda: not gateway.sessions, "the end")
            flood.cancel()
        assert lines(gateway) == ["connection, replies unread:"]


# TLS.

SAME: Final = 'tls = "{tls}"\ncertificate = "both.pem"\nkey = "both.pem"'


def tls_listener(folder: Path, tls: str) -> str:
    trustme.CA().issue_cert("mx.tidewaiter.test").private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return SAME.format(tls=tls)


async def _nothing(caller: Caller) -> None:
    caller.vanish()


async def _half_a_hello(caller: Caller) -> None:
    await caller.send(bytes.fromhex("1603010200010001fc0303"))
    caller.writer.close()


async def _no_tls(caller: Caller) -> None:
    await caller.send(b"\x16\x03\x01" + b"\xff" * 64)
    assert await caller.reader.read() is not None


async def _old(caller: Caller) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("NULL:eNULL:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await caller.writer.start_tls(context, server_hostname="mx.tidewaiter.test")


async def _distrustful(caller: Caller) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="mx.tidewaiter.test")
    with suppress(ssl.SSLCertVerificationError):
        while True:
            try:
                client.do_handshake()
            except ssl.SSLWantReadError:
                await caller.send(outgoing.read())
                incoming.write(await caller.reader.read(65536))
    await caller.send(outgoing.read())  # with the alert, which the loop's own client keeps to itself


HANDSHAKES: Final = {
    "left": (_nothing, ""),
    "left in its midst": (_half_a_hello, ""),
    "no TLS": (_no_tls, "[SSL"),
    "no cipher": (_old, "[SSL: NO_SHARED_CIPHER] no shared cipher"),
    "no trust": (_distrustful, "[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca"),
}


@pytest.mark.parametrize("how", HANDSHAKES)
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_handshake_that_fails_is_told_with_its_reason(tls: str, how: str, tmp_path: Path) -> None:
    act, reason = HANDSHAKES[how]
    text = tls_listener(tmp_path, tls)
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=text)) as gateway:
        caller = Caller(*await asyncio.open_connection(HOST, gateway.port))
        with suppress(ssl.SSLError):  # of which the stream tells once more at its end
            async with caller:
                if tls == "starttls":
                    await caller.reply()
                    await _say(caller, "EHLO client.test", "STARTTLS")
                await act(caller)
        await until(lambda: gateway.memory.refusals, "a line")
        await until(lambda: not gateway.sessions, "the end of the session")
        [line] = gateway.memory.refusals
        assert (line.stage, line.reason, line.client) == ("connection", "TLS handshake failed", HOST)
        assert line.detail.startswith(reason), line.detail
        assert line.detail
        assert "_ssl.c" not in line.detail
        assert_each_line_is_counted_once(gateway)
        assert gateway.worker.recorder._counts["tls_failures", "client"] == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_handshake_that_takes_too_long_is_told(tls: str, tmp_path: Path) -> None:
    text = tls_listener(tmp_path, tls)
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port, listener=text), tls_handshake=0.1) as gateway,
    ):
        async with Caller(*await asyncio.open_connection(HOST, gateway.port)) as caller:
            if tls == "starttls":
                await caller.reply()
                await _say(caller, "EHLO client.test", "STARTTLS")
            assert await caller.closed()
        await until(lambda: gateway.memory.refusals, "a line")
        [line] = gateway.memory.refusals
        assert "taking longer" in line.detail


async def test_who_is_in_a_handshake_when_a_worker_drains_hears_no_plain_text(tmp_path: Path) -> None:
    text = tls_listener(tmp_path, "starttls")
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=text)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            await _say(caller, "STARTTLS")
            gateway.worker.draining = True
            for session in list(gateway.sessions):
                session.drain()
            assert await caller.closed()
        await until(lambda: not gateway.sessions, "the end of the session")
        assert lines(gateway) == ["connection, shutting down:"]


# Walks.

ALPHABET: Final = {
    "EHLO": "EHLO client.test",
    "MAIL": MAIL,
    "MAIL that is malformed": "MAIL FROM:a@b>c",
    "MAIL that is too big": f"{MAIL} SIZE=99999999999",
    "MAIL with what is unknown": f"{MAIL} HOLDFOR=1",
    "RCPT": RCPT,
    "RCPT that the hop refuses": "RCPT TO:<unknown@inside.test>",
    "RCPT of another": "RCPT TO:<b@outside.test>",
    "RCPT that is malformed": "RCPT TO:<b@@inside.test>",
    "DATA": "DATA",
    "DATA with an argument": "DATA now",
    "BDAT LAST": "BDAT 6 LAST\r\nX: y",
    "BDAT": "BDAT 6\r\nX: y",
    "RSET": "RSET",
    "QUIT": "QUIT",
}


class Expected:
    """What must be in the log by what the client has heard: the rule, without a look at the program."""

    def __init__(self) -> None:
        self.lines: Counter[tuple[str, str]] = Counter()
        self.open = False

    def heard(self, name: str, reply: str) -> None:
        code = reply[:3]
        if name.startswith("MAIL"):
            if code == "250":
                self.open = True
            else:
                self.lines["command", code] += 1
        elif name.startswith("RCPT") and code[0] in "45":
            self.lines["recipient", code] += 1
        elif self.open and self._ends(name, code):
            self.end(code)

    def _ends(self, name: str, code: str) -> bool:
        if name in {"EHLO", "RSET", "QUIT", "BDAT LAST", "DATA"}:
            return True
        return name in {"BDAT", "DATA with an argument"} and code[0] == "5"

    def end(self, code: str) -> None:
        self.open = False
        self.lines["transaction", code] += 1


async def _walk(caller: Caller, names: tuple[str, ...]) -> Counter[tuple[str, str]]:
    expected = Expected()
    for name in names:
        reply = await caller.say(ALPHABET[name])
        if reply.startswith("354"):
            await caller.send(MESSAGE + b".\r\n")
            reply = await caller.reply()
        expected.heard(name, reply)
        if name == "QUIT":
            break
    else:
        caller.writer.close()
        if expected.open:
            expected.end("451")
    return expected.lines


def _found(gateway: RunningGateway) -> Counter[tuple[str, str]]:
    memory = gateway.memory
    found = Counter(("transaction", each.reply[:3]) for each in memory.transactions)
    found.update((each.stage, each.reply[:3]) for each in memory.refusals)
    return found


def sequences(count: Count) -> list[tuple[str, ...]]:
    every = [each for length in (1, 2) for each in itertools.product(ALPHABET, repeat=length)]
    longer = [("MAIL", *each) for each in itertools.product(ALPHABET, repeat=2)]
    longest = [("MAIL", "RCPT", *each) for each in itertools.product(ALPHABET, repeat=3)]
    number = count("sequences of commands whose lines are counted", 120, len(longest))
    return [*every, *longer, *random.Random(number).sample(longest, number)]  # noqa: S311 - repeatable


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_each_mail_that_was_accepted_refused_or_left_has_exactly_one_line(tmp_path: Path, count: Count) -> None:
    answers = {"RCPT": lambda line: "550 5.1.1 Unknown" if "unknown" in line else "250 2.1.5 Ok"}
    async with NextHop(answers=answers) as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
        before = _found(gateway)
        for names in sequences(count):
            async with await Caller.call(gateway.port) as caller:
                expected = await _walk(caller, names)
            await until(lambda: not gateway.sessions, "the end of the session")
            now = _found(gateway)
            assert now - before == expected, names
            before = now
        assert_each_line_is_counted_once(gateway)


async def test_each_refusal_and_each_record_has_its_words(tmp_path: Path) -> None:
    limits = "connections_per_network = 1\nexempt_networks = []"
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, limits=limits)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            async with Caller(*await asyncio.open_connection(HOST, gateway.port)) as second:
                said = "421 4.7.0 mx.tidewaiter.test Too many connections from your network"
                assert (await second.reply()).rstrip() == said
            assert (await caller.say("MAIL FROM:<a@b.test> HOLDFOR=1")).startswith("555 ")
            await _say(caller, "MAIL FROM:<>")
            assert (await caller.say("RCPT TO:<c@elsewhere.test>")).startswith("554 ")
            await _say(caller, RCPT, "QUIT")
        await gateway.settled()
        crowd, mail, recipient = gateway.memory.refusals
        assert (crowd.stage, crowd.reply) == ("connection", said)
        assert mail.reply == "555 5.5.4 Parameter not recognized or not implemented"
        assert (recipient.reason, recipient.reverse_path, recipient.forward_path, recipient.next_hop) == (
            "relay denied",
            "",
            "c@elsewhere.test",
            "",
        )
        [record] = gateway.memory.transactions
        assert (record.reverse_path, record.time.tzinfo) == ("", UTC)


async def test_a_recipient_of_another_next_hop_is_told_with_its_reason(tmp_path: Path) -> None:
    async with NextHop() as one, NextHop() as other:
        route = f'[[route]]\ndomains = ["other.test"]\nnext_hop = "smtp://127.0.0.1:{other.port}"'
        async with running_gateway(tmp_path, configuration(one.port, route=route)) as gateway:
            async with await Caller.call(gateway.port) as caller:
                await _say(caller, MAIL, RCPT)
                assert (await caller.say("RCPT TO:<c@other.test>")).startswith("452 4.5.3 ")
            await gateway.settled()
            [refusal] = gateway.memory.refusals
            assert (refusal.stage, refusal.reason) == ("recipient", "other next hop")
