"""The client: what it sends, byte for byte, and to which command it gives each reply."""

from collections.abc import Callable

import pytest

from tidewaiter.lines.writer import ContentError
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire import Broken, Client, Early, LocalProtocolError, Offers, Replied, State, Verb

EHLO = (
    b"250-hop.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
    b"250-STARTTLS\r\n250 XCLIENT NAME ADDR PORT PROTO HELO\r\n"
)
PLAIN = b"250 hop.test\r\n"
A, B = Address("a", "b.test"), Address("b", "inside.test")
OK = Reply(250, "2.0.0", ("Ok",))


def _client(ehlo: bytes = EHLO, *, lmtp: bool = False) -> Client:
    client = Client("mx.test", lmtp=lmtp)
    client.receive(b"220 hop.test ESMTP\r\n")
    client.ehlo()
    client.output()
    client.receive(ehlo)
    assert client.state is State.READY
    return client


def _named(ehlo: bytes = EHLO, recipients: int = 1, *, lmtp: bool = False) -> Client:
    client = _client(ehlo, lmtp=lmtp)
    client.mail(Mail(A))
    client.receive(b"250 2.1.0 Ok\r\n")
    for _ in range(recipients):
        client.rcpt(B)
        client.receive(b"250 2.1.5 Ok\r\n")
    client.output()
    assert client.state is State.NAMED
    return client


def test_the_greeting_comes_first() -> None:
    client = Client("mx.test")
    assert client.receive(b"220-hop.test\r\n220 ES") == []
    assert client.receive(b"MTP\r\n") == [Replied(Verb.GREETING, Reply(220, "", ("hop.test", "ESMTP")))]
    assert client.state is State.GREETED
    assert client.outstanding == 0


@pytest.mark.parametrize("greeting", [b"554 5.7.1 No\r\n", b"421 4.3.2 Later\r\n", b"450 4.3.2 Later\r\n"])
def test_a_server_that_does_not_greet_is_left(greeting: bytes) -> None:
    client = Client("mx.test")
    [replied] = client.receive(greeting)
    assert isinstance(replied, Replied)
    assert replied.reply.wire == greeting
    assert client.state is State.CLOSED
    with pytest.raises(LocalProtocolError):
        client.ehlo()


def test_ehlo_learns_what_is_offered() -> None:
    assert _client().offers == Offers(
        pipelining=True,
        eight_bit=True,
        utf8=True,
        chunking=True,
        starttls=True,
        enhanced=False,
        size=1000,
        xclient=frozenset({"NAME", "ADDR", "PORT", "PROTO", "HELO"}),
    )


@pytest.mark.parametrize("code", [500, 501, 502, 504])
def test_helo_is_said_where_ehlo_is_not_known(code: int) -> None:
    client = Client("mx.test")
    client.receive(b"220 hop.test\r\n")
    client.ehlo()
    assert client.output() == b"EHLO mx.test\r\n"
    assert client.receive(b"%d What?\r\n" % code) == []
    assert client.output() == b"HELO mx.test\r\n"
    assert client.receive(PLAIN) == [Replied(Verb.HELO, Reply(250, "", ("hop.test",)))]
    assert client.state is State.READY
    assert client.offers == Offers(enhanced=False)


@pytest.mark.parametrize("reply", [b"550 5.7.1 No\r\n", b"451 4.3.0 Later\r\n"])
def test_a_refused_hello_can_be_said_again(reply: bytes) -> None:
    client = Client("mx.test")
    client.receive(b"220 hop.test\r\n")
    client.ehlo()
    [replied] = client.receive(reply)
    assert isinstance(replied, Replied)
    assert (replied.verb, client.state) == (Verb.EHLO, State.GREETED)
    client.ehlo()


def test_lmtp_says_lhlo_and_never_helo() -> None:
    client = Client("mx.test", lmtp=True)
    client.receive(b"220 hop.test LMTP\r\n")
    client.ehlo()
    assert client.output() == b"LHLO mx.test\r\n"
    [replied] = client.receive(b"500 What?\r\n")
    assert isinstance(replied, Replied)
    assert replied.verb is Verb.LHLO
    assert client.output() == b""


