"""A reader's machine written out: states by number, what each byte class leads to, what each state has said.

This is the form in which a row meets a machine learned from a live program (a Moore machine: the output of a word is
the output of the state it leads to), and the form that is drawn.
"""

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from tidewaiter.lines.machine import Read, Splitter
from tidewaiter.lines.machine import State as Reading
from tidewaiter.lines.partition import alike
from tidewaiter.lines.symbol import BYTES, VISIBLE, Symbol, Word
from tidewaiter.model.dialect import Then
from tidewaiter.model.sentence import Sentence

CONTENT: Final = "content"
REJECTS: Final = "rejects"
"""Reads on, and will refuse the message at its end."""
ENDED: Final = "ended"
ENDED_REJECTED: Final = "ended and rejected"
CLOSED: Final = "closed"
STAYS: Final = "rejects and stays"
"""Reads on, will refuse the message at its end, and will go on reading content behind that."""
AGAIN: Final = "rejected, content again"
"""Has refused a message at an end, and has gone on reading content behind that."""
WORDS: Final = {
    CONTENT: Sentence("content"),
    REJECTS: Sentence("rejects"),
    ENDED: Sentence("ended"),
    ENDED_REJECTED: Sentence("ended and rejected"),
    CLOSED: Sentence("closed"),
    STAYS: Sentence("rejects and stays"),
    AGAIN: Sentence("rejected, content again"),
}
"""Each of them for a person."""


@dataclass(frozen=True, slots=True)
class Table:
    """An explicit machine; state 0 is the start."""

    output: tuple[str, ...]
    """What each state has said."""
    next: tuple[tuple[int, ...], ...]
    """For each state, and each of `BYTES` in their order, the state that follows."""

    def says(self, word: Word) -> str:
        """Tell the output behind `word`."""
        state = 0
        for symbol in word:
            state = self.next[state][symbol]
        return self.output[state]


S = TypeVar("S", bound=Hashable)


def explored(start: S, step: Callable[[S, Symbol], S], output: Callable[[S], str]) -> Table:
    """Write out the machine that `step` makes reachable from `start`, in its smallest form."""
    number = {start: 0}
    queue = deque([start])
    rows: list[tuple[int, ...]] = []
    while queue:
        state = queue.popleft()
        row = []
        for symbol in BYTES:
            after = step(state, symbol)
            if after not in number:
                number[after] = len(number)
                queue.append(after)
            row.append(number[after])
        rows.append(tuple(row))
    return minimal(Table(tuple(output(state) for state in number), tuple(rows)))


def table_of(reader: Splitter, head: Word = (), *, oversize: bool = False) -> Table:
    """Write out a row's reader as it stands behind `head`, past its size limit if `oversize`."""
    start: _Place = reader.start
    for symbol in head:
        start = _step(reader, start, symbol)
    if oversize and isinstance(start, Reading):
        passed = reader.oversize(start)
        if passed:
            start = _read(passed)
    return explored(start, lambda state, symbol: _step(reader, state, symbol), lambda state: _output(reader, state))


class _Again(NamedTuple):
    """It has refused a message, and reads content again."""

    state: Reading


_Place = Reading | _Again | str
"""Where a reader stands, or what it has said at its end."""


def _step(reader: Splitter, place: _Place, symbol: Symbol) -> _Place:
    if isinstance(place, str):
        return place
    if isinstance(place, _Again):
        after = _read(reader.feed(place.state, symbol))
        again = _Again(after) if isinstance(after, Reading) else after
        return ENDED_REJECTED if again == ENDED else again
    return _read(reader.feed(place, symbol))


def _read(read: Read) -> _Place:
    if read.end and read.end.goes_on == "content":
        return _Again(read.state)
    return _said(read.end) if read.end else read.state


def _output(reader: Splitter, state: _Place) -> str:
    if isinstance(state, str):
        return state
    if isinstance(state, _Again):
        return AGAIN
    return REJECTS if reader.rejects(state) else CONTENT


def _said(end: Then) -> str:
    if end.goes_on == "close":
        return CLOSED
    return ENDED if end.accepted else ENDED_REJECTED


def minimal(table: Table) -> Table:
    """Join states that no word tells apart, and number them in the order in which they are met."""

    def leads(group: list[int]) -> list[tuple[int, ...]]:
        return [(group[at], *(group[to] for to in row)) for at, row in enumerate(table.next)]

    return _renumbered(table, alike(table.output, leads))


def _renumbered(table: Table, group: list[int]) -> Table:
    member = {which: at for at, which in reversed(list(enumerate(group)))}
    order = [group[0]]
    for which in order:
        order += [to for to in dict.fromkeys(group[to] for to in table.next[member[which]]) if to not in order]
    place = {which: at for at, which in enumerate(order)}
    return Table(
        tuple(table.output[member[which]] for which in order),
        tuple(tuple(place[group[to]] for to in table.next[member[which]]) for which in order),
    )


def difference(one: Table, other: Table) -> Word | None:
    """Find a shortest word of which the two say different things; None where they are equal."""
    seen = {(0, 0)}
    queue: deque[tuple[int, int, Word]] = deque([(0, 0, ())])
    while queue:
        mine, theirs, word = queue.popleft()
        if one.output[mine] != other.output[theirs]:
            return word
        for symbol in BYTES:
            after = (one.next[mine][symbol], other.next[theirs][symbol])
            if after not in seen:
                seen.add(after)
                queue.append((*after, (*word, symbol)))
    return None


_LOOKS: Final = {
    CONTENT: "shape=circle",
    REJECTS: "shape=circle, style=dashed",
    ENDED: 'shape=doublecircle, label="ended"',
    ENDED_REJECTED: 'shape=doublecircle, style=dashed, label="ended,\\nrejected"',
    CLOSED: 'shape=box, label="closed"',
    STAYS: "shape=circle, style=dashed, color=red",
    AGAIN: "shape=circle, color=red",
}


def dot(table: Table, title: str) -> str:
    """Draw the machine in Graphviz's language."""
    lines = [f'digraph "{title}" {{', "  rankdir=LR;", f'  label="{title}"; labelloc=t;']
    lines += [f"  {at} [{_LOOKS[said]}];" for at, said in enumerate(table.output)]
    for at, row in enumerate(table.next):
        if set(row) == {at}:
            continue
        for to in dict.fromkeys(row):
            names = [VISIBLE[symbol] for symbol in BYTES if row[symbol] == to]
            label = " ".join(names) if len(names) < len(BYTES) else "any"
            lines.append(f'  {at} -> {to} [label="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"
