"""The server, held to every byte of typed dialogues."""

from collections.abc import Callable

import pytest

from tests.wire.talk import ENVELOPE, HELLO, NAMED, OPEN, SERVICE, Talk, play
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire import (
    Close,
    ContentStart,
    Limits,
    LocalProtocolError,
    MessageEnd,
    MessageRefused,
    Offers,
    RcptRefused,
    Server,
    Service,
    State,
    Verb,
    replies,
)


def test_the_application_hears_of_each_recipient_that_is_refused_without_it() -> None:
    talk = Talk(Service("mx.test", limits=Limits(recipients=1)))
    talk.say(b"EHLO a\r\n")
    talk.say(b"RCPT TO:<b@inside.test>\r\n")
    talk.say(b"MAIL FROM:<>\r\n")
    talk.say(b"RCPT TO:<b c@inside.test>\r\nRCPT TO:<b@inside.test>\r\nRCPT TO:<c@inside.test>\r\n")
    said = [(event.mail, event.argument, event.reply.code) for event in talk.events if isinstance(event, RcptRefused)]
    assert said == [
        (None, b"TO:<b@inside.test>", 503),
        (Mail(None), b"TO:<b c@inside.test>", 501),
        (Mail(None), b"TO:<c@inside.test>", 452),
    ]


def test_a_message_comes_in() -> None:
    talk = play(
        NAMED
        + """
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        C: Subject: x
        C:
        C: ..dot
        C: .
        S: 250 2.0.0 Ok
        C: QUIT
        S: 221 2.0.0 mx.test Bye
        S: CLOSE
        """
    )
    assert talk.messages == [(ENVELOPE, b"Subject: x\r\n\r\n.dot\r\n")]
    assert ContentStart(chunked=False) in talk.events


def test_a_whole_group_is_answered_in_one_write() -> None:
    play(
        HELLO
        + """
        C: MAIL FROM:<a@client.test>
        C: RCPT TO:<b@inside.test>
        C: RCPT TO:<c@inside.test>
        C: DATA
        S: 250 2.1.0 Ok
        S: 250 2.1.5 Ok
        S: 250 2.1.5 Ok
        S: 354 End data with <CR><LF>.<CR><LF>
        """
    )


def test_helo_gives_a_session_without_extensions() -> None:
    talk = play(
        """
        S: 220 mx.test ESMTP Tidewaiter
        C: HELO client.test
        S: 250 mx.test
        C: MAIL FROM:<a@client.test> SIZE=1
        S: 555 5.5.4 Parameter not recognized or not implemented
        C: MAIL FROM:<a@client.test> BODY=8BITMIME
        S: 555 5.5.4 Parameter not recognized or not implemented
        C: MAIL FROM:<a@client.test> SMTPUTF8
        S: 555 5.5.4 Parameter not recognized or not implemented
        C: STARTTLS
        S: 502 5.5.1 Command not implemented
        """
    )
    assert (talk.server.verb, talk.server.protocol) == (Verb.HELO, "SMTP")


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("NOOP", "250 2.0.0 Ok"),
        ("NOOP anything", "250 2.0.0 Ok"),
        ("noop", "250 2.0.0 Ok"),
        ("RSET", "250 2.0.0 Ok"),
        ("RSET now", "501 5.5.4 This command takes no argument"),
        ("VRFY postmaster", "252 2.0.0 Send some mail, and it will be tried"),
        ("EXPN list", "502 5.5.1 Command not implemented"),
        ("HELP", "214 2.0.0 See RFC 5321"),
        ("QUIT now", "501 5.5.4 This command takes no argument"),
        ("STARTTLS now", "501 5.5.4 This command takes no argument"),
        ("TURN", "500 5.5.2 Command not recognized"),
        ("NOOPX", "500 5.5.2 Command not recognized"),
        ("", "500 5.5.2 Command not recognized"),
        ("MA\u0130L FROM:<a@b.test>", "500 5.5.2 Command not recognized"),
        ("RCPT TO:<a@b.test>", "503 5.5.1 Send MAIL first"),
        ("DATA", "503 5.5.1 Send MAIL first"),
        ("BDAT 0 LAST", "503 5.5.1 Send MAIL first"),
        ("LHLO client.test", "500 5.5.2 Command not recognized"),
        ("EHLO", "501 5.5.4 A host name is wanted"),
        ("MAIL", "501 5.5.4 Syntax: MAIL FROM:<address>"),
        ("MAIL FROM:<a@b@c>", "501 5.1.7 The sender's address is malformed"),
        ("MAIL FROM:<a@b.test> SIZE=52428800", "250 2.1.0 Ok"),
        ("MAIL FROM:<a@b.test> SIZE=52428801", "552 5.3.4 The message is too big"),
        ("MAIL FROM:<\u00fc@b.test>", "553 5.6.7 An address beyond ASCII needs SMTPUTF8"),
    ],
)
def test_each_command_has_its_reply(line: str, reply: str) -> None:
    play(f"{HELLO}\nC: {line}\nS: {reply}")