def test_an_envelope_is_pipelined_where_that_is_offered() -> None:
    client = _client()
    client.mail(Mail(A, 10, eight_bit=True, utf8=True))
    client.rcpt(B)
    client.rcpt(A)
    assert client.output() == (
        b"MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<b@inside.test>\r\nRCPT TO:<a@b.test>\r\n"
    )
    assert client.outstanding == 3
    events = client.receive(b"250 2.0.0 Ok\r\n550 5.1.1 Who?\r\n250 2.0.0 Ok\r\n")
    assert events == [
        Replied(Verb.MAIL, OK),
        Replied(Verb.RCPT, Reply(550, "5.1.1", ("Who?",))),
        Replied(Verb.RCPT, OK),
    ]
    assert client.state is State.NAMED


def test_an_envelope_goes_line_by_line_where_it_is_not() -> None:
    client = _client(PLAIN)
    client.mail(Mail(None, 10))
    client.rcpt(B)
    client.rcpt(A)
    for line in (b"MAIL FROM:<>\r\n", b"RCPT TO:<b@inside.test>\r\n", b"RCPT TO:<a@b.test>\r\n"):
        assert client.output() == line
        assert client.receive(b"250 2.0.0 Ok\r\n") != []
    assert client.output() == b""
    assert client.state is State.NAMED


def test_data_is_written_anew_and_ended_once() -> None:
    client = _named()
    client.data()
    assert client.output() == b"DATA\r\n"
    assert client.receive(b"354 Go\r\n") == [Replied(Verb.DATA, Reply(354, "", ("Go",)))]
    for block in (b".\r", b"\n.\r\n", b"", b".."):
        client.content(block)
    client.end()
    assert client.output() == b"..\r\n..\r\n...\r\n.\r\n"
    assert client.receive(b"250 2.0.0 Ok\r\n") == [Replied(Verb.END, OK)]
    client.output()
    assert client.idle


def test_bdat_counts_and_changes_nothing() -> None:
    client = _named()
    client.bdat(6)
    client.content(b".\r\n")
    client.content(b".\r\n")
    assert client.output() == b"BDAT 6 LAST\r\n.\r\n.\r\n"
    assert client.receive(b"250 2.0.0 Ok\r\n") == [Replied(Verb.END, OK)]
    client.output()
    assert client.idle


EARLY = Reply(552, "5.3.4", ("Too big",))


def test_a_chunk_that_is_answered_before_its_last_octet_is_written_no_further() -> None:
    client = _named()
    client.bdat(4)
    client.content(b"ab")
    assert client.output() == b"BDAT 4 LAST\r\nab"
    assert client.receive(EARLY.wire) == [Early(EARLY)]
    assert client.state is State.CLOSED
    with pytest.raises(LocalProtocolError):
        client.content(b"cd")
    with pytest.raises(LocalProtocolError):
        client.rset()
    assert client.output() == b""


@pytest.mark.parametrize("chunked", [True, False])
def test_a_reply_is_early_while_what_it_answers_has_not_left(chunked: bool) -> None:
    for unsent in (True, False):
        client = _named()
        if chunked:
            client.bdat(1)
            client.content(b"a")
        else:
            client.data()
            client.receive(b"354 Go\r\n")
            client.content(b"a")
            client.end()
        client.output()
        expected = Early(EARLY) if unsent else Replied(Verb.END, EARLY)
        assert client.receive(EARLY.wire, unsent=unsent) == [expected]


@pytest.mark.parametrize("cut", range(1, len(EARLY.wire)))
def test_a_reply_that_began_before_the_end_is_early_wherever_it_is_cut(cut: int) -> None:
    client = _named()
    client.data()
    client.receive(b"354 Go\r\n")
    client.content(b"x")
    client.output()
    assert client.receive(EARLY.wire[:cut]) == []
    client.end()
    assert client.output() == b"", "an end is written for a server that has answered already"
    assert client.receive(EARLY.wire[cut:]) == [Early(EARLY)]


def test_a_chunk_takes_exactly_its_count() -> None:
    client = _named()
    client.bdat(2)
    with pytest.raises(LocalProtocolError):
        client.content(b"abc")
    client.content(b"ab")
    with pytest.raises(LocalProtocolError):
        client.content(b"c")
    with pytest.raises(LocalProtocolError):
        client.end()


