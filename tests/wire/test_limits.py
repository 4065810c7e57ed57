"""What one client may ask for is bounded, and so is what is held for it (promise 7)."""

import pytest

from tests.wire.talk import HELLO, NAMED, SERVICE, Talk, play
from tidewaiter.model.oddity import OddityKind
from tidewaiter.model.position import Position, Positions
from tidewaiter.model.reply import Reply
from tidewaiter.wire import Close, Limits, LocalProtocolError, MessageRefused, Server, Service, State, replies

TOO_MANY_ERRORS = b"421 4.7.0 mx.test Too many errors\r\n"
TOO_MANY_COMMANDS = b"421 4.7.0 mx.test Too many commands without a message\r\n"
SMALL = Service("mx.test", limits=Limits(errors=3, idle_commands=5))


def _ready(service: Service = SMALL) -> Talk:
    talk = Talk(service)
    talk.say(b"EHLO a\r\n")
    return talk


def test_errors_are_counted_and_end_the_connection() -> None:
    talk = _ready()
    said = talk.say(b"TURN\r\n" * 4)
    assert said == replies.UNKNOWN_COMMAND.wire * 3 + TOO_MANY_ERRORS
    assert talk.events == [Close(SMALL.too_many_errors)]


def test_refused_recipients_are_errors() -> None:
    talk = _ready()
    talk.say(b"MAIL FROM:<>\r\n")
    talk.answers.extend([Reply(550, "5.1.1", ("No",))] * 3)
    assert talk.say(b"RCPT TO:<a@b.test>\r\n" * 5) == b"550 5.1.1 No\r\n" * 3 + TOO_MANY_ERRORS


def test_temporary_refusals_are_not() -> None:
    talk = _ready()
    talk.say(b"MAIL FROM:<>\r\n")
    talk.answers.extend([Reply(451, "4.3.0", ("Later",))] * 9)
    assert talk.say(b"RCPT TO:<a@b.test>\r\n" * 9) == b"451 4.3.0 Later\r\n" * 9


def test_an_accepted_message_forgives_them() -> None:
    talk = _ready()
    for _ in range(4):
        talk.say(b"TURN\r\nTURN\r\nRSET\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n")
        assert talk.say(b".\r\n") == b"250 2.0.0 Ok\r\n"
    assert not talk.closed