@pytest.mark.parametrize("line", ["MAIL FROM:<>", "RCPT TO:<a@b.test>", "DATA", "BDAT 0 LAST", "VRFY a", "STARTTLS"])
def test_nothing_is_done_for_a_client_that_has_not_said_hello(line: str) -> None:
    play(f"S: 220 mx.test ESMTP Tidewaiter\nC: {line}\nS: 503 5.5.1 Send HELO or EHLO first")


@pytest.mark.parametrize("line", ["NOOP", "RSET"])
def test_what_needs_no_hello_is_done_without(line: str) -> None:
    talk = play(f"S: 220 mx.test ESMTP Tidewaiter\nC: {line}\nS: 250 2.0.0 Ok")
    assert talk.server.state is State.GREETED


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("MAIL FROM:<x@client.test>", "503 5.5.1 A transaction is open already"),
        ("DATA", "554 5.5.1 No valid recipients"),
        ("BDAT 0 LAST", "554 5.5.1 No valid recipients"),
        ("STARTTLS", "503 5.5.1 Bad sequence of commands"),
        ("RCPT TO:<>", "501 5.1.3 The recipient's address is malformed"),
        ("RCPT TO:<b@inside.test> NOTIFY=NEVER", "250 2.1.5 Ok"),
        ("RCPT TO:<b@inside.test> NOTIFY=NOW", "501 5.5.4 A parameter is malformed or given twice"),
        ("RCPT TO:<b@inside.test> RRVS=now", "555 5.5.4 Parameter not recognized or not implemented"),
        ("RCPT FROM:<b@inside.test>", "501 5.5.4 Syntax: RCPT TO:<address>"),
        ("DATA now", "554 5.5.1 No valid recipients"),
    ],
)
def test_an_open_transaction_takes_recipients_only(line: str, reply: str) -> None:
    play(f"{OPEN}\nC: {line}\nS: {reply}")


@pytest.mark.parametrize("line", [b"NOOP \t ", b"RSET  ", b"MAIL FROM:<> ", b"EHLO a\t"])
def test_white_space_at_the_end_of_a_line_is_tolerated(line: bytes) -> None:
    assert play(HELLO).say(line + b"\r\n").startswith(b"250")


@pytest.mark.parametrize("line", [b"NOOP\v", b"NOOP\f", b"\tNOOP", b"NO OP"])
def test_no_other_white_space_is(line: bytes) -> None:
    assert play(HELLO).say(line + b"\r\n") == replies.UNKNOWN_COMMAND.wire


def test_data_takes_no_argument_and_its_failure_ends_the_transaction() -> None:
    talk = play(f"{NAMED}\nC: DATA now\nS: 501 5.5.4 This command takes no argument")
    assert (talk.server.state, talk.server.mail, talk.server.recipients) == (State.READY, None, [])


