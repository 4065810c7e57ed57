"""Evidence: what an odd message would have done in programs we know, and nothing a peer can write into a log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.smuggling.rows import CLEAN, LAX, LOOSE
from tidewaiter.lines.reader import Reader
from tidewaiter.model.dialect import STRICT
from tidewaiter.model.position import STRANGERS_DATA, Position, Positions
from tidewaiter.smuggling.evidence import Smuggled, examine, finding, header_from, printable
from tidewaiter.smuggling.reading import delivered, read

ROWS = (STRICT, LAX, LOOSE, CLEAN)
SMUGGLED = (
    b"MAIL FROM:<admin@inside.test>\r\nRCPT TO:<victim@inside.test>\r\nDATA\r\n"
    b"From: Chief <chief@inside.test>\r\n\r\npay me\r\n.\r\n"
)
CARRIER = b"From: a@outside.test\r\n\r\nhello\n.\r\n"


def judged(wire: bytes, where: Positions = STRANGERS_DATA) -> Reader:
    reader = Reader(where)
    reader.feed(wire)
    return reader


def test_each_program_reads_its_own_messages() -> None:
    wire = CARRIER + SMUGGLED
    assert [len(read(row, wire)) for row in ROWS] == [1, 2, 2, 1]
    second = read(LAX, wire)[1]
    assert (second.reverse_path, second.forward_paths) == (b"<admin@inside.test>", (b"<victim@inside.test>",))
    assert second.span.of(wire) == b"From: Chief <chief@inside.test>\r\n\r\npay me\r\n"
    assert delivered(LAX, b"a\r\n..b\r\n") == b"a\n.b\n"


def test_a_finding_shows_the_smuggled_envelope_and_from() -> None:
    reader = judged(CARRIER + SMUGGLED)
    found = finding(reader.oddities, reader.windows, ROWS, at_least=reader.at_least)
    assert (found.rule, found.severity) == ("smuggled-message", "high")
    offset = len(CARRIER) + SMUGGLED.index(b"From:")
    assert found.where == f"offset {offset}"
    assert found.evidence == (
        "bare lf at offset 29; 1 odd places in all",
        (
            f"at offset {offset} a message from <admin@inside.test> to <victim@inside.test>"
            " with From: Chief <chief@inside.test>, delivered by lax, loose"
        ),
        "lax would have read 2 messages",
        "loose would have read 2 messages",
    )


def test_a_message_deep_inside_another_is_found_in_its_window() -> None:
    reader = judged(b"x: y\r\n" + b"z" * 70000 + b"\n.\r\n" + SMUGGLED)
    (told,) = examine(reader.windows, ROWS).smuggled
    assert told.readers == ("lax", "loose")
    assert told.header_from == b"Chief <chief@inside.test>"


def test_an_odd_message_that_fools_nobody_is_told_as_such() -> None:
    reader = judged(b"a\0b\r\n.\r\n")
    found = finding(reader.oddities, reader.windows, ROWS, at_least=False)
    assert (found.rule, found.severity, len(found.evidence)) == ("nul", "low", 1)


def test_an_end_that_nothing_follows_is_told_as_ending_early() -> None:
    reader = judged(b"a\n.\r\nb\r\n.\r\n", Positions(bare_lf=Position.REPAIR))
    found = finding(reader.oddities, reader.windows, ROWS, at_least=False)
    assert (found.rule, found.severity) == ("bare-lf", "medium")
    assert found.evidence[1:] == ("lax would have ended the message early", "loose would have ended the message early")


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
