"""The page that says how rows and real programs compared leaves out no row, and says which machine was compared."""

import re
from pathlib import Path
from typing import cast

import pytest

from tests.knowledge.test_dialects import BOOTED
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.expected import expected
from tidewaiter.lab.fit import ends_only
from tidewaiter.lab.modes import MODES
from tidewaiter.lab.target import Way
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.table import Table

PAGE = (Path(__file__).parents[2] / "docs" / "learned.md").read_text(encoding="utf-8")
LEARNED = re.findall(r"(?m)^\| `([^`]+)` \| (pipelined|synchronised|paced) \| (.*) \| [0-9,]+ \|$", PAGE)
"""Of each row that was learned: how it was asked, and the cells of its modes."""
ASKED = [name for name in dialects() if name.startswith((*BOOTED, "twisted"))]


@pytest.mark.parametrize("name", ASKED)
def test_every_row_that_was_asked_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_page_names_no_row_that_is_not_there() -> None:
    rows = dialects()
    named = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert named
    assert all(name in rows for name in named)


def machines(row: str, way: str) -> list[Table]:
    """What the row says of each mode."""
    reader = dialects()[row].reader
    assert reader
    return [expected(Splitter(reader), mode, cast(Way, way)) for mode in MODES.values()]


@pytest.mark.parametrize(("row", "way", "cells"), LEARNED, ids=lambda each: each if "|" not in each else "")
def test_a_learned_machine_without_an_asterisk_has_the_states_of_the_rows(row: str, way: str, cells: str) -> None:
    numbers = cells.split(" | ")
    for number, machine, mode in zip(numbers, machines(row, way), MODES.values(), strict=True):
        if number.endswith("*"):
            assert mode.in_header, "refusals are forgotten in the header and the first line alone"
            assert int(number[:-1]) > len(machine.output), "it needs no asterisk"
        else:
            assert int(number) == len(machine.output), mode.name


def test_the_page_says_which_machine_was_compared_where_the_learned_one_holds_more() -> None:
    marked = [
        (row, int(number[:-1]), machine)
        for row, way, cells in LEARNED
        for number, machine in zip(cells.split(" | "), machines(row, way), strict=True)
        if number.endswith("*")
    ]
    assert {row for row, _, _ in marked} == {"opensmtpd-6.8"}
    (header, first), (states,) = [number for _, number, _ in marked], {len(each.output) for _, _, each in marked}
    assert all(ends_only(each) == each for _, _, each in marked), "the row itself says nothing of refusals there"
    assert f"the machines of {header} and {first} states, which hold those refusals, are not the row's" in PAGE
    assert f"that is a machine of {states} states, and it is the row's, state for state" in PAGE
