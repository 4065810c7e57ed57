"""BDAT takes exactly its count; a refused chunk is taken too, and never read as commands (promise 1)."""

import pytest

from tests.wire.talk import ENVELOPE, HELLO, NAMED, NO_PIPELINING, OPEN, SERVICE, SYNCHRONIZATION, Talk, play
from tidewaiter.wire import (
    ChunkEnd,
    Close,
    ContentStart,
    Limits,
    MessageRefused,
    Offers,
    Reset,
    Service,
    State,
    replies,
)

FAKE = b"x\r\n.\r\nMAIL FROM:<evil@client.test>\r\n"


def test_bdat_behind_helo_is_refused_and_its_octets_are_no_commands() -> None:
    talk = Talk(SERVICE)
    talk.say(b"HELO c\r\n")
    for command in (b"MAIL FROM:<a@client.test>\r\n", b"RCPT TO:<b@inside.test>\r\n"):
        assert talk.say(command).startswith(b"250 ")
    assert talk.say(b"BDAT %d LAST\r\n" % len(FAKE)) == b""
    assert talk.say(FAKE) == replies.NOT_IMPLEMENTED.wire
    assert talk.say(b"RCPT TO:<b@inside.test>\r\n").startswith(b"503 ")
    assert talk.messages == []


def test_bdat_that_a_next_hop_does_not_take_is_taken_all_the_same() -> None:
    talk = Talk(Service("mx.test", Offers(pipelining=True)))
    talk.say(b"EHLO c\r\n")
    talk.say(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@inside.test>\r\n")
    assert talk.say(b"BDAT %d LAST\r\n" % len(FAKE) + FAKE).startswith(b"250 ")


def test_a_message_comes_in_chunks() -> None:
    talk = play(
        NAMED
        + """
        ~: BDAT 3\\r\\nab\\r
        S: 250 2.0.0 Ok
        ~: BDAT 0\\r\\nbdat 4 last\\r\\n\\n.\\r\\n
        S: 250 2.0.0 Ok
        S: 250 2.0.0 Ok
        C: NOOP
        S: 250 2.0.0 Ok
        """
    )
    assert talk.messages == [(ENVELOPE, b"\r\nab\r\n.\r\n")]
    assert ContentStart(chunked=True) in talk.events


def test_an_end_inside_a_chunk_is_content() -> None:
    talk = play(NAMED)
    said = talk.say(b"BDAT %d LAST\r\n" % len(FAKE) + FAKE + b"RSET\r\n")
    assert said == b"250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n"
    assert talk.messages == [(ENVELOPE, b"\r\n" + FAKE)]


@pytest.mark.parametrize(
    ("chunks", "content"),
    [
        (b"BDAT 2 LAST\r\nx\r", b"\r\nx "),
        (b"BDAT 2 LAST\r\nx\n", b"\r\nx\r\n"),
        (b"BDAT 2\r\nx\rBDAT 1 LAST\r\n\n", b"\r\nx\r\n"),
        (b"BDAT 2\r\nx\rBDAT 0 LAST\r\n", b"\r\nx "),
        (b"BDAT 3 LAST\r\n\r\n.", b"\r\n."),
    ],
)
def test_the_last_octets_of_a_message_are_not_held_back(chunks: bytes, content: bytes) -> None:
    talk = play(NAMED)
    talk.say(chunks)
    assert talk.messages == [(ENVELOPE, content)]


def test_a_chunk_that_the_application_refuses_is_no_news_to_it() -> None:
    talk = play(NAMED)
    talk.server.receive(b"BDAT 1\r\nx")
    assert talk.server.answer(replies.TOO_BIG) == []


def test_an_empty_message_is_a_message() -> None:
    talk = play(f"{NAMED}\nC: BDAT 0 LAST\nS: 250 2.0.0 Ok")
    assert talk.messages == [(ENVELOPE, b"")]


@pytest.mark.parametrize(
    ("before", "reply"),
    [
        ("S: 220 mx.test ESMTP Tidewaiter", b"503 5.5.1 Send HELO or EHLO first\r\n"),
        (HELLO, b"503 5.5.1 Send MAIL first\r\n"),
        (OPEN, b"554 5.5.1 No valid recipients\r\n"),
    ],
)
@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_a_chunk_out_of_its_place_is_never_read_as_commands(before: str, reply: bytes, last: bytes) -> None:
    talk = play(before)
    assert talk.say(b"BDAT %d%s\r\n" % (len(FAKE), last) + FAKE) == reply
    assert talk.server.state in (State.GREETED, State.READY)
    assert talk.server.mail is None
    assert talk.events[-1:] in ([], [Reset(replies.NO_RECIPIENTS)]) or talk.server.state is State.READY
    assert talk.say(b"NOOP\r\n") == b"250 2.0.0 Ok\r\n"


def test_a_chunk_that_the_application_refuses_is_never_read_as_commands() -> None:
    talk = play(NAMED)
    talk.server.receive(b"BDAT %d\r\n" % len(FAKE) + FAKE[:5])
    assert talk.server.answer(replies.TOO_BIG) == []
    assert talk.server.output() == b""
    assert talk.say(FAKE[5:] + b"BDAT 4 LAST\r\nRSET") == (
        b"552 5.3.4 The message is too big\r\n503 5.5.1 Send MAIL first\r\n"
    )
    assert talk.server.state is State.READY
    assert talk.messages == []


def test_a_refused_chunk_ends_the_transaction() -> None:
    talk = play(NAMED)
    talk.server.receive(b"BDAT 1\r\nx")
    assert talk.server.answer(replies.GO_AHEAD)[-1] == ChunkEnd()
    talk.server.answer(replies.TOO_BIG)
    assert talk.server.output() == b"552 5.3.4 The message is too big\r\n"
    assert (talk.server.state, talk.server.mail, talk.server.recipients) == (State.READY, None, [])


@pytest.mark.parametrize(
    "argument",
    ["", "LAST", "x", "-1", "+1", "1_0", "1 0", "1  LAST", "1 LAST LAST", "1 FIRST", "12345678901", "\u0661", "0x1"],
)
def test_a_count_that_is_none_ends_the_connection(argument: str) -> None:
    talk = play(
        f"""{NAMED}
        C: BDAT {argument}
        S: 501 5.5.4 Syntax: BDAT count [LAST]
        S: CLOSE
        """
    )
    assert talk.say(b"NOOP\r\n") == b""


@pytest.mark.parametrize("line", ["DATA", "RCPT TO:<c@inside.test>", "MAIL FROM:<c@client.test>"])
def test_data_and_bdat_do_not_mix(line: str) -> None:
    talk = play(f"{NAMED}\n~: BDAT 1\\r\\nx\nS: 250 2.0.0 Ok")
    assert talk.say(line.encode() + b"\r\n").startswith(b"503 5.5.1 ")
    if line == "DATA":
        assert talk.events[-1] == Reset(replies.NO_MIXING)
        assert talk.say(b"BDAT 1 LAST\r\ny") == b"503 5.5.1 Send MAIL first\r\n"
        assert talk.messages == []
    else:
        assert talk.say(b"BDAT 1 LAST\r\ny") == b"250 2.0.0 Ok\r\n"
        assert talk.messages == [(ENVELOPE, b"\r\nxy")]


def test_chunks_join_no_other_message() -> None:
    talk = play(f"{NAMED}\n~: BDAT 1\\r\\nx\nS: 250 2.0.0 Ok\nC: RSET\nS: 250 2.0.0 Ok")
    talk.say(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@inside.test>\r\n")
    assert talk.say(b"BDAT 1 LAST\r\ny") == b"250 2.0.0 Ok\r\n"
    assert talk.messages == [(ENVELOPE, b"\r\ny")]


def test_chunks_together_may_not_pass_the_size_limit() -> None:
    talk = Talk(Service("mx.test", limits=Limits(size=10)))
    talk.say(b"EHLO a\r\n")
    talk.say(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@inside.test>\r\n")
    assert talk.say(b"BDAT 6\r\n123456BDAT 4\r\n7890") == b"250 2.0.0 Ok\r\n" * 2
    assert talk.say(b"BDAT 1 LAST\r\nxRSET\r\n") == b"552 5.3.4 The message is too big\r\n250 2.0.0 Ok\r\n"
    [refused] = [event for event in talk.events if isinstance(event, MessageRefused)]
    assert (refused.envelope, refused.reply) == (ENVELOPE, replies.TOO_BIG)


@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_an_oddity_that_is_refused_ends_the_connection_behind_its_chunk(last: bytes) -> None:
    talk = play(NAMED)
    said = talk.say(b"BDAT 3%s\r\na\0b" % last + b"RSET\r\n")
    assert said == b"550 5.6.0 The message holds a NUL\r\n"
    assert [type(event) for event in talk.events[-2:]] == [MessageRefused, Close]
    assert talk.messages == []


def test_without_pipelining_a_command_behind_a_chunk_costs_the_connection() -> None:
    for lines, said in (
        ((b"EHLO a", b"MAIL FROM:<>", b"RCPT TO:<b@inside.test>"), b"250 2.0.0 Ok\r\n"),
        ((b"EHLO a",), b"503 5.5.1 Send MAIL first\r\n"),
    ):
        talk = Talk(NO_PIPELINING)
        for line in lines:
            talk.say(line + b"\r\n")
        assert talk.say(b"BDAT 1\r\nxRSET\r\n") == said + SYNCHRONIZATION
        assert talk.closed


def test_many_tiny_chunks_are_idle_talk() -> None:
    talk = Talk(Service("mx.test", limits=Limits(idle_commands=10)))
    talk.say(b"EHLO a\r\n")
    talk.say(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@inside.test>\r\n")
    said = talk.say(b"BDAT 1\r\nx" * 12)
    assert said == b"250 2.0.0 Ok\r\n" * 9 + b"421 4.7.0 mx.test Too many commands without a message\r\n"


def test_large_chunks_are_not() -> None:
    talk = Talk(Service("mx.test", limits=Limits(idle_commands=10)))
    talk.say(b"EHLO a\r\n")
    talk.say(b"MAIL FROM:<a@client.test>\r\nRCPT TO:<b@inside.test>\r\n")
    assert talk.say((b"BDAT 1024\r\n" + b"x" * 1024) * 12 + b"BDAT 0 LAST\r\n") == b"250 2.0.0 Ok\r\n" * 13
