"""What the learner learns of a played program is that program's machine, whatever way it has to be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.played import PLAYED, played
from tidewaiter.cli.machine_text import reader as reader_text
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.asker import Asker, manner
from tidewaiter.lab.expected import expected
from tidewaiter.lab.learner import learn
from tidewaiter.lab.modes import BODY, MODES, Mode
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.table import Table, difference

if TYPE_CHECKING:
    from tidewaiter.model.dialect import ReaderDialect

# Its words end a message at the last CR: as it is played the LF is a command of its own, and nothing can be told.
ROWS = {name: row for name, row in dialects().items() if row.reader and name != "cisco-esa-clean"}


pytestmark = pytest.mark.timeout(600)


def learned(reader: ReaderDialect, mode: Mode, *, lmtp: bool = False) -> tuple[Table, Table]:
    with played(reader, lmtp=lmtp) as (runner, target):
        how = runner.run(manner(target))
        asker = Asker(target, how, mode.opening(how.limit or 0))
        return learn(asker, runner), expected(Splitter(reader), mode, how.way)


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAYED)
def test_a_played_program_is_learned_as_it_is(name: str) -> None:
    found, truth = learned(PLAYED[name], BODY)
    assert difference(found, truth) is None, reader_text(found)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ROWS)
def test_every_row_that_is_played_is_learned_as_its_words_say(name: str) -> None:
    reader = ROWS[name].reader
    assert reader
    for mode in MODES.values():
        found, truth = learned(reader, mode)
        assert difference(found, truth) is None, f"{mode.name}\n{reader_text(found)}"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["first line", "over the size limit"])
def test_a_reader_that_is_laxer_past_its_limit_is_seen_to_be(mode: str) -> None:
    found, truth = learned(PLAYED["laxer past its size limit"], MODES[mode])
    assert difference(found, truth) is None, reader_text(found)


@pytest.mark.slow
def test_lmtp_is_learned_like_smtp() -> None:
    found, truth = learned(PLAYED["strict"], BODY, lmtp=True)
    assert difference(found, truth) is None, reader_text(found)
