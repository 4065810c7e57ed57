"""Patterns: their derivatives agree with another library's automata, and words that are none are told so."""

import pytest
from greenery import parse as greenery_parse
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import words
from tidewaiter.lines.pattern import (
    EMPTY,
    NOTHING,
    PatternError,
    after,
    anywhere,
    either,
    many,
    matches_empty,
    one_of,
    parse,
    then,
)
from tidewaiter.lines.symbol import BYTES, Symbol, Word

LETTER: dict[Symbol, str] = dict(zip(BYTES, "cldnsx", strict=True))
NAMES = {
    "CR": "c",
    "LF": "l",
    ".": "d",
    "NUL": "n",
    "SP": "s",
    "x": "x",
    "any": "[cldnsx]",
    "!LF": "[cdnsx]",
    "!(CR | LF)": "[dnsx]",
}

ATOMS = st.sampled_from(sorted(NAMES)).map(lambda name: (name, NAMES[name]))
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: (f"{two[0][0]} {two[1][0]}", two[0][1] + two[1][1])),
        st.tuples(inner, inner).map(lambda two: (f"({two[0][0]} | {two[1][0]})", f"({two[0][1]}|{two[1][1]})")),
        st.tuples(inner, st.sampled_from("*+?")).map(lambda two: (f"({two[0][0]}){two[1]}", f"({two[0][1]}){two[1]}")),
    ),
    max_leaves=6,
)


def matches(text: str, word: Word) -> bool:
    pattern = parse(text)
    for symbol in word:
        pattern = after(pattern, symbol)
    return matches_empty(pattern)


@given(PATTERNS, st.lists(words(5), max_size=12))
def test_a_pattern_matches_what_another_library_says_it_matches(pattern: tuple[str, str], tried: list[Word]) -> None:
    ours, theirs = pattern
    automaton = greenery_parse(theirs).to_fsm()
    for word in tried:
        assert matches(ours, word) == automaton.accepts("".join(LETTER[symbol] for symbol in word))


@given(words(6), words(3))
def test_a_pattern_without_an_anchor_matches_behind_anything(before: Word, word: Word) -> None:
    pattern = anywhere("CR LF .")
    for symbol in before + word:
        pattern = after(pattern, symbol)
    assert matches_empty(pattern) == ((before + word)[-3:] == (Symbol.CR, Symbol.LF, Symbol.DOT))


def test_an_anchor_binds_a_pattern_to_the_first_byte() -> None:
    pattern = anywhere("^ LF")
    assert matches_empty(after(pattern, Symbol.LF))
    assert not matches_empty(after(after(pattern, Symbol.SP), Symbol.LF))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CR LFF", "'LFF' is no class of bytes"),
        ("(CR", "^the pattern ends too early$"),
        ("CR)", "not expected"),
        ("CR & LF", "no part of a pattern"),
        ("!(CR LF)", r"^! stands before one class, or before several in parentheses: !\(CR \| LF\)$"),
        ("*", "no class of bytes"),
        ("X CR", r"^'X' is no class of bytes; there are CR, LF, \., NUL, SP, x, EDGE and any$"),
    ],
)
def test_words_that_are_no_pattern_are_told_so(text: str, why: str) -> None:
    with pytest.raises(PatternError, match=why):
        parse(text)


@pytest.mark.parametrize("repeated", ["CR*", "CR?", "(CR | NUL)*", "(CR* NUL?)"])
def test_what_may_be_missing_is_not_waited_for(repeated: str) -> None:
    assert matches(f"{repeated} LF", (Symbol.LF,))
    assert matches(f"{repeated} LF", (Symbol.CR, Symbol.LF))


def test_what_means_the_same_is_one_pattern() -> None:
    """Else a product would walk over states that differ only in how they were come to."""
    a, b, c = (one_of(symbol) for symbol in (Symbol.CR, Symbol.LF, Symbol.DOT))
    assert one_of() is NOTHING
    assert then(then(a, b), c) is then(a, then(b, c))
    assert then(EMPTY, a) is then(a, EMPTY) is a
    assert then(NOTHING, a) is then(a, NOTHING) is NOTHING
    assert either(either(a, b), c) is either(a, either(b, c)) is either(c, b, a)
    assert either(a, NOTHING) is either(a, a) is a
    assert either(NOTHING) is either() is NOTHING
    assert many(many(a)) is many(a)
    assert many(EMPTY) is many(NOTHING) is EMPTY
