"""Where a group of commands must end, one byte more costs the connection, and nothing of it is done (promise 6)."""

import pytest

from tests.wire.talk import HELLO, NAMED, NO_PIPELINING, OPEN, SERVICE, SYNCHRONIZATION, Talk, play
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import Close, MailFrom, RcptTo, Service, State, replies

LAST = ["EHLO x", "HELO x", "NOOP", "VRFY x", "EXPN x", "HELP", "QUIT", "STARTTLS"]


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        (line, behind)
        for line in LAST
        for behind in (b"MAIL FROM:<evil@client.test>\r\n", b"X", b"\r\n", b"\n")
        if (line, behind) != ("QUIT", b"\r\n")
    ],
)
def test_nothing_may_follow_the_last_command_of_a_group(line: str, behind: bytes) -> None:
    talk = play(HELLO)
    assert talk.say(line.encode() + b"\r\n" + behind) == SYNCHRONIZATION
    assert talk.events == [Close(replies.SYNCHRONIZATION)]
    assert (talk.server.hello, talk.server.state) == ("client.test", State.CLOSED)


@pytest.mark.parametrize("service", [SERVICE, NO_PIPELINING])
@pytest.mark.parametrize("behind", [b"\r\n", b"\r"])
def test_one_more_line_end_behind_quit_is_no_breach(service: Service, behind: bytes) -> None:
    talk = Talk(service)
    talk.say(b"EHLO a\r\n")
    assert talk.say(b"QUIT\r\n" + behind) == b"221 2.0.0 mx.test Bye\r\n"
    assert talk.events == [Close(service.bye)], "as behind any QUIT, so nothing is logged as refused"
    assert talk.say(b"\nMAIL FROM:<evil@client.test>\r\n") == b""


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        ("QUIT", b"\r\n\r\n"),
        ("QUIT", b"\n"),
        ("QUIT", b"\r\nNOOP\r\n"),
        ("QUIT", b" \r\n"),
        ("QUIT", b"QUIT\r\n"),
        ("QUIT now", b"\r\n"),
        ("NOOP", b"\r\n"),
    ],
)
def test_anything_else_behind_it_is(line: str, behind: bytes) -> None:
    talk = play(HELLO)
    assert talk.say(line.encode() + b"\r\n" + behind) == SYNCHRONIZATION
    assert talk.closed


def test_a_group_runs_up_to_the_command_that_had_to_be_its_last() -> None:
    talk = play(HELLO)
    said = talk.say(b"MAIL FROM:<>\r\nRCPT TO:<b@inside.test>\r\nDATA\r\nSubject: x\r\n.\r\n")
    assert said == b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n" + SYNCHRONIZATION
    assert talk.messages == []
    assert talk.say(b"RSET\r\n") == b""


@pytest.mark.parametrize(
    "line", ["MAIL FROM:<>", "RSET", "RCPT TO:<a@b.test>", "DATA", "NOOP", "TURN", "EHLO x", "QUIT"]
)
def test_without_pipelining_every_command_stands_alone(line: str) -> None:
    talk = Talk(NO_PIPELINING)
    talk.server.output()
    assert talk.say(b"EHLO a\r\n").startswith(b"250-mx.test\r\n")
    assert talk.say(line.encode() + b"\r\nNOOP\r\n") == SYNCHRONIZATION
    assert talk.events == [Close(replies.SYNCHRONIZATION)]


@pytest.mark.parametrize("hello", ["", "HELO client.test\r\n"])
def test_pipelining_is_for_those_to_whom_it_was_offered(hello: str) -> None:
    talk = Talk()
    if hello:
        talk.say(hello.encode())
    talk.server.output()
    assert talk.say(b"RSET\r\nRSET\r\n") == SYNCHRONIZATION


def test_what_comes_while_an_answer_is_awaited_breaks_the_group_as_well() -> None:
    talk = play(NAMED)
    talk.server.receive(b"DATA\r\n")
    assert talk.server.receive(b"Subject: too early\r\n") == []
    assert talk.server.answer(replies.GO_AHEAD) == [Close(replies.SYNCHRONIZATION)]
    assert talk.server.output() == SYNCHRONIZATION