@pytest.mark.parametrize("reply", [b"451 4.3.0 Later\r\n", b"554 5.7.1 No\r\n"])
@pytest.mark.parametrize("content", ["data", "end", "bdat"])
def test_behind_refused_content_only_rset_goes_on(content: str, reply: bytes) -> None:
    client = _named()
    if content == "bdat":
        client.bdat(0)
    else:
        client.data()
    if content == "end":
        client.receive(b"354 Go\r\n")
        client.end()
    client.receive(reply)
    assert (client.state, client.idle) == (State.SPOILED, False)
    sends: tuple[Callable[[], None], ...] = (
        lambda: client.mail(Mail(A)),
        lambda: client.rcpt(B),
        client.data,
        client.end,
    )
    for send in sends:
        with pytest.raises(LocalProtocolError):
            send()
    client.output()
    client.rset()
    assert client.output() == b"RSET\r\n"
    assert client.receive(b"250 2.0.0 Ok\r\n") == [Replied(Verb.RSET, OK)]
    client.output()
    assert client.idle


def test_a_refused_rset_helps_nobody() -> None:
    client = _named()
    client.rset()
    client.receive(b"554 5.3.0 No\r\n")
    assert client.state is State.SPOILED


def test_a_recipient_accepted_behind_a_refused_sender_spoils_the_connection() -> None:
    client = _client()
    client.mail(Mail(A))
    client.rcpt(B)
    client.receive(b"550 5.7.1 No\r\n250 2.0.0 Ok\r\n")
    assert client.state is State.SPOILED


def test_a_recipient_refused_behind_a_refused_sender_does_not() -> None:
    client = _client()
    client.mail(Mail(A))
    client.rcpt(B)
    client.receive(b"550 5.7.1 No\r\n503 5.5.1 No\r\n")
    client.output()
    assert client.idle


@pytest.mark.parametrize(
    "packet",
    [
        b"250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n",
        b"250 2.0.0 Ok\r\n2",
        b"250 2.0.0 Ok\r\n\r\n",
    ],
)
def test_a_byte_that_nobody_asked_for_ends_the_connection(packet: bytes) -> None:
    client = _client()
    client.rset()
    assert client.receive(packet) == [Replied(Verb.RSET, OK), Broken("the server said what nobody asked for")]
    assert client.state is State.CLOSED
    assert client.receive(b"250 Ok\r\n") == []


def test_a_reply_to_a_command_that_has_not_left_yet_ends_the_connection() -> None:
    client = _client(PLAIN)
    client.mail(Mail(A))
    client.rcpt(B)
    assert client.output() == b"MAIL FROM:<a@b.test>\r\n"
    events = client.receive(b"250 2.0.0 Ok\r\n250 2.0.0 Ok\r\n")
    assert events == [Replied(Verb.MAIL, OK), Broken("the server said what nobody asked for")]
    assert client.output() == b""


def test_nothing_is_sent_behind_a_command_whose_reply_decides_what_comes_next() -> None:
    client = Client("mx.test")
    client.receive(b"220 hop.test\r\n")
    client.ehlo()
    with pytest.raises(LocalProtocolError):
        client.mail(Mail(A))
    client.receive(EHLO)
    client.xclient({"NAME": "x"})
    with pytest.raises(LocalProtocolError):
        client.ehlo()
    client = _named()
    client.data()
    for send in (client.rset, client.quit):
        with pytest.raises(LocalProtocolError):
            send()
    client = _client()
    client.starttls()
    with pytest.raises(LocalProtocolError):
        client.rset()


def test_a_reply_to_helo_before_it_is_said_ends_the_connection() -> None:
    client = Client("mx.test")
    client.receive(b"220 hop.test\r\n")
    client.ehlo()
    client.output()
    assert client.receive(b"500 What?\r\n" + PLAIN) == [Broken("the server said what nobody asked for")]
    assert client.output() == b""


def test_a_byte_on_an_idle_connection_ends_it() -> None:
    client = _client()
    assert client.receive(b"421 4.4.2 Timeout\r\n") == [Broken("the server said what nobody asked for")]
    assert (client.state, client.idle) == (State.CLOSED, False)


@pytest.mark.parametrize("reply", [Reply(250, "2.0.0", ("Ok",)), EARLY, Reply(354, "", ("Go",))], ids=str)
def test_a_reply_before_our_final_dot_ends_the_connection(reply: Reply) -> None:
    client = _named()
    client.data()
    client.receive(b"354 Go\r\n")
    client.content(b"x")
    client.output()
    assert client.receive(reply.wire) == [Early(reply)]
    assert (client.state, client.output()) == (State.CLOSED, b"")


