"""Whether the sink keeps every byte, and reads them by RFC 5321 and nothing else.

The oracle is typed by hand: the sink judges others, so nobody else's reading may decide here.
"""

import smtplib

import pytest

from tests.peers import raw
from tests.peers.cache import PeerError
from tests.peers.sink import CHUNKING, Sink

ENVELOPE = b"EHLO a.test\r\nMAIL FROM:<a@src.test>\r\nRCPT TO:<b@sink.test>\r\n"
ODD_ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n.\0\r\n", b"\r\n. \r\n", b"\n.\r\r\n"]


def exchange(sink: Sink, wire: bytes) -> list[int]:
    return raw.send(sink.port, wire).codes


def test_a_message_and_every_byte_of_its_session_are_kept() -> None:
    wire = ENVELOPE + b"DATA\r\nS: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n"
    with Sink() as sink:
        assert exchange(sink, wire) == [220, 250, 250, 250, 354, 250, 221]
        [message] = sink.wait()
    assert (message.verb, message.reverse_path) == ("DATA", b"<a@src.test>")
    assert message.forward_paths == (b"<b@sink.test>",)
    assert message.content == b"S: x\r\n\r\n.dot\r\n"
    assert message.wire == b"S: x\r\n\r\n..dot\r\n.\r\n"
    assert sink.sessions[0].received == wire


@pytest.mark.parametrize("odd", ODD_ENDS)
def test_no_odd_end_ends_data(odd: bytes) -> None:
    content = b"S: x\r\n\r\nbody" + odd + b"MAIL FROM:<evil@src.test>\r\n"
    with Sink() as sink:
        exchange(sink, ENVELOPE + b"DATA\r\n" + content + b".\r\nQUIT\r\n")
        [message] = sink.wait()
    assert message.wire == content + b".\r\n"


def test_a_dot_right_after_354_ends_an_empty_message() -> None:
    with Sink() as sink:
        assert exchange(sink, ENVELOPE + b"DATA\r\n.\r\nQUIT\r\n")[-2:] == [250, 221]
        assert sink.wait()[0].content == b""


def test_bdat_takes_exactly_its_count_whatever_the_bytes_say() -> None:
    chunk = b"a\r\n.\r\nQUIT\r\n"
    with Sink(offers=CHUNKING) as sink:
        wire = ENVELOPE + b"BDAT %d\r\n%sBDAT 1 LAST\r\nxQUIT\r\n" % (len(chunk), chunk)
        assert exchange(sink, wire) == [220, 250, 250, 250, 250, 250, 221]
        [message] = sink.wait()
    assert (message.verb, message.content) == ("BDAT", chunk + b"x")


def test_lmtp_answers_once_for_each_recipient() -> None:
    envelope = ENVELOPE.replace(b"EHLO", b"LHLO") + b"RCPT TO:<c@sink.test>\r\n"
    with Sink(lmtp=True) as sink:
        codes = exchange(sink, envelope + b"DATA\r\nx\r\n.\r\nQUIT\r\n")
    assert codes == [220, 250, 250, 250, 250, 354, 250, 250, 221]


def test_a_command_with_a_bare_line_feed_is_not_executed() -> None:
    with Sink() as sink:
        assert exchange(sink, b"EHLO a.test\r\nRSET\nNOOP\r\nQUIT\r\n") == [220, 250, 500, 221]


def test_commands_out_of_order_are_refused() -> None:
    with Sink() as sink:
        wire = b"EHLO a.test\r\nRCPT TO:<b@c.test>\r\nDATA\r\nMAIL <a@b.test>\r\nBDAT x LAST\r\nQUIT\r\n"
        assert exchange(sink, wire) == [220, 250, 503, 503, 501, 501, 221]
        assert sink.messages == []


def test_a_session_is_the_same_whether_it_came_whole_or_byte_by_byte() -> None:
    wire = ENVELOPE + b"DATA\r\nS: x\r\n\r\n\r\n.\rno\r\n.\r\nRSET\r\nQUIT\r\n"
    with Sink() as sink:
        exchange(sink, wire)
        with raw.Raw(sink.port) as slow:
            for byte in wire:
                slow.write(bytes([byte]))
            assert slow.finish().closed
        sink.wait(2)
    whole, cut = sink.sessions
    assert whole == cut


def test_bytes_that_make_no_command_are_kept_as_evidence() -> None:
    with Sink() as sink:
        with raw.Raw(sink.port) as client:
            client.reply()
            client.write(b"EHLO")
        with pytest.raises(PeerError, match="0 of 1 messages"):
            sink.wait(1, within=0.2)
    assert sink.sessions[0].received == b"EHLO"


def test_a_sender_of_another_make_gets_through() -> None:
    with Sink() as sink:
        with smtplib.SMTP("127.0.0.1", sink.port) as client:
            client.sendmail("a@src.test", ["b@sink.test"], b"S: x\r\n\r\n.\r\n")
        assert sink.wait()[0].content == b"S: x\r\n\r\n.\r\n"