def test_recipients_beyond_the_limit_come_again() -> None:
    service = Service("mx.test", limits=Limits(recipients=2))
    talk = Talk(service)
    talk.say(b"EHLO a\r\n")
    said = talk.say(b"MAIL FROM:<>\r\n" + b"RCPT TO:<b@inside.test>\r\n" * 3)
    assert said.endswith(b"250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n452 4.5.3 Too many recipients\r\n")
    said = talk.say(b"RCPT TO:<b@inside.test>\r\n" * 300)
    assert said == b"452 4.5.3 Too many recipients\r\n" * 300
    talk.say(b"DATA\r\n")
    assert talk.say(b".\r\n") == b"250 2.0.0 Ok\r\n"
    assert [len(envelope.recipients) for envelope, _ in talk.messages] == [2]


def test_only_an_accepted_message_forgives_recipients_refused_for_now() -> None:
    talk = Talk(Service("mx.test", limits=Limits(recipients=2)))
    talk.say(b"EHLO a\r\n")
    for _ in range(3):
        talk.answers.extend([replies.SENDER_OK, *[replies.TOO_MANY_RECIPIENTS] * 2])
        talk.say(b"MAIL FROM:<>\r\n" + b"RCPT TO:<b@inside.test>\r\n" * 3 + b"DATA\r\n")
        assert talk.say(b".\r\n") == b"250 2.0.0 Ok\r\n"
    talk.answers.extend([replies.SENDER_OK, *[replies.TOO_MANY_RECIPIENTS] * 2])
    talk.say(b"MAIL FROM:<>\r\n" + b"RCPT TO:<b@inside.test>\r\n" * 2 + b"RSET\r\n")
    talk.answers.extend([replies.SENDER_OK, replies.TOO_MANY_RECIPIENTS])
    said = talk.say(b"MAIL FROM:<>\r\n" + b"RCPT TO:<b@inside.test>\r\n" * 2)
    assert said.endswith(b"452 4.5.3 Too many recipients\r\n421 4.7.0 mx.test Too many errors\r\n")


def test_a_recipient_refused_for_good_is_an_error_and_none_that_may_come_again() -> None:
    talk = Talk(Service("mx.test", limits=Limits(recipients=2, errors=20)))
    talk.say(b"EHLO a\r\n")
    talk.say(b"MAIL FROM:<>\r\n")
    talk.answers.extend([Reply(500, "5.0.0", ("No",)), Reply(550, "5.1.1", ("No",))] * 4)
    assert talk.say(b"RCPT TO:<b@inside.test>\r\n" * 8) == b"500 5.0.0 No\r\n550 5.1.1 No\r\n" * 4


def test_which_hello_was_said_is_known() -> None:
    talk = Talk()
    for verb in (Verb.EHLO, Verb.HELO):
        talk.say(f"{verb} a\r\n".encode())
        assert talk.server.verb is verb


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("451 4.3.0 Later", "451 4.3.0 Later"),
        ("550 5.7.1 Never", "550 5.7.1 Never"),
    ],
)
def test_the_application_refuses_a_sender_a_recipient_and_a_message(answer: str, said: str) -> None:
    talk = play(
        f"""{HELLO}
        ?: {answer}
        C: MAIL FROM:<a@client.test>
        S: {said}
        C: MAIL FROM:<a@client.test>
        S: 250 2.1.0 Ok
        ?: {answer}
        C: RCPT TO:<x@inside.test>
        S: {said}
        C: RCPT TO:<b@inside.test>
        S: 250 2.1.5 Ok
        ?: {answer}
        C: DATA
        S: {said}
        C: DATA
        S: 503 5.5.1 Send MAIL first
        C: MAIL FROM:<a@client.test>
        S: 250 2.1.0 Ok
        C: RCPT TO:<b@inside.test>
        S: 250 2.1.5 Ok
        C: DATA
        S: 354 End data with <CR><LF>.<CR><LF>
        ?: {answer}
        C: .
        S: {said}
        C: RCPT TO:<b@inside.test>
        S: 503 5.5.1 Send MAIL first
        """
    )
    assert talk.messages == []


