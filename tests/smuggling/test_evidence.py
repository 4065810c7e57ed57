"""Evidence: what an odd message would have done in programs we know, and nothing a peer can write into a log."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smuggling.rows import ACCEPT, CLEAN, LAX, LOOSE, reader
from tidewaiter.lines.reader import Reader
from tidewaiter.model.dialect import NORMAL, STRICT, Dialect, End, Mode, ReaderDialect, Then
from tidewaiter.model.oddity import Window
from tidewaiter.model.position import STRANGERS_DATA, Position, Positions
from tidewaiter.smuggling.evidence import Evidence, Smuggled, examine, header_from, printable
from tidewaiter.smuggling.reading import delivered, read

ROWS = (STRICT, LAX, LOOSE, CLEAN)
SMUGGLED = (
    b"MAIL FROM:<admin@inside.test>\r\nRCPT TO:<victim@inside.test>\r\nDATA\r\n"
    b"From: Chief <chief@inside.test>\r\n\r\npay me\r\n.\r\n"
)
CLEAN_TEXT = b"From: a@outside.test\r\n\r\nhel\0lo\r\n"
CARRIER = b"From: a@outside.test\r\n\r\nhello\n.\r\n"


def judged(wire: bytes, where: Positions = STRANGERS_DATA) -> Reader:
    judge = Reader(where)
    judge.feed(wire)
    return judge


def test_each_program_reads_its_own_messages() -> None:
    wire = CARRIER + SMUGGLED
    assert [len(read(row, wire)) for row in ROWS] == [1, 2, 2, 1]
    second = read(LAX, wire)[1]
    assert (second.reverse_path, second.forward_paths) == (b"<admin@inside.test>", (b"<victim@inside.test>",))
    assert second.span.of(wire) == b"From: Chief <chief@inside.test>\r\n\r\npay me\r\n"
    assert delivered(LAX, b"a\r\n..b\r\n") == b"a\n.b\n"


def test_what_follows_an_end_that_a_program_only_answers_is_content_of_the_same_envelope() -> None:
    stays = Then(accepted=False, code=552, goes_on="content")
    lost, accepted = Mode((End("LF . LF", stays),)), Mode((End("CR LF . CR LF", ACCEPT),))
    row = Dialect(
        "row", "row", (), reader=ReaderDialect(((NORMAL, replace(accepted, goes=(("NUL", "lost"),))), ("lost", lost)))
    )
    wire = b"\0\n.\nMAIL FROM:<c@c.test>\r\n.\r\n"
    first, second = read(row, wire)
    assert (first.end, second.end) == (stays, ACCEPT)
    assert second.span.of(wire) == b"MAIL FROM:<c@c.test>\r\n"


@pytest.mark.parametrize("verb", [b"QUIT", b"quit", b"Quit now"])
def test_behind_quit_nothing_is_read(verb: bytes) -> None:
    assert len(read(LAX, CARRIER + verb + b"\r\n" + SMUGGLED)) == 1
    assert len(read(LAX, CARRIER + b"NOOP\r\n" + SMUGGLED)) == 2


def test_content_is_delivered_with_lines_as_long_as_the_program_breaks_them() -> None:
    folding = reader("folding", "CR LF . CR LF", change=("fold 20 with CR LF",))
    assert delivered(folding, b"x" * 19 + b"\r\n") == b"x" * 19 + b"\r\n"
    assert delivered(folding, b"x" * 30 + b"\r\n").count(b"\r\n") == 2


def test_evidence_shows_the_smuggled_envelope_and_from() -> None:
    told = examine(judged(CARRIER + SMUGGLED).windows, ROWS)
    offset = len(CARRIER) + SMUGGLED.index(b"From:")
    paths = (b"<admin@inside.test>", (b"<victim@inside.test>",))
    assert told.smuggled == (Smuggled(offset, *paths, b"Chief <chief@inside.test>", ("lax", "loose")),)
    assert told.messages == (("lax", 2), ("loose", 2))


def test_a_message_deep_inside_another_is_found_in_its_window() -> None:
    told_by = judged(b"x: y\r\n" + b"z" * 70000 + b"\n.\r\n" + SMUGGLED)
    (told,) = examine(told_by.windows, ROWS).smuggled
    assert told.readers == ("lax", "loose")
    assert told.header_from == b"Chief <chief@inside.test>"


def test_an_odd_message_that_fools_nobody_is_told_as_such() -> None:
    assert examine(judged(b"a\0b\r\n.\r\n").windows, ROWS) == Evidence((), ())


def test_an_end_that_nothing_follows_is_told_as_ending_early() -> None:
    told = examine(judged(b"a\n.\r\nb\r\n.\r\n", Positions(bare_lf=Position.REPAIR)).windows, ROWS)
    assert told == Evidence((), (("lax", 1), ("loose", 1)))


def test_the_readings_of_64_kib_of_anything_take_no_longer_than_their_bytes() -> None:
    window = Window(8, b"\n.\n" * 21_000)
    told = examine([window], ROWS)
    assert told.messages == (("lax", 1),)


def test_a_message_that_reaches_from_one_window_into_the_next_is_shown_whole() -> None:
    wire = CARRIER + SMUGGLED
    for cut in range(1, len(wire)):
        told = examine([Window(0, wire[:cut], cut=True), Window(cut, wire[cut:])], ROWS)
        assert told == examine([Window(0, wire)], ROWS)


@pytest.mark.parametrize("stop", [len(CARRIER) - 2, len(CARRIER), len(CARRIER) + 20, len(CARRIER + SMUGGLED) - 20])
def test_where_somebody_was_fooled_in_a_window_that_was_cut_there_may_be_more(stop: int) -> None:
    told = examine([Window(0, (CARRIER + SMUGGLED)[:stop], cut=True)], ROWS)
    assert told.cut is (stop >= len(CARRIER))
    assert not examine([Window(0, CARRIER + SMUGGLED)], ROWS).cut
    assert not examine([Window(0, CLEAN_TEXT, cut=True)], ROWS).cut


def test_where_more_was_smuggled_than_is_read_there_may_be_more() -> None:
    many = CARRIER + b"".join([SMUGGLED.replace(b"\r\n.\r\n", b"\n.\r\n")] * 40)
    told = examine([Window(0, many)], ROWS)
    assert dict(told.messages)["lax"] == 32
    assert told.cut
    few = examine([Window(0, CARRIER + SMUGGLED)], ROWS)
    assert not few.cut


def test_the_true_end_is_no_early_end() -> None:
    assert examine(judged(b"a\nb\r\n.\r\n").windows, ROWS).messages == ()


@given(st.binary(max_size=60))
def test_no_input_can_add_a_line_to_evidence(raw: bytes) -> None:
    text = printable(raw)
    assert text.isprintable() or not text
    assert len(text.splitlines()) <= 1


@pytest.mark.parametrize("newline", [b"\r\n", b"\n", b"\r"])
def test_from_is_found_whatever_ends_its_line(newline: bytes) -> None:
    assert header_from(b"To: a" + newline + b"FROM: b" + newline + newline) == b"b"


def test_a_message_seen_by_several_is_told_once() -> None:
    told = examine(judged(CARRIER + SMUGGLED).windows, ROWS).smuggled
    assert [type(each) for each in told] == [Smuggled]
