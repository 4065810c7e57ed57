"""Readers compiled from rows: where content ends, in every mode, against expressions over the whole wire."""

import re

import pytest
from hypothesis import given

from tests.strategies import wires, words
from tidewaiter.lines.ends import ends
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.pattern import PatternError
from tidewaiter.lines.symbol import Symbol, Word, spell, symbols
from tidewaiter.lines.table import CLOSED, CONTENT, ENDED, REJECTS, Table, difference, dot, minimal, table_of
from tidewaiter.model.dialect import NORMAL, OVERSIZE, STRICT, End, Mode, ReaderDialect, Then

ACCEPT = Then(accepted=True, code=250, goes_on="commands")
REFUSE = Then(accepted=False, code=550, goes_on="commands")
CLOSE = Then(accepted=False, code=451, goes_on="close")


def reader(*on: str, **more: object) -> ReaderDialect:
    return ReaderDialect(modes=((NORMAL, Mode(ends=tuple(End(each, ACCEPT) for each in on))),), **more)  # type: ignore[arg-type]


assert STRICT.reader is not None
READERS = {
    rb"\r\n\.\r\n": STRICT.reader,
    rb"\n\.\r*\n": reader("LF . CR* LF"),
    rb"\n\.\r?\n": reader("LF . CR? LF"),
    rb"\r\.\r": reader("CR . CR"),
    rb"(?:\r\n|\n)\.(?:\r\n|\n)": reader("(CR LF | LF) . (CR LF | LF)"),
    rb"\r\n\0?\.\r\n": reader("CR LF NUL? . CR LF"),
}
REJECTING = ReaderDialect(
    modes=(
        (
            NORMAL,
            Mode(
                ends=(End("CR LF . CR LF", ACCEPT),), goes=(("!CR LF", "rejected"), ("NUL", CLOSE), (OVERSIZE, "large"))
            ),
        ),
        ("rejected", Mode(ends=(End("CR LF . CR LF", REFUSE),), rejects=True)),
        ("large", Mode(ends=(End("LF . LF", REFUSE), End("CR LF . CR LF", REFUSE)))),
    )
)


def first_end(splitter: Splitter, word: Word) -> int | None:
    state = splitter.start
    for at, symbol in enumerate(word, 1):
        state, end = splitter.feed(state, symbol)
        if end:
            return at
    return None


@pytest.mark.parametrize("pattern", READERS, ids=range(len(READERS)))
@given(wire=wires())
def test_content_ends_where_an_expression_first_matches(pattern: bytes, wire: bytes) -> None:
    splitter, word = Splitter(READERS[pattern]), symbols(wire)
    found = re.search(pattern, b"\r\n" + spell(word))
    at = found.end() - 2 if found else None
    assert first_end(splitter, word) == at
    unrolled = ends(splitter).find(spell(word))
    assert (unrolled.stop if unrolled else None) == at
    if unrolled:
        assert spell(word)[unrolled.content_stop : unrolled.content_stop + 1] == b"."
        assert ends(splitter).find(spell(word)[:at]) == unrolled  # nothing need follow an end


def test_a_mode_changes_what_an_end_means_and_forgets_nothing_read_before() -> None:
    splitter = Splitter(REJECTING)
    state = splitter.start
    for symbol in symbols(b"x\nx\r\n.\r"):
        state, end = splitter.feed(state, symbol)
        assert end is None
    assert splitter.rejects(state)
    assert splitter.feed(state, Symbol.LF).end == REFUSE


def test_an_answer_at_once_ends_the_reading() -> None:
    splitter = Splitter(REJECTING)
    assert splitter.feed(splitter.start, Symbol.NUL).end == CLOSE
    found = ends(splitter).find(b"a.b\0c")
    assert found is not None
    assert (found.content_stop, found.stop) == (4, 4), "no dot ends the content there"