def test_a_reply_without_an_enhanced_code_gets_the_undefined_one_of_its_class() -> None:
    talk = play(HELLO)
    talk.server.receive(b"MAIL FROM:<>\r\n")
    talk.server.answer(Reply(250, "", ("sender ok",)))
    assert talk.server.output() == b"250 2.0.0 sender ok\r\n"


def test_the_application_may_end_the_connection_with_its_answer() -> None:
    for close, reply in ((True, "550 5.7.1 Go"), (False, "421 4.3.2 Gone")):
        talk = play(OPEN)
        talk.server.receive(b"RCPT TO:<b@inside.test>\r\nRSET\r\n")
        code, enhanced, words = reply.split()
        said = Reply(int(code), enhanced, (words,))
        events = talk.server.answer(said, close=close)
        assert Close(said) in events, "whoever logs it has to know why"
        talk.take(events)
        assert talk.server.output() == reply.encode() + b"\r\n"
        assert talk.closed
        assert talk.say(b"NOOP\r\n") == b""


def test_the_application_may_end_the_connection_at_any_time() -> None:
    talk = Talk(greeted=False)
    talk.take(talk.server.close(SERVICE.closing("4.3.2", "Too many connections\r\n250 Ok")))
    assert talk.server.output() == b"421 4.3.2 mx.test Too many connections??250 Ok\r\n"
    assert talk.closed
    assert talk.server.state is State.CLOSED
    assert talk.server.close(replies.OK) == []


def test_a_recipient_beyond_ascii_is_taken_where_mail_said_smtputf8() -> None:
    talk = play(f"{HELLO}\nC: MAIL FROM:<> SMTPUTF8\nS: 250 2.1.0 Ok\nC: RCPT TO:<\u00fc@b.test>\nS: 250 2.1.5 Ok")
    assert [str(recipient) for recipient in talk.server.recipients] == ["\u00fc@b.test"]


def test_content_that_is_refused_has_one_reply_however_many_recipients() -> None:
    talk = play(f"{NAMED}\nC: RCPT TO:<c@inside.test>\nS: 250 2.1.5 Ok")
    talk.say(b"DATA\r\n")
    assert talk.say(b"\0\r\n.\r\n") == b"550 5.6.0 The message holds a NUL\r\n"
    [refused] = [event for event in talk.events if isinstance(event, MessageRefused)]
    assert (len(refused.envelope.recipients), refused.body.offset) == (2, 6)


def test_the_end_of_a_message_brings_the_report_of_its_reader() -> None:
    talk = play(NAMED)
    talk.say(b"DATA\r\n")
    talk.say(b"x:\r\n.\r\n")
    [end] = [event for event in talk.events if isinstance(event, MessageEnd)]
    assert (end.body.offset, end.body.oddities) == (7, ())


@pytest.mark.parametrize(("command", "chunked"), [(b"DATA\r\n", False), (b"BDAT 1 LAST\r\nx", True)])
def test_who_is_asked_for_room_hears_whether_it_is_for_a_chunk(command: bytes, chunked: bool) -> None:
    talk = play(NAMED)
    talk.say(command)
    [start] = [event for event in talk.events if isinstance(event, ContentStart)]
    assert start.chunked is chunked


def test_the_end_of_a_connection_tells_why() -> None:
    talk = play(HELLO)
    talk.say(b"QUIT\r\n")
    [end] = [event for event in talk.events if isinstance(event, Close)]
    assert end.reply is SERVICE.bye


@pytest.mark.parametrize("code", [400, 499, 500])
def test_any_negative_reply_answers_anything(code: int) -> None:
    talk = play(HELLO)
    talk.server.receive(b"MAIL FROM:<>\r\n")
    talk.server.answer(Reply(code, "", ("No",)))
    assert talk.server.mail is None