def test_a_refused_message_does_not() -> None:
    talk = _ready()
    talk.say(b"RSET\r\n" * 3 + b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n")
    talk.answers.append(Reply(451, "4.3.0", ("Later",)))
    talk.say(b".\r\n")
    assert talk.say(b"RSET\r\n") == b"250 2.0.0 Ok\r\n" + TOO_MANY_COMMANDS


@pytest.mark.parametrize("line", [b"NOOP", b"RSET", b"VRFY x", b"HELP", b"EHLO x", b"HELO x"])
def test_talk_that_brings_no_message_ends(line: bytes) -> None:
    talk = _ready()
    said = [talk.say(line + b"\r\n") for _ in range(4)]
    assert said[-1].endswith(TOO_MANY_COMMANDS)
    assert not any(TOO_MANY_COMMANDS in one for one in said[:-1])


@pytest.mark.parametrize("size", [b"11", b"9" * 10, b"9" * 20])
def test_a_message_that_is_announced_too_big_is_refused_before_it_is_sent(size: bytes) -> None:
    talk = Talk(Service("mx.test", limits=Limits(size=10)))
    talk.say(b"EHLO a\r\n")
    assert talk.say(b"MAIL FROM:<> SIZE=" + size + b"\r\n") == replies.TOO_BIG.wire


def test_what_is_of_a_transaction_or_is_refused_is_no_idle_talk() -> None:
    """As `limits.commands` is documented (config/settings.py)."""
    talk = _ready(Service("mx.test", limits=Limits(idle_commands=3, errors=1000)))
    talk.say(b"MAIL FROM:<>\r\n")
    talk.answers.extend([Reply(451, "4.3.0", ("Later",))] * 9)
    for line in (b"RCPT TO:<a@b.test>", b"TURN", b"NOSUCH", b"EHLO", b"MAIL FROM:<>", b"RCPT TO:<a@b.test>", b"DATA x"):
        for _ in range(9):
            assert TOO_MANY_COMMANDS not in talk.say(line + b"\r\n"), line
    assert not talk.closed
    for _ in range(2):
        talk.say(b"NOOP\r\n")
    assert talk.closed, "EHLO was the first, and these are the second and the third"


def test_small_chunks_are_idle_talk() -> None:
    talk = _ready(Service("mx.test", limits=Limits(idle_commands=3)))
    talk.say(b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\n")
    for size in (1024, 1024, 1024, 1):
        talk.say(b"BDAT %d\r\n" % size + b"x" * size)
    assert not talk.closed
    talk.say(b"BDAT 1\r\nx")
    assert talk.closed


def test_a_message_over_the_size_limit_is_refused_at_its_end() -> None:
    talk = Talk(Service("mx.test", limits=Limits(size=10)))
    talk.say(b"EHLO a\r\n")
    for content, said in ((b"12345678\r\n", b"250 2.0.0 Ok\r\n"), (b"123456789\r\n", replies.TOO_BIG.wire)):
        talk.say(b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n")
        assert talk.say(content + b".\r\nRSET\r\n") == said + b"250 2.0.0 Ok\r\n"
    assert [content for _, content in talk.messages] == [b"\r\n12345678\r\n"], "what we write in is not counted"
    assert isinstance(talk.events[-1], MessageRefused)


def test_behind_the_size_limit_nothing_is_passed_on() -> None:
    talk = Talk(Service("mx.test", limits=Limits(size=10)))
    talk.say(b"EHLO a\r\n")
    talk.say(b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n")
    before = len(talk.events)
    for _ in range(100):
        talk.say(b"x" * 100)
    assert talk.events[before:] == []
    assert talk.say(b"\r\n.\r\n") == replies.TOO_BIG.wire


def test_an_odd_message_is_refused_at_its_true_end_and_the_connection_with_it() -> None:
    talk = play(NAMED + "C: DATA\nS: 354 End data with <CR><LF>.<CR><LF>")
    assert talk.say(b"a\n.\r\nMAIL FROM:<evil@client.test>\r\n") == b""
    assert talk.say(b".\r\nNOOP\r\n") == b"550 5.6.0 The message holds a bare LF\r\n"
    assert talk.events[-1] == Close(replies.ODD_CONTENT[OddityKind.BARE_LF])
    assert talk.messages == []
    assert talk.server.state is State.CLOSED


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"a\rb\r\n", b"The message holds a bare CR"),
        (b"a\nb\r\n", b"The message holds a bare LF"),
        (b"a\0b\r\n", b"The message holds a NUL"),
        (b"x" * 999 + b"\r\n", b"A line of the message is longer than 998 octets"),
        (b"a\0b\rc\nd" + b"x" * 999 + b"\r\n", b"The message holds a NUL"),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_each_oddity_that_is_refused_has_its_own_sentence(line: bytes, said: bytes, chunked: bool) -> None:
    where = Positions(*[Position.REFUSE] * 4)
    talk = Talk(Service("mx.test", data=where, bdat=where))
    content = b"Subject: x\r\n\r\n" + line
    for packet in (b"EHLO a\r\n", b"MAIL FROM:<>\r\n", b"RCPT TO:<b@inside.test>\r\n"):
        talk.say(packet)
    if not chunked:
        talk.say(b"DATA\r\n")
    packet = b"BDAT %d LAST\r\n%s" % (len(content), content) if chunked else content + b".\r\n"
    assert talk.say(packet) == b"550 5.6.0 %s\r\n" % said
    assert talk.closed


def test_reading_stops_while_too_much_waits_behind_a_question() -> None:
    server = Server(Service("mx.test", limits=Limits(pipelined=20)))
    server.greet()
    server.receive(b"EHLO a\r\n")
    server.receive(b"MAIL FROM:<>\r\n")
    held = []
    for packet in (b"RSET\r\n" * 3, b"RSET\r\n"):
        held.append(server.reading)
        server.receive(packet)
    assert [*held, server.reading] == [True, True, False]
    with pytest.raises(LocalProtocolError, match=r"^receive was called while reading was false$"):
        server.receive(b"RSET\r\n")
    server.output()
    server.answer(replies.OK)
    assert server.reading
    assert server.output() == replies.OK.wire * 5


def test_what_is_held_of_a_client_is_bounded() -> None:
    talk = play(HELLO)
    for _ in range(2000):
        talk.say(b"x")
    assert talk.closed
    assert talk.say(b"x" * 100_000) == b""
    assert len(talk.server._unread) <= SERVICE.limits.line


def test_a_closed_server_holds_and_does_nothing() -> None:
    talk = play(f"{HELLO}\nC: QUIT\nS: 221 2.0.0 mx.test Bye\nS: CLOSE")
    assert talk.say(b"MAIL FROM:<>\r\n" * 1000) == b""
    assert talk.server._unread == b""
    assert [type(event) for event in talk.events] == [Close]
