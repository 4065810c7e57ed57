"""How is a machine written down as a table that a person can read?"""

from collections.abc import Callable, Sequence

from tidewaiter.i18n import _, spoken
from tidewaiter.lines.symbol import BYTES, VISIBLE, visible
from tidewaiter.lines.table import WORDS, Table
from tidewaiter.lines.written import Row, Written


def reader(table: Table) -> str:
    """Write a reader's machine: where each class of bytes leads, and what each state has said."""
    head = [_("state"), *(VISIBLE[symbol] for symbol in BYTES), _("says")]
    rows = [[str(at), *map(str, row), spoken(WORDS[table.output[at]])] for at, row in enumerate(table.next)]
    return _columns([head, *rows], str.rjust)


def writer(machine: Written) -> str:
    """Write a writer's machine: what each class of bytes puts on the wire, and where it leads."""
    head = [_("state"), *(VISIBLE[symbol] for symbol in BYTES), _("at the end")]
    rows = [
        [str(at), *_moves(row), visible(last)]
        for at, (row, last) in enumerate(zip(machine.next, machine.final, strict=True))
    ]
    return _columns([head, *rows], str.ljust)


def _moves(row: Row) -> list[str]:
    return [f"{visible(move[0]) or '-'} > {move[1]}" if move else _("refused") for move in row]


def _columns(rows: Sequence[Sequence[str]], just: Callable[[str, int], str]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(just(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
