"""A writer's machine written out: states by number, and for each class of bytes what it writes and where that leads.

A Mealy machine, unlike a reader's: a writer is known by what it puts on the wire, not by what it says.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from tidewaiter.lines.emitter import Emitter
from tidewaiter.lines.partition import alike
from tidewaiter.lines.stages import RefusedError
from tidewaiter.lines.symbol import BYTES, VISIBLE, Word, visible

Row = tuple[tuple[Word, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """An explicit writer; state 0 is the start."""

    next: tuple[Row, ...]
    """For each state, and each of `BYTES` in their order, what is written and the state that follows;
    None where the message is refused."""
    final: tuple[Word, ...]
    """For each state, what is written when the content ends there."""


def written_out(writer: Emitter) -> Written:
    """Write out every state that content can bring the writer to, states that behave alike joined."""
    number = {writer.start: 0}
    queue = deque([writer.start])
    rows: list[Row] = []
    while queue:
        state = queue.popleft()
        row: list[tuple[Word, int] | None] = []
        for symbol in BYTES:
            try:
                fed = writer.feed(state, symbol)
            except RefusedError:
                row.append(None)
                continue
            if fed.state not in number:
                number[fed.state] = len(number)
                queue.append(fed.state)
            row.append((fed.wire, number[fed.state]))
        rows.append(tuple(row))
    return _joined(Written(tuple(rows), tuple(writer.finish(state) for state in number)))


def _joined(machine: Written) -> Written:
    def leads(group: list[int]) -> list[tuple[object, ...]]:
        return [(group[at], *_moved(row, group)) for at, row in enumerate(machine.next)]

    group = alike(machine.final, leads)
    kept = [group.index(which) for which in dict.fromkeys(group)]  # groups are numbered as they are met
    return Written(tuple(_moved(machine.next[at], group) for at in kept), tuple(machine.final[at] for at in kept))


def _moved(row: Row, group: list[int]) -> Row:
    return tuple(move and (move[0], group[move[1]]) for move in row)


_LINE: Final = "\\n"


def dot(machine: Written, title: str) -> str:
    """Draw the machine in Graphviz's language: `class / what is written` on each edge."""
    lines = [f'digraph "{title}" {{', "  rankdir=LR;", f'  label="{title}"; labelloc=t;']
    lines += [f'  {at} [shape=circle, xlabel="end / {visible(last)}"];' for at, last in enumerate(machine.final)]
    if any(None in row for row in machine.next):
        lines.append('  refused [shape=box, label="refused"];')
    for at, row in enumerate(machine.next):
        edges: dict[int | str, list[str]] = {}
        for symbol, move in zip(BYTES, row, strict=True):
            to = move[1] if move else "refused"
            same = move is not None and move[0] == (symbol,)
            said = VISIBLE[symbol] if same or not move else f"{VISIBLE[symbol]} / {visible(move[0]) or 'nothing'}"
            edges.setdefault(to, []).append(said)
        lines += [f'  {at} -> {to} [label="{_LINE.join(said)}"];' for to, said in edges.items()]
    return "\n".join([*lines, "}"]) + "\n"
