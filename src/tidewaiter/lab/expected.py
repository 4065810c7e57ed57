"""What would the learner learn of a program that is what its row says?  The same questions, asked of the row.

A word's output is not what the reader does with the word alone but what comes of the word and the tail behind it,
which is all that a session shows: a reader that closes on `CR !LF` closes when the tail follows a bare CR.
"""

from typing import Final

from tidewaiter.lab.modes import LINE, Mode
from tidewaiter.lab.session import END, REFUSED, SECOND_END
from tidewaiter.lab.target import Way
from tidewaiter.lines.machine import Splitter, State
from tidewaiter.lines.symbol import Symbol, Word, symbols
from tidewaiter.lines.table import CLOSED, CONTENT, ENDED, ENDED_REJECTED, REJECTS, Table, explored
from tidewaiter.model.dialect import Then

_REFUSED: Final = symbols(REFUSED)
_END: Final = symbols(END)
_SECOND_END: Final = symbols(SECOND_END)
_EDGE: Final[Word] = (Symbol.EDGE,)

Place = State | Then
"""Where a reader stands, or what its end was."""


def expected(reader: Splitter, mode: Mode, way: Way) -> Table:
    """Write out what a row's reader says in `mode`, asked in this way."""
    start = _fed(reader, reader.start, _EDGE + symbols(mode.head))
    if mode.oversize and isinstance(start, State):
        passed = reader.oversize(start)
        start = _fed(reader, (passed.end or passed.state) if passed else start, symbols(LINE))
    paced = _EDGE if way == "paced" else ()
    return explored(
        start,
        lambda place, symbol: _fed(reader, place, (symbol,)),
        lambda place: _said(reader, place, paced),
    )


def _fed(reader: Splitter, place: Place, word: Word) -> Place:
    for symbol in word:
        if isinstance(place, Then):
            break
        read = reader.feed(place, symbol)
        place = read.end or read.state
    return place


def _said(reader: Splitter, place: Place, pause: Word) -> str:
    behind = _fed(reader, place, pause + _REFUSED)
    if isinstance(behind, Then):
        return _closed_or(behind, ENDED, ENDED_REJECTED)
    end = _fed(reader, _fed(reader, behind, pause + _END), _EDGE + _SECOND_END)
    return CLOSED if isinstance(end, State) else _closed_or(end, CONTENT, REJECTS)


def _closed_or(end: Then, accepted: str, refused: str) -> str:
    if end.goes_on == "close":
        return CLOSED
    return accepted if end.accepted else refused