def test_the_size_limit_is_a_trigger() -> None:
    splitter = Splitter(REJECTING)
    state, _ = splitter.feed(splitter.start, Symbol.LF)
    passed = splitter.oversize(splitter.start)
    assert splitter.oversize(state) is None
    assert passed is not None
    assert passed.state.mode == "large"
    assert table_of(splitter, oversize=True).says(symbols(b"x\n.\n")) == "ended and rejected"


def test_an_edge_means_something_only_to_a_row_that_asks_for_one() -> None:
    deaf, edgy = Splitter(READERS[rb"\r\n\.\r\n"]), Splitter(reader("EDGE . CR LF", "CR LF . CR LF"))
    word = (Symbol.OTHER, Symbol.EDGE, *symbols(b".\r\n"))
    assert first_end(edgy, word) == len(word)
    assert first_end(deaf, word) is None
    whole = (*symbols(b"x\r\n"), Symbol.EDGE, Symbol.DOT, Symbol.EDGE, Symbol.CR, Symbol.EDGE, Symbol.LF)
    assert first_end(deaf, whole) == first_end(edgy, whole) == len(whole)


def test_an_end_that_asks_for_an_edge_waits_for_it() -> None:
    waiting = Splitter(reader("CR LF . CR LF EDGE"))
    end = symbols(b"x\r\n.\r\n")
    assert first_end(waiting, end) is None
    assert first_end(waiting, (*end, Symbol.OTHER, Symbol.EDGE)) is None
    assert first_end(waiting, (*end, Symbol.EDGE)) == len(end) + 1


