"""Which row does a learned server fit best, and where does it differ from it?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from tidewaiter.lab.expected import expected
from tidewaiter.lab.learning import Learned
from tidewaiter.lab.modes import Mode
from tidewaiter.lab.words import CATALOGUE
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.symbol import BYTES, Word
from tidewaiter.lines.table import CONTENT, ENDED, ENDED_REJECTED, REJECTS, Table, difference, minimal
from tidewaiter.model.dialect import Dialect, ReaderDialect

_SAMPLE: Final = [*(word for length in range(5) for word in product(BYTES, repeat=length)), *CATALOGUE]
ENDS_ONLY: Final = {REJECTS: CONTENT, ENDED_REJECTED: ENDED}


@dataclass(frozen=True, slots=True)
class Difference:
    """A shortest word of which the server and the row say different things."""

    mode: Mode
    word: Word
    server: str
    row: str


@dataclass(frozen=True, slots=True)
class Fit:
    """How one row fits."""

    row: str
    differences: tuple[Difference, ...]
    """At most one for each mode; none where the row is the server's."""
    distance: int
    """Of a fixed sample of words in all modes, on how many they differ."""

    @property
    def equal(self) -> bool:
        """The row says of every word what the server says."""
        return not self.differences


def fits(learned: Sequence[Learned], rows: Iterable[Dialect]) -> list[Fit]:
    """Compare with every row that reads, the best first."""
    found = [
        _fit(row.id, candidate.reader, learned) for row in rows for candidate in row.candidates() if candidate.reader
    ]
    return sorted(found, key=lambda fit: (len(fit.differences), fit.distance, fit.row))


def ends_only(table: Table) -> Table:
    """Forget what was refused: in a header a server may refuse for reasons of its own."""
    return minimal(Table(tuple(ENDS_ONLY.get(said, said) for said in table.output), table.next))


def _fit(row: str, reader: ReaderDialect, learned: Sequence[Learned]) -> Fit:
    splitter = Splitter(reader)
    differences, distance = [], 0
    for each in learned:
        server, mine = each.table, expected(splitter, each.mode, each.way)
        if each.mode.in_header and difference(server, mine) is not None:
            server, mine = ends_only(server), ends_only(mine)
        word = difference(server, mine)
        if word is not None:
            differences.append(Difference(each.mode, word, server.says(word), mine.says(word)))
            distance += sum(server.says(sample) != mine.says(sample) for sample in _SAMPLE)
    return Fit(row, tuple(differences), distance)
