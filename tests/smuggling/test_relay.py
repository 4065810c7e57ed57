"""A relay passes on what its reader took for content, whatever its reader held back on the way to be sure."""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING

import pytest

from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.stages import RefusedError, pipeline
from tidewaiter.lines.symbol import BYTES, Word, symbols, visible
from tidewaiter.smuggling.path import Relay, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidewaiter.model.dialect import Dialect

RELAYS = {name: row for name, row in dialects().items() if row.reader and row.writer}
END = symbols(b"\r\n.\r\n")


def at_once(row: Dialect, wire: Word) -> Word:
    """The oracle: the whole content is changed, then written, with nothing held back."""
    assert row.reader
    assert row.writer
    change = pipeline(row.reader.change)
    state, content = change.feed(change.start, wire[: -len(END) + 2])
    return written(emitter(row.writer), content + change.finish(state))


@pytest.mark.parametrize("name", RELAYS)
def test_what_is_held_back_for_an_end_that_does_not_come_is_content(name: str) -> None:
    row = RELAYS[name]
    assert row.reader
    assert row.writer
    reads = Splitter(row.reader)
    relay = Relay(reads, pipeline(row.reader.change), emitter(row.writer))
    compared = 0
    for word in product(BYTES, repeat=3):
        wire = (*symbols(b"x\r\n"), *word, *END)
        if ends_at(reads, wire) not in (len(wire) - 1, len(wire)):  # at the last CR, or at the last LF
            continue
        compared += 1
        assert outcome(relay.passed_on, wire) == outcome(partial(at_once, row), wire), visible(word)
    assert compared > 30


def ends_at(reads: Splitter, wire: Word) -> int | None:
    state = reads.start
    for place, symbol in enumerate(wire, 1):
        read = reads.feed(state, symbol)
        if read.end:
            return place
        state = read.state
    return None


def outcome(passed_on: Callable[[Word], Word], wire: Word) -> Word | None:
    try:
        return passed_on(wire)
    except RefusedError:
        return None