@pytest.mark.parametrize(
    ("on", "why"),
    [
        ("CR LF", "^'CR LF': an end has one dot, with what comes before it and what comes behind it$"),
        ("LF . . LF", "^'LF . . LF': an end has one dot"),
        ("CR LF . BANANA", "'BANANA'"),
        ("BANANA . LF", "'BANANA'"),
    ],
)
def test_an_end_without_exactly_one_dot_is_no_end(on: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        Splitter(reader(on))


def test_an_end_at_the_very_start_is_one_there_and_nowhere_else() -> None:
    anchored = Splitter(reader("^ . CR LF"))
    assert first_end(anchored, symbols(b".\r\n")) == 3
    assert first_end(anchored, symbols(b"x\r\n.\r\n")) is None


def test_a_second_dot_does_not_make_the_first_forgotten() -> None:
    slow = Splitter(reader("LF . !CR !CR CR LF"))
    assert first_end(slow, symbols(b"\n.\n.\r\n")) == 6
    assert first_end(slow, symbols(b"\n.\n.xx\r\n")) == 8


def test_the_standard_has_six_states_and_postfix_four() -> None:
    assert len(table_of(Splitter(READERS[rb"\r\n\.\r\n"])).output) == 6
    assert len(table_of(Splitter(READERS[rb"\n\.\r*\n"])).output) == 4
    assert len(table_of(Splitter(REJECTING)).output) > 6


@given(word=words(9))
def test_a_table_says_what_its_machine_says(word: Word) -> None:
    splitter = Splitter(REJECTING)
    state, said = splitter.start, CONTENT
    for symbol in word:
        state, end = splitter.feed(state, symbol)
        if end:
            said = {ACCEPT: ENDED, REFUSE: "ended and rejected", CLOSE: CLOSED}[end]
            break
        said = REJECTS if splitter.rejects(state) else CONTENT
    assert table_of(splitter).says(word) == said


def test_the_difference_of_two_machines_is_a_shortest_word() -> None:
    strict, lax = table_of(Splitter(READERS[rb"\r\n\.\r\n"])), table_of(Splitter(READERS[rb"\n\.\r*\n"]))
    assert difference(strict, strict) is None
    assert difference(strict, lax) == symbols(b".\n")


def test_a_reader_that_answers_and_reads_on_starts_anew_behind_its_end() -> None:
    stays = Then(accepted=False, code=552, goes_on="content")
    modes = (
        (NORMAL, Mode((End("LF . CR LF", ACCEPT),), ((OVERSIZE, "lost"),))),
        ("lost", Mode((End("LF . CR LF", stays),))),
    )
    splitter = Splitter(ReaderDialect(modes, start=""))
    passed = splitter.oversize(splitter.start)
    assert passed
    state = passed.state
    for symbol in symbols(b"\n.\r"):
        state = splitter.feed(state, symbol).state
    assert splitter.feed(state, Symbol.LF) == (splitter.start, stays)
    table = table_of(splitter, oversize=True)
    assert table.says(symbols(b"\n.\r\n")) == table.says(symbols(b"\n.\r\n.\r\n")) == "rejected, content again"
    assert table.says(symbols(b"\n.\r\n\n.\r\n")) == "ended and rejected"
    assert "color=red" in dot(table, "staying")


def test_a_machine_that_stays_differs_from_one_that_goes_on() -> None:
    stays, goes = Table(("content",), ((0,) * 6,)), Table(("content", "ended"), ((1,) * 6, (1,) * 6))
    assert difference(stays, goes) == difference(goes, stays) == symbols(b"\r")


def test_a_smallest_machine_has_no_two_states_alike() -> None:
    twice = Table(("content", "content", "ended"), ((1,) * 5 + (2,), (0,) * 5 + (2,), (2,) * 6))
    assert minimal(twice) == Table(("content", "ended"), ((0,) * 5 + (1,), (1,) * 6))


def test_every_kind_of_end_is_told_apart() -> None:
    table = table_of(Splitter(REJECTING))
    assert table.says(symbols(b".\r\n")) == "ended"
    assert table.says(symbols(b"\n\r\n.\r\n")) == "ended and rejected"
    assert table.says(symbols(b"\0\r\n.\r\n")) == "closed"
    assert table.says(symbols(b"\n")) == "rejects"


def test_a_machine_behind_a_head_is_the_machine_that_has_read_it() -> None:
    splitter = Splitter(REJECTING)
    assert table_of(splitter, symbols(b"x\n")).says(symbols(b"x\r\n.\r\n")) == "ended and rejected"
    assert table_of(splitter, symbols(b"x\r\n.")).says(symbols(b"\r\n")) == "ended"
    assert table_of(splitter, symbols(b"x\0")) == Table(("closed",), ((0,) * 6,))


def test_a_program_may_answer_at_once_when_its_limit_is_passed() -> None:
    shuts = ReaderDialect(modes=((NORMAL, Mode(ends=(End("LF . LF", ACCEPT),), goes=((OVERSIZE, CLOSE),))),))
    accepts = ReaderDialect(modes=((NORMAL, Mode(ends=(End("LF . LF", ACCEPT),), goes=((OVERSIZE, ACCEPT),))),))
    assert table_of(Splitter(shuts), oversize=True) == Table(("closed",), ((0,) * 6,))
    assert table_of(Splitter(accepts), oversize=True) == Table(("ended",), ((0,) * 6,))


DRAWN = Table(
    ("content", "rejects", "ended", "ended and rejected", "closed"),
    ((1, 1, 1, 1, 1, 1), (0, 2, 3, 4, 1, 1), (2,) * 6, (3,) * 6, (0, 4, 4, 4, 4, 4)),
)


def test_a_machine_can_be_drawn() -> None:
    assert dot(DRAWN, "toy") == (
        'digraph "toy" {\n'
        "  rankdir=LR;\n"
        '  label="toy"; labelloc=t;\n'
        "  0 [shape=circle];\n"
        "  1 [shape=circle, style=dashed];\n"
        '  2 [shape=doublecircle, label="ended"];\n'
        '  3 [shape=doublecircle, style=dashed, label="ended,\\nrejected"];\n'
        '  4 [shape=box, label="closed"];\n'
        '  0 -> 1 [label="any"];\n'
        '  1 -> 0 [label="CR"];\n'
        '  1 -> 2 [label="LF"];\n'
        '  1 -> 3 [label="."];\n'
        '  1 -> 4 [label="NUL"];\n'
        '  1 -> 1 [label="SP x"];\n'
        '  4 -> 0 [label="CR"];\n'
        '  4 -> 4 [label="LF . NUL SP x"];\n'
        "}\n"
    )
