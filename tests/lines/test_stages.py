"""Stages: each agrees with a regular expression over the whole content, and none depends on how it was fed."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given

from tests.strategies import words
from tidewaiter.lines.pattern import PatternError
from tidewaiter.lines.stages import SCALE, RefusedError, bounded, pipeline, stage
from tidewaiter.lines.symbol import BYTES, Symbol, Word, spell, symbols


def run(stages: tuple[str, ...], word: Word, *, scaled: bool = True) -> bytes:
    compiled = pipeline(stages, scaled=scaled)
    states = compiled.start
    out: Word = ()
    for symbol in word:
        states, more = compiled.feed(states, (symbol,))
        out += more
    return spell(out + compiled.finish(states))


ORACLES: dict[tuple[str, ...], Callable[[bytes], bytes]] = {
    ("LF -> CR LF",): lambda data: data.replace(b"\n", b"\r\n"),
    ("CR LF -> CR LF; LF -> CR LF; CR -> CR LF",): lambda data: re.sub(rb"\r\n|\r|\n", b"\r\n", data),
    ("CR* LF -> LF",): lambda data: re.sub(rb"\r*\n", b"\n", data),
    ("NUL !LF* -> nothing",): lambda data: re.sub(rb"\0[^\n]*", b"", data),
    ("NUL -> nothing",): lambda data: data.replace(b"\0", b""),
    ("stuff after CR LF",): lambda data: re.sub(rb"(\A|\r\n)\.", rb"\1..", data),
    ("stuff after LF",): lambda data: re.sub(rb"(\A|\n)\.", rb"\1..", data),
    ("unstuff after CR LF",): lambda data: re.sub(rb"(\A|\r\n)\.", rb"\1", data),
    ("CR LF -> CR LF; CR -> SP", "stuff after CR LF"): lambda data: re.sub(
        rb"(\A|\r\n)\.", rb"\1..", re.sub(rb"\r(?!\n)", b" ", data)
    ),
    ("prepend x CR LF",): lambda data: b"x\r\n" + data,
}


@pytest.mark.parametrize("stages", ORACLES, ids="; then ".join)
@given(word=words(9))
def test_a_stage_does_what_a_regular_expression_does(stages: tuple[str, ...], word: Word) -> None:
    run_of_cr = re.search(rb"\r{5}", spell(word))  # a run longer than SCALE is kept finite: `bounded`
    if not run_of_cr:
        assert run(stages, word) == ORACLES[stages](spell(word))


def test_a_long_run_stays_finite() -> None:
    assert run(("CR* LF -> LF",), symbols(b"\r" * 40)) == b"\r" * SCALE
    assert run(("CR* LF -> LF",), symbols(b"\r" * 40 + b"\n")) == b"\n"


def test_only_a_run_is_kept_finite_and_what_precedes_it_is_kept() -> None:
    run, before = (Symbol.CR,) * SCALE, (Symbol.NUL,)
    assert bounded(run) == run
    assert bounded((*run, Symbol.CR)) == run
    assert bounded((*before, *run)) == (*before, *run)
    assert bounded((*before, *run, Symbol.CR)) == (*before, *run)
    assert bounded((*run, Symbol.LF)) == (*run, Symbol.LF)


def test_what_is_matched_is_not_remembered_symbol_by_symbol() -> None:
    taken = stage("NUL !LF* -> nothing", scaled=True)
    state, _ = taken.feed(taken.start, Symbol.NUL)
    assert {taken.feed(state, symbol) for symbol in BYTES if symbol is not Symbol.LF} == {(state, ())}


def test_a_line_is_folded_where_it_reaches_the_limit() -> None:
    assert run(("fold 3 with CR LF SP",), symbols(b"xxxxx\r\nxxx\r\n"), scaled=False) == b"xxx\r\n xx\r\nxxx\r\n"


def test_a_broken_line_is_counted_from_what_was_written_before_its_rest() -> None:
    assert run(("fold 4 with CR LF SP",), symbols(b"x" * 9), scaled=False) == b"xxxx\r\n xxx\r\n xx"
    assert run(("fold 4 with CR LF SP SP",), symbols(b"x" * 7), scaled=False) == b"xxxx\r\n  xx\r\n  x"
    assert run(("fold 3 with CR",), symbols(b"x" * 7), scaled=False) == b"xxx\rxxx\rx"


def test_a_count_is_scaled_down_in_a_product() -> None:
    assert run(("fold 998 with CR LF",), symbols(b"x" * 6)) == b"xxxxx\r\nx"
    assert run(("fold 998 with CR LF",), symbols(b"x" * 998), scaled=False) == b"x" * 998


def test_it_is_scaled_down_unless_the_real_one_is_asked_for() -> None:
    fold = ("fold 998 with CR LF",)
    assert pipeline(fold) == pipeline(fold, scaled=True)
    assert pipeline(fold) != pipeline(fold, scaled=False)


def test_a_refused_message_is_not_written_at_all() -> None:
    refuse = stage("refuse NUL", scaled=True)
    state, _ = refuse.feed(refuse.start, Symbol.SP)
    with pytest.raises(RefusedError):
        refuse.feed(state, Symbol.NUL)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("stuff before LF", "is no stage"),
        ("fold x with LF", "is no stage"),
        ("fold ² with LF", "is no stage"),
        ("LF", "is no stage"),
        ("stir", "'stir' is no stage: there are A -> B, stuff after, unstuff after, refuse, fold, prepend"),
        ("refuse after LF", "'after'"),
        ("CR -> LFF", "'LFF'"),
        ("CR -> LF; NUL", "^'NUL' has no ->$"),
    ],
)
def test_words_that_are_no_stage_are_told_so(text: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        stage(text, scaled=True)
