"""The one writer: one end, whatever the content and however it was cut (promise 2)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import bytewise, cut, wires
from tidewaiter.lines.reader import Reader
from tidewaiter.lines.writer import ContentError, Writer, command
from tidewaiter.model.position import Position, Positions

REPAIR = Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR)


def write(packets: list[bytes]) -> bytes:
    writer = Writer()
    return b"".join([writer.write(packet) for packet in packets]) + writer.finish()


@given(st.data(), wires())
def test_slicing_never_changes_what_is_written(data: st.DataObject, content: bytes) -> None:
    whole = write([content])
    assert write(data.draw(cut(content))) == whole
    assert write(bytewise(content)) == whole


@given(wires())
def test_stuffing_is_what_a_regular_expression_says(content: bytes) -> None:
    ended = content if (b"\r\n" + content).endswith(b"\r\n") else content + b"\r\n"
    assert write([content]) == re.sub(rb"(\A|\r\n)\.", rb"\1..", ended) + b".\r\n"


@given(wires())
def test_what_is_written_is_read_back_as_it_was(content: bytes) -> None:
    honest = re.sub(rb"\r(?!\n)|(?<!\r)\n|\0", b" ", content)
    wire = write([honest])
    reader = Reader(Positions())
    piece = reader.feed(wire)
    assert (piece.used, piece.ended, reader.refused) == (len(wire), True, None)
    assert piece.content == honest + (b"" if (b"\r\n" + honest).endswith(b"\r\n") else b"\r\n")


@given(wires())
def test_whatever_was_read_is_written_with_exactly_one_end(wire: bytes) -> None:
    reader = Reader(REPAIR, counted=True)
    out = write([reader.feed(wire).content, reader.finish()])
    assert (b"\r\n" + out).count(b"\r\n.\r\n") == 1
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", out)
    assert all(line[:1] != b"." or line[:2] == b".." for line in out.split(b"\r\n")[:-2])


@pytest.mark.parametrize("byte", [b"\r", b"\n", b"\0"])
def test_a_command_can_never_hold_a_second_line(byte: bytes) -> None:
    with pytest.raises(ContentError, match="cannot hold"):
        command(b"MAIL FROM:<a" + byte + b"RCPT TO:<b>")


def test_a_command_is_ended_once() -> None:
    assert command(b"NOOP") == b"NOOP\r\n"
