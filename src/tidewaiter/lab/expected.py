"""What would the learner learn of a program that is what its row says?  The same questions, asked of the row.

A word's output is not what the reader does with the word alone but what comes of the word and the tail behind it,
which is all that a session shows: a reader that closes on `CR !LF` closes when the tail follows a bare CR.
"""

from typing import Final, NamedTuple

from tidewaiter.lab.modes import LINE, Mode
from tidewaiter.lab.session import END, REFUSED, SECOND_END
from tidewaiter.lab.target import Way
from tidewaiter.lines.machine import Splitter, State
from tidewaiter.lines.symbol import Symbol, Word, symbols
from tidewaiter.lines.table import AGAIN, CLOSED, CONTENT, ENDED, ENDED_REJECTED, REJECTS, STAYS, Table, explored
from tidewaiter.model.dialect import Then

_REFUSED: Final = symbols(REFUSED)
_END: Final = symbols(END)
_SECOND_END: Final = symbols(SECOND_END)
_EDGE: Final[Word] = (Symbol.EDGE,)


class Place(NamedTuple):
    """Where a reader stands."""

    at: State | Then
    """Or what its end was."""
    refused: bool = False
    """It has refused a message at an end, and has gone on reading content."""


def expected(reader: Splitter, mode: Mode, way: Way) -> Table:
    """Write out what a row's reader says in `mode`, asked in this way."""
    start = _fed(reader, Place(reader.start), _EDGE + symbols(mode.head))
    if mode.oversize and isinstance(start.at, State):
        passed = reader.oversize(start.at)
        start = _fed(reader, Place(passed.end or passed.state) if passed else start, symbols(LINE))
    paced = _EDGE if way == "paced" else ()
    return explored(
        start,
        lambda place, symbol: _fed(reader, place, (symbol,)),
        lambda place: _said(reader, place, paced),
    )


def _fed(reader: Splitter, place: Place, word: Word) -> Place:
    for symbol in word:
        if isinstance(place.at, Then):
            break
        read = reader.feed(place.at, symbol)
        if read.end and read.end.goes_on == "content":
            place = Place(read.state, refused=True)
        else:
            place = Place(read.end or read.state, place.refused)
    return place


def _said(reader: Splitter, place: Place, pause: Word) -> str:
    behind = _fed(reader, place, pause + _REFUSED)
    if isinstance(behind.at, Then):
        # Where there are two replies, the first is taken for the message's.
        return _closed_or(behind.at, ENDED_REJECTED if behind.refused else ENDED, ENDED_REJECTED)
    at_end = _fed(reader, behind, pause + _END)
    end = _fed(reader, at_end, _EDGE + _SECOND_END)
    if isinstance(end.at, State):
        return CLOSED
    if end.refused:
        return _closed_or(end.at, AGAIN if behind.refused else STAYS, REJECTS)
    return _closed_or(end.at, CONTENT, REJECTS)


def _closed_or(end: Then, accepted: str, refused: str) -> str:
    if end.goes_on == "close":
        return CLOSED
    return accepted if end.accepted else refused
