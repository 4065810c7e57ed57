"""Nothing that came before the handshake is believed behind it (promise 6)."""

import pytest

from tests.wire.talk import HELLO, Talk, play
from tidewaiter.wire import Close, LocalProtocolError, Server, StartTls, State, replies


def _handshake() -> Talk:
    talk = play(f"{HELLO}\nC: STARTTLS\nS: 220 2.0.0 Ready to start TLS")
    assert talk.events == [StartTls()]
    assert talk.server.state is State.HANDSHAKE
    return talk


def test_behind_the_handshake_everything_begins_anew() -> None:
    talk = _handshake()
    talk.server.started_tls()
    assert (talk.server.tls, talk.server.hello, talk.server.verb) == (True, "", None)
    play(
        """
        C: MAIL FROM:<a@client.test>
        S: 503 5.5.1 Send HELO or EHLO first
        C: EHLO client.test
        S: 250-mx.test
        S: 250-PIPELINING
        S: 250-8BITMIME
        S: 250-SMTPUTF8
        S: 250-CHUNKING
        S: 250-ENHANCEDSTATUSCODES
        S: 250 SIZE 52428800
        C: STARTTLS
        S: 503 5.5.1 TLS is active already
        """,
        talk,
    )
    assert talk.server.protocol == "ESMTPS"


def test_offers_of_plain_text_do_not_hold_in_tls() -> None:
    talk = _handshake()
    talk.server.started_tls()
    said = talk.say(b"RSET\r\nRSET\r\n")
    assert said == b"554 5.5.0 SMTP protocol synchronization: wait for the reply\r\n"


@pytest.mark.parametrize("packet", [b"NOOP\r\n", b"\x16", b"EHLO evil\r\nMAIL FROM:<evil@client.test>\r\n"])
def test_plain_text_behind_the_220_ends_the_connection_in_silence(packet: bytes) -> None:
    talk = _handshake()
    assert talk.say(packet) == b""
    assert talk.events[-1] == Close(None)
    with pytest.raises(LocalProtocolError):
        talk.server.started_tls()


@pytest.mark.parametrize("packet", [b"E", b"EHLO evil\r\n", b"\r\n"])
def test_plain_text_in_the_same_packet_ends_the_connection(packet: bytes) -> None:
    talk = play(HELLO)
    assert talk.say(b"STARTTLS\r\n" + packet) == replies.SYNCHRONIZATION.wire
    assert talk.events == [Close(replies.SYNCHRONIZATION)]


def test_a_server_that_began_in_tls_does_not_offer_it() -> None:
    talk = Talk()
    server = talk.server = Server(talk.server.service, tls=True)
    server.greet()
    server.output()
    assert b"STARTTLS" not in talk.say(b"EHLO client.test\r\n")
    assert talk.say(b"STARTTLS\r\n") == b"503 5.5.1 TLS is active already\r\n"


def test_a_transaction_is_not_carried_into_tls() -> None:
    talk = play(HELLO)
    talk.say(b"MAIL FROM:<>\r\n")
    assert talk.say(b"STARTTLS\r\n") == b"503 5.5.1 Bad sequence of commands\r\n"
    assert talk.server.state is State.MAILED