@pytest.mark.parametrize(
    "reply",
    [
        b"hello\r\n",
        b"25 Ok\r\n",
        b"2500 Ok\r\n",
        b"150 Ok\r\n",
        b"650 Ok\r\n",
        b"250_Ok\r\n",
        b"250 O\nk\r\n",
        b"250 O\rk\r\n",
        b"250 O\0k\r\n",
        b"\r\n",
        b" 250 Ok\r\n",
        b"250\tOk\r\n",
        b"\xd9\xa250 Ok\r\n",
    ],
)
def test_what_is_no_reply_ends_the_connection(reply: bytes) -> None:
    client = _client()
    client.rset()
    assert client.receive(reply) == [Broken("a reply line is malformed")]


def test_a_reply_of_two_codes_ends_the_connection() -> None:
    client = _client()
    client.rset()
    assert client.receive(b"250-Ok\r\n550 No\r\n") == [Broken("a reply changes its code")]


def test_a_reply_is_bounded() -> None:
    for reply, reason in (
        (b"250-" + b"x" * 2100 + b"\r\n", "a reply line is malformed"),
        (b"250-x\r\n" * 129, "a reply has too many lines"),
    ):
        client = _client()
        client.rset()
        assert client.receive(reply) == [Broken(reason)]
    client = _client()
    client.rset()
    [replied] = client.receive(b"250-x\r\n" * 127 + b"250 x\r\n")
    assert isinstance(replied, Replied)
    assert len(replied.reply.lines) == 128


def test_a_reply_of_the_wrong_kind_ends_the_connection() -> None:
    for verb, send in (("MAIL", lambda client: client.mail(Mail(A))), ("RSET", Client.rset), ("QUIT", Client.quit)):
        client = _client()
        send(client)
        assert client.receive(b"354 Go\r\n") == [Broken(f"354 does not answer {verb}")]


@pytest.mark.parametrize(
    ("code", "state"), [(200, State.MAILED), (299, State.MAILED), (400, State.READY), (500, State.READY)]
)
def test_the_first_digit_of_a_reply_decides(code: int, state: State) -> None:
    client = _client()
    client.mail(Mail(A))
    assert client.receive(f"{code} x\r\n".encode()) == [Replied(Verb.MAIL, Reply(code, "", ("x",)))]
    assert client.state is state


def test_a_command_goes_on_from_what_is_still_to_be_answered() -> None:
    client = _client()
    client.mail(Mail(A))
    client.rset()
    client.receive(b"250 2.0.0 Ok\r\n")
    client.mail(Mail(A))  # behind the RSET, not behind the MAIL that was answered
    assert client.outstanding == 2


def test_no_content_is_owed_to_a_server_that_has_closed() -> None:
    client = _named()
    client.bdat(5)
    client.receive(b"421 4.3.2 Bye\r\n")
    assert client.state is State.CLOSED
    with pytest.raises(LocalProtocolError):
        client.content(b"x")


def test_data_is_answered_by_354_only() -> None:
    client = _named()
    client.data()
    assert client.receive(b"250 2.0.0 Ok\r\n") == [Broken("250 does not answer DATA")]


def test_421_ends_the_connection_whatever_was_asked() -> None:
    client = _client()
    client.mail(Mail(A))
    client.rcpt(B)
    [replied] = client.receive(b"421 4.3.2 Bye\r\n421 4.3.2 Bye\r\n")
    assert isinstance(replied, Replied)
    assert (replied.verb, client.state, client.outstanding) == (Verb.MAIL, State.CLOSED, 0)


def test_quit_is_the_last_command() -> None:
    client = _client()
    client.quit()
    assert client.output() == b"QUIT\r\n"
    with pytest.raises(LocalProtocolError):
        client.rset()
    [replied] = client.receive(b"221 2.0.0 Bye\r\n")
    assert isinstance(replied, Replied)
    assert (replied.verb, client.state) == (Verb.QUIT, State.CLOSED)


def test_starttls_forgets_what_was_offered() -> None:
    client = _client()
    client.starttls()
    assert client.output() == b"STARTTLS\r\n"
    client.receive(b"220 2.0.0 Go\r\n")
    assert client.state is State.HANDSHAKE
    client.started_tls()
    assert (client.state, client.offers, client.tls) == (State.GREETED, Offers(enhanced=False), True)
    client.ehlo()
    client.receive(PLAIN)
    assert client.offers == Offers(enhanced=False)
    with pytest.raises(LocalProtocolError):
        client.starttls()


