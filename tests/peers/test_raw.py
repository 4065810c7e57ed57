"""Whether the raw client sends exactly what it is given, and counts replies as RFC 5321 does."""

import socket

import pytest

from tests.peers import raw
from tests.peers.boot import HOST
from tests.peers.cache import PeerError
from tests.peers.sink import Sink


@pytest.mark.parametrize(
    ("wire", "codes", "rest"),
    [
        (b"", [], b""),
        (b"250 ok\r\n", [250], b""),
        (b"250\r\n", [250], b""),
        (b"250-a\r\n250-b\r\n250 c\r\n354 go\r\n", [250, 354], b""),
        (b"250 ok\r\n55", [250], b"55"),
        (b"250-a\r\n", [], b"250-a\r\n"),
        (b"hello\r\n250 ok\r\n", [], b"hello\r\n250 ok\r\n"),
    ],
)
def test_what_a_server_said_is_cut_into_replies(wire: bytes, codes: list[int], rest: bytes) -> None:
    exchange = raw.split(wire, closed=True)
    assert (exchange.codes, exchange.rest) == (codes, rest)
    assert b"".join(reply.wire for reply in exchange.replies) + exchange.rest == wire


def test_each_step_waits_for_the_reply_before() -> None:
    with Sink() as sink:
        replies = raw.converse(sink.port, [b"EHLO a.test\r\n", b"NOOP\r\n", b"QUIT\r\n"])
    assert [reply.code for reply in replies] == [220, 250, 250, 221]
    assert [side for side, _ in sink.sessions[0].turns] == ["S", "C", "S", "C", "S", "C", "S"]


def test_silence_is_told_from_an_end() -> None:
    with Sink() as sink:
        assert not raw.send(sink.port, b"NOOP\r\n", within=0.2).closed
        assert raw.send(sink.port, b"QUIT\r\n").closed


def test_a_connection_closed_instead_of_a_reply_is_an_error() -> None:
    with Sink() as sink, raw.Raw(sink.port) as client:
        client.reply()
        client.ask(b"QUIT\r\n")
        with pytest.raises(PeerError, match="closed"):
            client.reply()


def test_what_was_written_is_waited_for_until_it_is_read_and_not_until_it_has_come() -> None:
    with socket.create_server((HOST, 0)) as listener, raw.Raw(listener.getsockname()[1], within=0.2) as client:
        server, _ = listener.accept()
        with server:
            client.write(b"NOOP\r\n")
            server.recv(3)
            with pytest.raises(PeerError, match="not read"):
                client.wait_until_read()
            server.recv(3)
            client.wait_until_read()
            client.write(b"QUIT\r\n")
        client.wait_until_read()  # nobody is left