def test_hello_in_a_transaction_ends_it() -> None:
    talk = play(f"{NAMED}\nC: HELO client.test\nS: 250 mx.test\nC: DATA\nS: 503 5.5.1 Send MAIL first")
    assert talk.server.hello == "client.test"


def test_a_failed_hello_changes_nothing() -> None:
    talk = play(f"{NAMED}\nC: EHLO\nS: 501 5.5.4 A host name is wanted")
    assert (talk.server.state, talk.server.hello) == (State.NAMED, "client.test")


def test_the_name_of_a_client_is_safe_for_a_header() -> None:
    talk = play('S: 220 mx.test ESMTP Tidewaiter\nC: HELO (a)\\<b>;c,d@e"f g\u00fc\nS: 250 mx.test')
    assert talk.server.hello == "?a???b??c?d?e?f?g??"


@pytest.mark.parametrize(
    ("tls", "hello", "mail", "protocol"),
    [
        (False, b"HELO a", b"MAIL FROM:<>", "SMTP"),
        (True, b"HELO a", b"MAIL FROM:<>", "SMTP"),
        (False, b"EHLO a", b"MAIL FROM:<>", "ESMTP"),
        (True, b"EHLO a", b"MAIL FROM:<>", "ESMTPS"),
        (True, b"EHLO a", b"MAIL FROM:<> SMTPUTF8", "UTF8SMTPS"),
    ],
)
def test_the_protocol_is_named_as_rfc_3848_and_6531_have_it(
    *, tls: bool, hello: bytes, mail: bytes, protocol: str
) -> None:
    server = Server(Service("mx.test"), tls=tls)
    server.greet()
    server.receive(hello + b"\r\n")
    server.receive(mail + b"\r\n")
    server.answer(replies.OK)
    assert server.protocol == protocol


def test_size_offers_the_smaller_of_two_limits() -> None:
    for offered, taken in ((None, 1000), (0, 1000), (500, 500), (2000, 1000)):
        service = Service("mx.test", Offers(size=offered), Limits(size=1000))
        assert service.ehlo.lines[-1] == f"SIZE {taken}"
        assert service.size == taken


def test_the_caller_cannot_break_the_order_of_events() -> None:
    server = Server(SERVICE)
    _is_misuse("nothing was asked", lambda: server.answer(replies.OK))
    _is_misuse("no handshake was begun", server.started_tls)
    server.greet()
    _is_misuse("the greeting is said once, and not behind close", server.greet)
    server.receive(b"EHLO a\r\n")
    server.receive(b"MAIL FROM:<>\r\n")
    _is_misuse(f"{replies.GO_AHEAD} does not answer MAIL", lambda: server.answer(replies.GO_AHEAD))
    server.answer(replies.OK)
    server.receive(b"RCPT TO:<a@b.test>\r\n")
    server.answer(replies.OK)
    for line, verb in ((b"DATA\r\n", "DATA"), (b"BDAT 0 LAST\r\n", "BDAT")):
        server.receive(line)
        _is_misuse(f"{replies.OK} does not answer {verb}", lambda: server.answer(replies.OK))
        server.answer(replies.NOT_IMPLEMENTED)
        server.receive(b"MAIL FROM:<>\r\n")
        server.answer(replies.OK)
        server.receive(b"RCPT TO:<a@b.test>\r\n")
        server.answer(replies.OK)
    server.receive(b"DATA\r\n")
    server.answer(replies.GO_AHEAD)
    server.receive(b".\r\n")
    _is_misuse(f"{replies.GO_AHEAD} does not answer end of message", lambda: server.answer(replies.GO_AHEAD))
    server.close(replies.OK)
    _is_misuse("nothing was asked", lambda: server.answer(replies.OK))


def _is_misuse(message: str, call: Callable[[], object]) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        call()
    assert str(caught.value) == message