def test_a_reply_injected_behind_starttls_ends_the_connection() -> None:
    client = _client()
    client.starttls()
    events = client.receive(b"220 2.0.0 Go\r\n250-hop.test\r\n250 SIZE 1\r\n")
    assert events[-1] == Broken("the server said what nobody asked for")
    with pytest.raises(LocalProtocolError):
        client.started_tls()


def test_plain_text_before_the_handshake_ends_the_connection() -> None:
    client = _client()
    client.starttls()
    client.receive(b"220 2.0.0 Go\r\n")
    assert client.receive(b"2") == [Broken("the server said what nobody asked for")]


def test_a_refused_starttls_goes_on_in_plain_text() -> None:
    client = _client()
    client.starttls()
    client.receive(b"454 4.7.0 Later\r\n")
    client.output()
    assert client.idle


def test_inside_tls_no_starttls_is_sent_whatever_is_offered() -> None:
    client = Client("mx.test", tls=True)
    client.receive(b"220 hop.test ESMTP\r\n")
    client.ehlo()
    client.receive(EHLO)
    assert client.offers.starttls
    with pytest.raises(LocalProtocolError):
        client.starttls()


def test_starttls_and_xclient_stand_alone() -> None:
    client = _client()
    client.mail(Mail(A))
    for send in (client.starttls, lambda: client.xclient({"NAME": "x"})):
        with pytest.raises(LocalProtocolError):
            send()


def test_xclient_begins_the_session_anew() -> None:
    client = _client()
    client.xclient({"NAME": "c.test", "ADDR": "2001:db8::1", "PORT": "5", "PROTO": "ESMTP", "HELO": "a b\r\n+="})
    assert client.output() == (
        b"XCLIENT NAME=c.test ADDR=IPV6:2001:db8::1 PORT=5 PROTO=ESMTP HELO=a+20b+0D+0A+2B+3D\r\n"
    )
    client.receive(b"220 hop.test ESMTP\r\n")
    assert (client.state, client.offers) == (State.GREETED, Offers(enhanced=False))
    with pytest.raises(LocalProtocolError):
        client.mail(Mail(A))
    client.ehlo()
    client.receive(EHLO)
    client.output()
    assert client.idle


def test_behind_xclient_the_greeting_says_the_clients_name_and_helo_too() -> None:
    client = _client()
    client.xclient({"NAME": "c.test"})
    client.output()
    client.receive(b"220 hop.test\r\n")
    client.ehlo("client.test")
    assert client.output() == b"EHLO client.test\r\n"
    client.receive(b"502 What?\r\n")
    assert client.output() == b"HELO client.test\r\n"


def test_what_can_be_reset_can_be_reset() -> None:
    for begin in (_client, _named):
        client = begin()
        assert client.resettable
        client.rset()
    client = _named()
    client.data()
    assert not client.resettable, "RSET behind DATA would be content"
    client.receive(b"354 Go\r\n")
    assert not client.resettable
    client = _named()
    client.bdat(1)
    assert not client.resettable


def test_a_refused_xclient_changes_nothing() -> None:
    client = _client()
    client.xclient({"NAME": "c.test"})
    client.receive(b"550 5.7.0 No\r\n")
    client.output()
    assert client.idle
    assert client.offers.pipelining


def test_lmtp_answers_content_once_for_each_recipient() -> None:
    client = _named(recipients=2, lmtp=True)
    client.data()
    client.receive(b"354 Go\r\n")
    client.end()
    assert client.receive(b"250 2.0.0 Ok\r\n") == [Replied(Verb.END, OK)]
    assert not client.idle
    assert client.receive(b"250 2.0.0 Ok\r\n") == [Replied(Verb.END, OK)]
    client.output()
    assert client.idle


def test_one_refusal_among_lmtp_replies_asks_for_rset() -> None:
    client = _named(recipients=2, lmtp=True)
    client.bdat(0)
    client.receive(b"452 4.2.2 Full\r\n250 2.0.0 Ok\r\n")
    assert client.state is State.SPOILED


def test_a_refused_recipient_has_no_reply_to_content() -> None:
    client = _client(lmtp=True)
    client.mail(Mail(A))
    for _ in range(3):
        client.rcpt(B)
    client.receive(b"250 Ok\r\n550 No\r\n250 Ok\r\n450 No\r\n")
    client.data()
    client.receive(b"354 Go\r\n")
    client.end()
    assert len(client.receive(b"250 Ok\r\n")) == 1
    client.output()
    assert client.idle


