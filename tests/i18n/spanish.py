"""Is this Spanish?  No word may be neither in the Spanish catalogue nor data: what was typed, a name, a row's language.

The same is said in English too, which the measure must know from Spanish: else it would let everything pass.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from tests.i18n.test_catalogue import PLACEHOLDER, messages, variants
from tidewaiter.cli.dialect import OURS
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.model.dialect import STRICT, Dialect

WORD = re.compile(r"[^\W\d_]{2,}")
NAMES = {"tidewaiter", "lab", "dialect", "config", "demo", "run", "completion", "list", "show", "smuggle", "check"}
NAMES |= {
    "learn",
    "conform",
    "writer",
    "aiosmtpd",
    "curl",
    "bash",
    "zsh",
    "tcsh",
    "int",
    "CR",
    "LF",
    "NUL",
    "SP",
    "en",
    "es",
}
"""Verbs, programs, a type, classes of bytes, and languages."""
TYPED = re.compile(r"--[\w-]+|\{[^}]*\}|<[^>]*>|/\S*|'[^']*'|`[^`]*`")
"""Options, choices, addresses, paths and what was typed."""


@cache
def spanish() -> frozenset[str]:
    """Every word of the catalogue."""
    said = (PLACEHOLDER.sub(" ", one) for each in messages("es") for one in variants(each.string))
    return frozenset(word for one in said for word in WORD.findall(one))


def strings_of_row(row: Dialect) -> Iterator[str]:
    """What a row says in the language of rows, and why it is believed: data."""
    yield from (row.id, row.product, row.settings, *row.versions)
    yield from (f"{each.field}: {each.tag}, {each.source} ({each.date})" for each in row.evidence)
    for name, mode in row.reader.modes if row.reader else ():
        yield f"  {name}:"
        yield from (f"{each.on}  ->" for each in mode.ends)
        yield from (f"{on}  ->  {to}" if isinstance(to, str) else f"{on}  ->" for on, to in mode.goes)
    yield from row.reader.change if row.reader else ()
    yield from row.writer.stages if row.writer else ()
    for unknown in row.unknown:
        yield from (unknown.field, *unknown.values)


@cache
def data() -> tuple[str, ...]:
    """Longest first, so that no part of a string is taken for a shorter one."""
    found = {each for row in (STRICT, *dialects().values()) for each in strings_of_row(row)} | {*OURS}
    return tuple(sorted(found - {""}, key=len, reverse=True))


def foreign(said: str, *more: str) -> set[str]:
    """Every word that is neither Spanish nor data."""
    for each in (*more, *data()):
        said = said.replace(each, " ")
    return set(WORD.findall(TYPED.sub(" ", said))) - spanish() - NAMES


def both(say: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    found = []
    for language in ("en", "es"):
        monkeypatch.setenv("LANGUAGE", language)
        found.append(say())
    return found[0], found[1]


def must_be_spanish(say: Callable[[], str], monkeypatch: pytest.MonkeyPatch, *more: str) -> None:
    english, said = both(say, monkeypatch)
    print(said)  # shown where it fails
    left, known = foreign(said, *more), not foreign(english, *more)
    assert not left, f"neither Spanish nor data: {sorted(left)}"
    assert not known, f"taken for Spanish: {english}"
