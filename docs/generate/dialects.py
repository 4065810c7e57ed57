"""The rows: every program whose reading or writing is known, what is known of it, and its machine drawn."""

from collections import Counter
from typing import Final

from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lines import table
from tidewaiter.lines.machine import Splitter
from tidewaiter.model.dialect import STRICT, Dialect

_LEAD: Final = """\
# The rows

Written from `src/tidewaiter/knowledge/dialects/` by `make docs`; `tidewaiter dialect show ROW` prints one whole, with its machine and the source of each field.

A field's evidence is a *document*, *code* that was read, a machine that was *learned* from the running program, or something *seen*.

| row | program | versions | settings | as a reader ends a message at | as a writer | evidence |
|---|---|---|---|---|---|---|
"""

DRAWN: Final = (
    "postfix-3.7-no",
    "postfix-3.7-normalize",
    "exim-4.96",
    "aiosmtpd-1.4.4",
    "haraka-3.3.3",
    "smtp-server-3.21.6",
)


def page() -> str:
    """Write the page."""
    return _LEAD + "".join(_line(row) for row in dialects().values())


def picture(name: str) -> str:
    """Draw the machine of one row as a reader, or of the standard."""
    row = STRICT if name == STRICT.id else dialects()[name]
    if row.reader is None:
        message = f"{name} reads nothing"
        raise ValueError(message)
    return table.dot(table.table_of(Splitter(row.reader)), row.id)


def _line(row: Dialect) -> str:
    ends = dict.fromkeys(end.on for _, mode in (row.reader.modes if row.reader else ()) for end in mode.ends)
    reader = ", ".join(f"`{on}`".replace("|", "\\|") for on in ends) or "-"
    writer = "; ".join(row.writer.stages).replace("|", "\\|") if row.writer else "-"
    tags = Counter(source.tag for source in row.evidence)
    evidence = ", ".join(f"{count} {tag}" for tag, count in sorted(tags.items()))
    cells = (f"`{row.id}`", row.product, ", ".join(row.versions), row.settings, reader, writer, evidence)
    return f"| {' | '.join(cells)} |\n"
