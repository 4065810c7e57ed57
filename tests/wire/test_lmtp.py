"""LMTP as a server: LHLO, and one reply for each accepted recipient (RFC 2033)."""

import pytest

from tests.wire.talk import Talk, play
from tidewaiter.model.reply import Reply
from tidewaiter.wire import LocalProtocolError, MessageEnd, Offers, Service, replies

LMTP = Service("mx.test", Offers(pipelining=True, chunking=True), lmtp=True)
HELLO = """
S: 220 mx.test LMTP Tidewaiter
C: LHLO client.test
S: 250-mx.test
S: 250-PIPELINING
S: 250-CHUNKING
S: 250-ENHANCEDSTATUSCODES
S: 250 SIZE 52428800
"""
TWO = b"MAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nRCPT TO:<c@b.test>\r\n"
NO = Reply(452, "4.2.2", ("Full",))


@pytest.mark.parametrize("line", ["HELO a", "EHLO a"])
def test_smtp_is_not_spoken(line: str) -> None:
    play(f"S: 220 mx.test LMTP Tidewaiter\nC: {line}\nS: 500 5.5.1 Another greeting is spoken here", Talk(LMTP))


@pytest.mark.parametrize("content", [(b"DATA\r\n", b"x\r\n.\r\n"), (b"BDAT 1 LAST\r\n", b"x")])
@pytest.mark.parametrize(("answers", "said"), [((NO, replies.OK), NO.wire + replies.OK.wire), ((NO,), NO.wire * 2)])
def test_each_recipient_has_its_reply(content: tuple[bytes, bytes], answers: tuple[Reply, ...], said: bytes) -> None:
    talk = play(HELLO, Talk(LMTP))
    talk.say(TWO)
    talk.server.receive(content[0])
    talk.server.answer(replies.GO_AHEAD)
    talk.server.output()
    assert isinstance(talk.server.receive(content[1])[-1], MessageEnd)
    talk.server.answer(*answers)
    assert talk.server.output() == said


def test_one_reply_too_many_is_a_bug_of_ours() -> None:
    talk = play(HELLO, Talk(LMTP))
    talk.say(TWO + b"DATA\r\n")
    talk.server.receive(b".\r\n")
    with pytest.raises(LocalProtocolError):
        talk.server.answer(NO, NO, NO)


def test_a_refusal_of_the_core_is_said_for_each_recipient() -> None:
    talk = play(HELLO, Talk(LMTP))
    talk.say(TWO + b"DATA\r\n")
    assert talk.say(b"\0\r\n.\r\n") == b"550 5.6.0 The message holds a NUL\r\n" * 2


def test_a_chunk_that_is_not_the_last_has_one_reply() -> None:
    talk = play(HELLO, Talk(LMTP))
    talk.say(TWO)
    assert talk.say(b"BDAT 1\r\nx") == replies.OK.wire
    assert talk.say(b"BDAT 1 LAST\r\nx") == replies.OK.wire * 2
