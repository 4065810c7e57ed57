"""The strict reader: slicing, conservation, an independent oracle, and what it remembers of oddities."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import bytewise, cut, positions, wires
from tidewaiter.lines.evidence import BEFORE, WINDOW_BYTES, WINDOWS
from tidewaiter.lines.reader import LISTED, Reader
from tidewaiter.lines.scan import State, Step, flush, rules_for, take_line
from tidewaiter.model.oddity import Oddity, OddityKind, Window
from tidewaiter.model.position import Position, Positions

NOTE = Positions(Position.NOTE, Position.NOTE, Position.NOTE)
REPAIR = Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR)
REFUSE = Positions()


def read(packets: list[bytes], where: Positions, *, counted: bool = False) -> tuple[object, ...]:
    """All that a reader ever says of a message."""
    reader = Reader(where, counted=counted)
    content, used, ended = b"", 0, False
    for packet in packets:
        piece = reader.feed(packet)
        content += piece.content
        used += piece.used
        ended = piece.ended
        if ended:
            break
    content += reader.finish() if counted else b""
    # What was given out before a refusal is not delivered, and how much that was is the wire's business.
    said = None if reader.refused else content
    return said, used, ended, reader.oddities, reader.windows, reader.refused, reader.at_least


@given(st.data(), wires(), positions(), st.booleans())
def test_slicing_never_changes_the_verdict(data: st.DataObject, wire: bytes, where: Positions, counted: bool) -> None:
    whole = read([wire], where, counted=counted)
    assert read(data.draw(cut(wire)), where, counted=counted) == whole
    assert read(bytewise(wire), where, counted=counted) == whole


def oracle(wire: bytes) -> int | None:
    """Where DATA ends, in three lines that know nothing of blocks."""
    at = (b"\r\n" + wire).find(b"\r\n.\r\n")
    return None if at < 0 else at + 3


@given(wires(), positions())
@example(b".\r\n", REFUSE)
@example(b"\n.\n\r\n.\r\n", REPAIR)
def test_only_crlf_dot_crlf_ends_data(wire: bytes, where: Positions) -> None:
    _, used, ended, *_ = read([wire], where)
    assert (used if ended else None) == oracle(wire)


@given(wires(), positions())
def test_a_counted_message_takes_every_byte(wire: bytes, where: Positions) -> None:
    _, used, ended, *_ = read([wire], where, counted=True)
    assert (used, ended) == (len(wire), False)


@given(wires(), st.sampled_from([NOTE, REPAIR]), st.booleans())
def test_no_byte_is_lost_and_none_is_made_up(wire: bytes, where: Positions, counted: bool) -> None:
    content, used, *_ = read([wire], where, counted=counted)
    assert isinstance(content, bytes)
    assert isinstance(used, int)
    body = wire[:used]
    if not counted:
        body = re.sub(rb"\.\r\n\Z", b"", body) if oracle(wire) else body
        body = re.sub(rb"(\A|\r\n)\.", rb"\1", body)
        # What is still held back has not been given out yet.
        held = re.search(rb"(?:(?<=\r\n)\.\r|\r|\n|\0)\Z", b"\r\n" + wire)
        if oracle(wire) is None and held and not wire.endswith(b"\r\n"):
            body = body[: len(body) - len(held.group().lstrip(b"."))] if held.group().lstrip(b".") else body
    letters = bytes.maketrans(b"", b"")
    assert content.translate(letters, b"\r\n\0 ") == body.translate(letters, b"\r\n\0 ")
    assert len(re.findall(rb"\r\n|\n", content)) == len(re.findall(rb"\r\n|\n", body))


@given(wires())
def test_repaired_content_holds_no_oddity(wire: bytes) -> None:
    content, *_ = read([wire], REPAIR, counted=True)
    assert isinstance(content, bytes)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", content)


@given(wires())
def test_noted_oddities_stay_only_before_ordinary_bytes(wire: bytes) -> None:
    content, *_ = read([wire], NOTE, counted=True)
    assert isinstance(content, bytes)
    assert not re.search(rb"(?:\r(?!\n)|(?<!\r)\n|\0)(?:[\r\n\0. ]|\Z)", content)


@given(wires(), positions())
def test_a_message_is_refused_if_and_only_if_it_holds_a_refused_oddity(wire: bytes, where: Positions) -> None:
    reader = Reader(where, counted=True)
    reader.feed(wire)
    reader.finish()
    patterns = {
        "bare_cr": rb"\r(?!\n)",
        "bare_lf": rb"(?<!\r)\n",
        "nul": rb"\0",
        "long_line": rb"(?:(?!\r\n)[\0-\xff]){999}",
    }
    refused = [
        name
        for name, pattern in patterns.items()
        if getattr(where, name) is Position.REFUSE and re.search(pattern, wire)
    ]
    assert (reader.refused is not None) == bool(refused)
    assert reader.refused is None or reader.refused.kind.value in refused


@pytest.mark.parametrize(
    ("wire", "content"),
    [
        (b"a\nb\r\n.\r\n", b"a\r\nb\r\n"),
        (b"a\n.\r\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n"),
        (b"a\r.\rb\r\n.\r\n", b"a . b\r\n"),
        (b"a\0b\r\n.\r\n", b"a b\r\n"),
        (b"..\r\n...\r\n.x\r\n.\r\n", b".\r\n..\r\nx\r\n"),
        (b"a\r\n.\n.\r\n\r\n.\r\n", b"a\r\n\r\n.\r\n\r\n"),
        (b"a\r\n.\r\r\n.\r\n", b"a\r\n \r\n"),
        (b".\r\n", b""),
    ],
)
def test_what_repair_makes_of_odd_bytes(wire: bytes, content: bytes) -> None:
    assert read([wire], REPAIR)[:3] == (content, len(wire), True)


def test_an_oddity_is_told_by_its_wire_offset() -> None:
    reader = Reader(REPAIR)
    reader.feed(b"..a\r\nb\n")
    reader.feed(b"c\r")
    reader.feed(b"d\0e\r\n.\r\n")
    kinds = [OddityKind.BARE_LF, OddityKind.BARE_CR, OddityKind.NUL]
    assert reader.oddities == tuple(Oddity(kind, at) for kind, at in zip(kinds, (6, 8, 10), strict=True))


def test_behind_a_refused_oddity_nothing_more_is_listed() -> None:
    reader = Reader(REFUSE)
    piece = reader.feed(b"a\nb\nc\r\n.\r\nMAIL")
    assert (piece.content, piece.used, piece.ended) == (b"", 10, True)
    assert reader.refused == Oddity(OddityKind.BARE_LF, 1)
    assert reader.oddities == (reader.refused,)


@pytest.mark.parametrize(("length", "long"), [(998, False), (999, True)])
@pytest.mark.parametrize("stuffed", [b"", b"."])
def test_a_line_is_long_from_its_999th_octet_on_without_the_stuffed_dot(
    length: int, stuffed: bytes, *, long: bool
) -> None:
    reader = Reader(NOTE)
    for packet in bytewise(b"a\r\n" + stuffed + b"y" * length + b"\r\n" + b"z" * 997 + b"\r\n.\r\n"):
        reader.feed(packet)
    assert reader.oddities == ((Oddity(OddityKind.LONG_LINE, 3),) if long else ())


def test_a_window_starts_before_its_oddity_and_crosses_blocks() -> None:
    reader = Reader(REPAIR)
    wire = b"0123456789abcdef\ng" + b"h" * 2000
    for at in range(0, len(wire), 100):
        reader.feed(wire[at : at + 100])
    start = 16 - BEFORE
    assert reader.windows == (Window(start, wire[start : start + WINDOW_BYTES], cut=True),)
    assert not reader.at_least, "what the window does not show was looked at, and nothing was odd"


def test_what_is_kept_of_a_hostile_message_is_bounded() -> None:
    reader = Reader(REPAIR)
    for _ in range(40):
        reader.feed((b"\n" + b"x" * 2047) * 32)
    assert [odd.kind for odd in reader.oddities].count(OddityKind.BARE_LF) == LISTED
    assert sum(len(window.raw) for window in reader.windows) == WINDOWS * WINDOW_BYTES
    assert reader.at_least


def test_behind_a_refusal_the_windows_keep_what_follows() -> None:
    reader = Reader(REFUSE)
    smuggled = b"MAIL FROM:<a@b.example>\r\n" * 400
    reader.feed(b"hello\r\n\n.\r\n" + smuggled + b"\r\n.\r\n")
    (window,) = reader.windows
    assert window.raw == (b"hello\r\n\n.\r\n" + smuggled + b"\r\n.\r\n")[window.offset :]


def test_behind_a_refusal_what_found_no_room_is_said_to_be_there() -> None:
    room = WINDOWS * WINDOW_BYTES - BEFORE
    for more, said in ((0, False), (1, True)):
        reader = Reader(REFUSE)
        reader.feed(b"x" * BEFORE + b"\n" + b"x" * (room - 1 + more))
        assert reader.at_least is said


@pytest.mark.parametrize("wire", [b"x\ny", b"x\r\ny\r", b"\n", b"x\0"])
def test_the_end_of_a_counted_message_adds_no_byte_of_its_own(wire: bytes) -> None:
    reader = Reader(REPAIR, counted=True)
    reader.feed(wire)
    reader.finish()
    assert reader.offset == len(wire)
    assert [window.raw for window in reader.windows] == [wire]


def test_of_a_counted_message_nothing_is_held_back_for_an_end_that_it_has_not() -> None:
    reader = Reader(REFUSE, counted=True)
    assert reader.feed(b"x\r\n").content == b"x\r\n"
    assert reader.feed(b"x\r\n.").content == b"x\r\n."


def test_a_counted_message_refused_at_its_very_end_gives_out_nothing() -> None:
    reader = Reader(REFUSE, counted=True)
    assert reader.feed(b"x\r").content == b"x"
    assert reader.refused is None
    assert reader.finish() == b""
    assert reader.refused == Oddity(OddityKind.BARE_CR, 1)


def test_a_last_octet_that_makes_a_line_too_long_takes_all_of_it_back() -> None:
    reader = Reader(Positions(bare_cr=Position.REPAIR, long_line=Position.REFUSE), counted=True)
    assert reader.feed(b"x" * 998 + b"\r").content == b"x" * 998
    assert reader.refused is None
    assert reader.finish() == b""
    assert reader.refused == Oddity(OddityKind.LONG_LINE, 0)


def test_what_is_kept_of_a_refused_message_begins_just_before_its_oddity() -> None:
    reader = Reader(REFUSE)
    reader.feed(b"x" * 100)
    reader.feed(b"y" * 50 + b"\nz")
    (window,) = reader.windows
    assert window == Window(150 - BEFORE, b"y" * BEFORE + b"\nz")


def test_a_message_refused_for_a_long_line_gives_out_nothing_more_and_is_read_to_its_end() -> None:
    reader = Reader(Positions(bare_lf=Position.NOTE, long_line=Position.REFUSE))
    assert reader.feed(b"a\r\n").content == b"a\r\n"
    assert reader.feed(b"x" * 999 + b"\ny").content == b""
    assert reader.refused == Oddity(OddityKind.LONG_LINE, 3)
    assert reader.oddities == (reader.refused,), "what follows the octet that refused it is not looked at"
    (window,) = reader.windows
    assert window.offset == 3 + 998 - BEFORE
    piece = reader.feed(b"z\r\n.\r\nRSET")
    assert (piece.content, piece.used, piece.ended) == (b"", 6, True)


@given(wires())
def test_a_command_line_is_what_stands_before_the_first_crlf(wire: bytes) -> None:
    line, end, told, _ = take_line(wire, 0, 512)
    text, mark, _ = wire.partition(b"\r\n")
    # Before the first CR LF every CR and LF is a bare one; without one, a last CR may still become half of it.
    odd = re.search(rb"[\r\n\0]", text) if mark else re.search(rb"\r(?!\Z)|[\n\0]", wire)
    if not end:
        assert not mark
        assert not odd
        assert len(wire) < 512
    elif told is None:
        assert (line, end) == (text, len(text) + 2)
        assert not odd
    else:
        assert odd or len(text) + 2 > 512


@pytest.mark.parametrize(
    ("buffer", "odd", "offset"),
    [
        (b"NOOP\n", OddityKind.BARE_LF, 4),
        (b"NOOP\nQUIT\r\n", OddityKind.BARE_LF, 4),
        (b"NO\rOP\r\n", OddityKind.BARE_CR, 2),
        (b"NOOP\r\r\n", OddityKind.BARE_CR, 4),
        (b"NO\0OP\r\n", OddityKind.NUL, 2),
        (b"x" * 600, OddityKind.LONG_LINE, 0),
        (b"x" * 511 + b"\r\n", OddityKind.LONG_LINE, 0),
    ],
)
def test_a_command_with_a_bare_newline_is_told_at_once(buffer: bytes, odd: OddityKind, offset: int) -> None:
    _, end, *told = take_line(buffer, 0, 512)
    assert end
    assert told == [odd, offset]


@pytest.mark.parametrize("buffer", [b"", b"NOOP", b"NOOP\r", b"x" * 511])
@pytest.mark.parametrize("before", [b"", b"RSET\r\n", b"x" * 500])
def test_a_line_that_has_not_ended_is_waited_for(before: bytes, buffer: bytes) -> None:
    start = len(before)
    assert take_line(before + buffer, start, 512) == (b"", start, None, start)


def test_what_is_held_back_at_the_end_of_a_counted_message_is_odd_and_takes_no_more_of_the_wire() -> None:
    repaired = flush(State(b"\r"), rules_for(REPAIR))
    assert repaired == Step(State(b""), b" ", used=0, ended=False, dirty=True)
    assert flush(State(b""), rules_for(REPAIR)) == Step(State(b""), b"", used=0, ended=False, dirty=False)
