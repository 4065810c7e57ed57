"""The suite is fixed, small, and tells a row from every other row that reads otherwise."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.lab.played import PLAYED, played
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.conform import BUDGET, conform, suite
from tidewaiter.lab.expected import expected
from tidewaiter.lab.fit import ends_only
from tidewaiter.lab.learning import Asking
from tidewaiter.lab.modes import MODES, Mode
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.table import Table, difference
from tidewaiter.model.dialect import STRICT, Dialect

if TYPE_CHECKING:
    from tidewaiter.model.dialect import ReaderDialect

READERS = {name: row for name, row in dialects().items() if row.reader and row.candidates()}
ROWS = {STRICT.id: STRICT, **READERS}


@cache
def machine(name: str, mode: Mode) -> Table:
    reader = ROWS[name].reader
    assert reader
    table = expected(Splitter(reader), mode, "pipelined")
    return ends_only(table) if mode.in_header else table


@pytest.mark.parametrize("name", ROWS)
def test_a_suite_tells_its_row_from_each_that_reads_otherwise_and_fits_the_budget(name: str) -> None:
    words = suite(ROWS[name], ROWS.values(), "pipelined")
    assert words == suite(ROWS[name], ROWS.values(), "pipelined")
    assert sum(map(len, words.values())) <= BUDGET
    mine = {mode: machine(name, mode) for mode in MODES.values()}
    for other in ROWS:
        theirs = {mode: machine(other, mode) for mode in MODES.values()}
        if any(difference(mine[mode], theirs[mode]) for mode in mine):
            assert any(mine[mode].says(word) != theirs[mode].says(word) for mode in mine for word in words[mode])


def row(reader: ReaderDialect) -> Dialect:
    return Dialect(id="played", product="played", versions=(), reader=reader)


@pytest.mark.parametrize("name", ["strict", "laxer past its size limit", "refuses a bare LF at the end"])
def test_a_played_row_conforms_to_itself(name: str) -> None:
    with played(PLAYED[name]) as (runner, target):
        found = conform(Asking(target, runner), row(PLAYED[name]), ROWS.values())
    assert (found.differences, found.untold) == ((), ())
    assert 0 < found.sessions <= 600


def test_a_row_that_is_not_the_servers_is_contradicted_by_a_shortest_word() -> None:
    with played(PLAYED["ends at LF"]) as (runner, target):
        found = conform(Asking(target, runner), STRICT, ROWS.values())
    assert found.differences
    assert found.sessions <= 600
    assert {(each.server, each.row) for each in found.differences} >= {("ended", "content")}
