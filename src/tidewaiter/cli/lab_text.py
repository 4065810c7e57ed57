"""How is what the lab found written down, for a person and for a program?"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from tidewaiter.cli import machine_text
from tidewaiter.i18n import _, ngettext, spoken
from tidewaiter.lab.conform import Conformed
from tidewaiter.lab.emissions import LEAST
from tidewaiter.lab.fit import Difference, Fit
from tidewaiter.lab.learning import Learned, Untold
from tidewaiter.lab.modes import Mode
from tidewaiter.lab.target import WAYS_IN_WORDS
from tidewaiter.lab.writer import Compared
from tidewaiter.lines.symbol import BYTES, VISIBLE, visible
from tidewaiter.lines.table import WORDS
from tidewaiter.model.sentence import Sentence

_SHOWN: Final = 10
TOO_SHORT: Final = Sentence(
    "contents of at least {least} bytes are needed: only then is it seen how a dot behind a line is stuffed",
    least=LEAST,
)
_MODES: Final = {
    "body": Sentence("body"),
    "header": Sentence("header"),
    "first line": Sentence("first line"),
    "first line ended in LF": Sentence("first line ended in LF"),
    "over the size limit": Sentence("over the size limit"),
}


def progress(mode: Mode, sessions: int) -> str:
    """Tell a person how far it is."""
    return ngettext("{mode}: {sessions} session", "{mode}: {sessions} sessions", sessions).format(
        mode=_mode(mode), sessions=sessions
    )


def _mode(mode: Mode) -> str:
    return spoken(_MODES[mode.name])


def learned(found: Sequence[Learned | Untold], ranked: Sequence[Fit]) -> str:
    """Tell a person what was learned and which rows fit."""
    return "\n".join((*_machines(found), *_fits(ranked, all_told=_all_told(found))))


def _all_told(found: Sequence[Learned | Untold]) -> bool:
    return not any(isinstance(each, Untold) for each in found)


def _machines(found: Sequence[Learned | Untold]) -> Iterator[str]:
    for each in found:
        if isinstance(each, Untold):
            yield from (_untold(each), "")
            continue
        yield _("{mode}: {states} states, {sessions} sessions, {seconds:.1f} s, {way}").format(
            mode=_mode(each.mode),
            states=len(each.table.output),
            sessions=each.sessions,
            seconds=each.seconds,
            way=" = ".join(spoken(WAYS_IN_WORDS[way]) for way in (each.way, each.checked) if way),
        )
        yield from (*("  " + line for line in machine_text.reader(each.table).splitlines()), "")


def _untold(each: Untold) -> str:
    return _("{mode}: COULD NOT TELL: {why}").format(mode=_mode(each.mode), why=spoken(each.why))


def _fits(ranked: Sequence[Fit], *, all_told: bool) -> Iterator[str]:
    if not ranked:
        return
    equal = [fit.row for fit in ranked if fit.equal]
    if equal:
        told = (
            _("EQUAL to {rows}") if all_told else _("COULD NOT TELL whether it is {rows}: not every mode was learned")
        )
        yield told.format(rows=", ".join(equal))
        return
    best = ranked[0]
    yield _("DIFFERS from every row; the best fit is {row}:").format(row=best.row)
    yield from (_difference(each) for each in best.differences)


def _difference(each: Difference) -> str:
    return _("  {mode}: behind {word} the server says {server}, the row {row}").format(
        mode=_mode(each.mode),
        word=visible(each.word) or _("nothing"),
        server=spoken(WORDS[each.server]),
        row=spoken(WORDS[each.row]),
    )


def learned_data(found: Sequence[Learned | Untold], ranked: Sequence[Fit]) -> dict[str, Any]:
    """Give a program what was learned and which rows fit."""
    return {
        "modes": {each.mode.name: _mode_data(each) for each in found},
        "rows": [
            {
                "row": fit.row,
                "equal": fit.equal and _all_told(found),
                "differences": [_difference_data(each) for each in fit.differences],
            }
            for fit in ranked
        ],
    }


def _mode_data(each: Learned | Untold) -> dict[str, Any]:
    if isinstance(each, Untold):
        return {"could_not_tell": str(each.why)}
    return {
        "way": each.way,
        "checked": each.checked,
        "sessions": each.sessions,
        "seconds": round(each.seconds, 1),
        "classes": [VISIBLE[symbol] for symbol in BYTES],
        "output": list(each.table.output),
        "next": [list(row) for row in each.table.next],
    }


def conformed(found: Conformed) -> str:
    """Tell a person what the suite found."""
    return "\n".join(_conformed(found))


def _conformed(found: Conformed) -> Iterator[str]:
    yield from map(_untold, found.untold)
    for _mode, differences in groupby(found.differences, key=lambda each: each.mode):
        first, *more = differences
        yield _difference(first)
        if more:
            yield "    " + ngettext(
                "and behind {count} other word", "and behind {count} other words", len(more)
            ).format(count=len(more))
    sessions = ngettext("{count} session", "{count} sessions", found.sessions).format(count=found.sessions)
    if found.differences:
        yield _("DIFFERS from {row} ({sessions})").format(row=found.row, sessions=sessions)
    elif not found.untold:
        yield _("CONFORMS to {row} ({sessions})").format(row=found.row, sessions=sessions)


def conformed_data(found: Conformed) -> dict[str, Any]:
    """Give a program what the suite found."""
    return {
        "row": found.row,
        "sessions": found.sessions,
        "differences": [_difference_data(each) for each in found.differences],
        "could_not_tell": {each.mode.name: str(each.why) for each in found.untold},
    }


def _difference_data(each: Difference) -> dict[str, str]:
    return {"mode": each.mode.name, "word": visible(each.word), "server": each.server, "row": each.row}


def compared(found: Compared) -> str:
    """Tell a person how a sender differs from its row."""
    return "\n".join(_compared(found))


def _compared(found: Compared) -> Iterator[str]:
    for each in found.mismatches[:_SHOWN]:
        yield _("  {content} is sent as {sender}, the row says {row}").format(
            content=visible(each.content) or _("nothing"), sender=_wire(each.sender), row=_wire(each.row)
        )
    count = ngettext("{count} content", "{count} contents", found.contents).format(count=found.contents)
    if found.mismatches:
        differing = len(found.mismatches)
        yield _("DIFFERS from {row} in {differing} of {contents}").format(
            row=found.row, differing=differing, contents=count
        )
    elif found.equal:
        yield _("EQUAL to {row} ({contents})").format(row=found.row, contents=count)
    else:
        yield _("COULD NOT TELL: {why}").format(why=spoken(TOO_SHORT))


def _wire(wire: bytes | None) -> str:
    return _("nothing at all") if wire is None else repr(wire)[1:]


def compared_data(found: Compared) -> dict[str, Any]:
    """Give a program how a sender differs from its row."""
    return {
        "row": found.row,
        "contents": found.contents,
        "equal": found.equal,
        "mismatches": [
            {
                "content": visible(each.content),
                "sender": each.sender and each.sender.decode("latin-1"),
                "row": each.row and each.row.decode("latin-1"),
            }
            for each in found.mismatches
        ],
    }