def test_what_is_not_offered_is_not_used() -> None:
    client = _client(PLAIN)
    foreign = Address("\u00fc", "b.test")
    sends: tuple[Callable[[], None], ...] = (
        lambda: client.mail(Mail(A, utf8=True)),
        lambda: client.mail(Mail(foreign)),
        client.starttls,
        lambda: client.xclient({"NAME": "x"}),
    )
    for send in sends:
        with pytest.raises(LocalProtocolError):
            send()
    client.mail(Mail(A, 5, eight_bit=True))
    assert client.output() == b"MAIL FROM:<a@b.test>\r\n"
    client.receive(b"250 Ok\r\n")
    with pytest.raises(LocalProtocolError):
        client.rcpt(foreign)
    client.rcpt(B)
    client.receive(b"250 Ok\r\n")
    with pytest.raises(LocalProtocolError):
        client.bdat(1)


def test_content_waits_for_every_recipient() -> None:
    client = _client()
    client.mail(Mail(A))
    client.rcpt(B)
    for send in (client.data, lambda: client.bdat(0)):
        with pytest.raises(LocalProtocolError):
            send()
    client.receive(b"250 Ok\r\n550 No\r\n")
    with pytest.raises(LocalProtocolError):
        client.data()


def test_no_address_can_add_a_command() -> None:
    client = _client()
    with pytest.raises(ContentError):
        client.mail(Mail(Address("a\r\nRCPT TO:<evil", "b.test")))
    client.mail(Mail(A))
    with pytest.raises(ContentError):
        client.rcpt(Address("a", "b.test>\r\nDATA"))


def test_a_reply_has_one_enhanced_code() -> None:
    for packet, reply in (
        (b"250-2.1.0 a\r\n250 2.1.0 b\r\n", Reply(250, "2.1.0", ("a", "b"))),
        (b"250-2.1.0 a\r\n250 b\r\n", Reply(250, "2.1.0", ("a", "b"))),
        (b"250 5.1.0 a\r\n", Reply(250, "", ("5.1.0 a",))),
        (b"250 2.1.0\r\n", Reply(250, "2.1.0", ("",))),
        (b"250 2.1.0x\r\n", Reply(250, "", ("2.1.0x",))),
        (b"250\r\n", Reply(250, "", ("",))),
        (b"250 \xc3\xbc\t\r\n", Reply(250, "", ("???",))),
        (b"250-\xc3\xbc\t\r\n250 x\r\n", Reply(250, "", ("???", "x"))),
        (b"250-\r\n250\r\n", Reply(250, "", ("", ""))),
    ):
        client = _client()
        client.rset()
        assert client.receive(packet) == [Replied(Verb.RSET, reply)]


def test_every_misuse_is_named() -> None:
    plain, offered, named = _client(PLAIN), _client(), _named(PLAIN)
    foreign = Address("\u00fc", "b.test")
    greeted = Client("mx.test")
    data = _named()
    data.data()
    waiting = Client("mx.test")
    waiting.receive(b"220 hop.test\r\n")
    waiting.ehlo()
    misuses: tuple[tuple[str, Callable[[], None]], ...] = (
        ("EHLO cannot be sent in state opening", greeted.ehlo),
        ("RSET cannot be sent in state content", data.rset),
        ("MAIL has to wait for the reply to EHLO", lambda: waiting.mail(Mail(A))),
        ("STARTTLS is sent where it is offered, once, and alone", plain.starttls),
        ("no handshake was begun", offered.started_tls),
        ("XCLIENT is sent where it is offered, and alone", lambda: plain.xclient({"NAME": "x"})),
        ("SMTPUTF8 is not offered", lambda: plain.mail(Mail(A, utf8=True))),
        ("SMTPUTF8 is not offered", lambda: plain.mail(Mail(foreign))),
        ("SMTPUTF8 is not offered", lambda: named.rcpt(foreign)),
        ("CHUNKING is not offered", lambda: named.bdat(1)),
        ("RCPT cannot be sent in state ready", lambda: plain.rcpt(A)),
        ("no content is wanted", lambda: named.content(b"x")),
        ("there is no content to end", named.end),
        ("content is sent to recipients who have been accepted, with no reply outstanding", plain.data),
    )
    for message, call in misuses:
        with pytest.raises(LocalProtocolError) as caught:
            call()
        assert str(caught.value) == message