def test_without_pipelining_a_command_behind_mail_undoes_it() -> None:
    talk = Talk(NO_PIPELINING)
    talk.say(b"EHLO a\r\n")
    assert talk.server.receive(b"MAIL FROM:<>\r\n") == [MailFrom(Mail(None))]
    talk.server.receive(b"R")
    assert talk.server.answer(replies.SENDER_OK) == [Close(replies.SYNCHRONIZATION)]
    assert talk.server.output() == SYNCHRONIZATION
    assert talk.server.mail is None


def test_nothing_behind_a_question_is_interpreted_before_its_answer() -> None:
    talk = play(HELLO)
    events = talk.server.receive(b"MAIL FROM:<>\r\nRCPT TO:<b@inside.test>\r\nRSET\r\n")
    assert events == [MailFrom(Mail(None))]
    assert talk.server.output() == b""
    [rcpt] = talk.server.answer(replies.SENDER_OK)
    assert isinstance(rcpt, RcptTo)
    assert talk.server.output() == b"250 2.1.0 Ok\r\n"


@pytest.mark.parametrize("packet", [b"EHLO x\r\n", b"E", b"\r\n"])
def test_nothing_may_come_before_the_greeting(packet: bytes) -> None:
    talk = Talk(greeted=False)
    assert talk.say(packet) == SYNCHRONIZATION
    assert talk.events == [Close(replies.SYNCHRONIZATION)]


def test_commands_behind_the_true_end_are_in_order() -> None:
    talk = play(
        NAMED
        + """
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: x
        C: .
        C: MAIL FROM:<c@client.test>
        C: RCPT TO:<d@inside.test>
        C: DATA
        S: 250 2.0.0 Ok
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        C: y
        C: .
        S: 250 2.0.0 Ok
        """
    )
    assert [content for _, content in talk.messages] == [b"\r\nx\r\n", b"\r\ny\r\n"]


def test_without_pipelining_they_cost_the_connection_but_not_the_message() -> None:
    talk = Talk(NO_PIPELINING)
    for line in (b"EHLO a", b"MAIL FROM:<>", b"RCPT TO:<b@inside.test>", b"DATA"):
        talk.say(line + b"\r\n")
    assert talk.say(b"x\r\n.\r\nMAIL FROM:<evil@client.test>\r\n") == b"250 2.0.0 Ok\r\n" + SYNCHRONIZATION
    assert [content for _, content in talk.messages] == [b"\r\nx\r\n"]
    assert talk.closed


@pytest.mark.parametrize(
    "packet",
    [
        "MAIL FROM:<>\\nRSET\\r\\n",
        "MAIL FROM:<a\\0b@c.test>\\r\\n",
        "MAIL FROM:<a@b.test>\\r\\r\\n",
        "NOOP\\rRSET\\r\\n",
        "NOOP\\n",
    ],
)
def test_a_bare_newline_in_a_command_ends_the_connection(packet: str) -> None:
    talk = play(
        f"""{HELLO}
        ~: {packet}
        S: 500 5.5.2 A command line ends in CR LF and holds no other CR, LF or NUL
        S: CLOSE
        """
    )
    assert all(isinstance(event, Close) for event in talk.events)


def test_a_line_without_end_ends_the_connection() -> None:
    talk = play(HELLO)
    assert talk.say(b"NOOP " + b"x" * 993 + b"\r\n") == b"250 2.0.0 Ok\r\n"
    assert talk.say(b"NOOP " + b"x" * 994 + b"\r\n") == b"500 5.5.2 Line too long\r\n"
    assert talk.closed


def test_an_error_in_a_group_does_not_end_it() -> None:
    play(
        OPEN
        + """
        C: RCPT TO:<>
        C: RCPT TO:<b@inside.test>
        C: TURN
        C: RSET
        S: 501 5.1.3 The recipient's address is malformed
        S: 250 2.1.5 Ok
        S: 500 5.5.2 Command not recognized
        S: 250 2.0.0 Ok
        """
    )


def test_what_waited_behind_a_question_is_read_once() -> None:
    talk = play(HELLO)
    talk.server.receive(b"MAIL FROM:<>\r\n")
    talk.server.receive(b"RCPT TO:<b@inside.test>\r\n")
    assert isinstance(talk.server.answer(replies.SENDER_OK)[-1], RcptTo)
    talk.server.answer(replies.RECIPIENT_OK)
    talk.server.output()
    assert talk.say(b"RSET\r\n") == replies.OK.wire
