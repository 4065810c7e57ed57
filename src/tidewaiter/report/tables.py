"""The two tables of a demonstration: attacks inside of a message, and attacks in the dialogue around it."""

from rich import box
from rich.table import Table
from rich.text import Text

from tidewaiter.i18n import _, ngettext
from tidewaiter.report.demonstration import Demonstration, Seen, Trial

GOOD = "green"
BAD = "bold red"
QUIET = "dim"

FORGED, FOOLS, HARMLESS = range(3)
"""What made the receiver take a forged message; what would make a known program; the rest."""


def messages(shown: Demonstration, least: int = HARMLESS) -> Table:
    """Odd bytes inside of a message, both directions side by side: what split the receiver comes first.

    What ranks behind `least` is left out.
    """
    table = _table(_("hidden in a message"))
    table.add_column(_("fools\nof {count}").format(count=shown.readers), justify="right")
    for way in (_("inbound"), _("outbound")):
        table.add_column(f"{way}\n" + _("alone"), no_wrap=True, justify="right")
        table.add_column("\n" + _("gateway"), no_wrap=True)
    inbound, outbound = _by_name(shown, "inbound"), _by_name(shown, "outbound")
    before = None
    for name in sorted(inbound | outbound, key=lambda name: _rank(inbound.get(name), outbound.get(name))):
        ways = (inbound.get(name), outbound.get(name))
        rank = _rank(*ways)
        if rank > least:
            break
        if before not in {None, rank}:
            table.add_section()
        before = rank
        table.add_row(name, _fools(ways[0]), *(cell for way in ways for cell in _cells(way)))
    return table


def _by_name(shown: Demonstration, way: str) -> dict[str, Trial]:
    return {trial.vector: trial for trial in shown.trials if trial.way == way}


def _rank(*ways: Trial | None) -> int:
    trials = [trial for trial in ways if trial]
    if any(trial.alone and trial.alone.forged for trial in trials):
        return FORGED
    return FOOLS if any(trial.fooled for trial in trials) else HARMLESS


def _fools(trial: Trial | None) -> Text:
    count = len(trial.fooled) if trial else 0
    return Text(str(count), "yellow") if count else Text("·", QUIET)


def _cells(trial: Trial | None) -> tuple[Text, Text]:
    return (_alone(trial.alone), _guarded(trial)) if trial else (_harmless("·"), Text("·", QUIET))


def dialogues(shown: Demonstration, least: int = HARMLESS) -> Table:
    """Odd bytes outside of any message, and what a next hop says; what ranks behind `least` is left out."""
    table = _table(_("hidden in the dialogue"))
    table.add_column("\n" + _("alone"), no_wrap=True, justify="right")
    table.add_column("\n" + _("gateway"), no_wrap=True)
    shown_here = [trial for trial in shown.trials if _rank(trial) <= least]
    for trial in (one for one in shown_here if one.way == "session"):
        table.add_row(trial.vector, _alone(trial.alone), _answered(trial))
    table.add_section()
    for trial in (one for one in shown_here if one.way == "next hop"):
        table.add_row(trial.vector, _told(trial.alone), _answered(trial))
    return table


def _table(what: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, header_style="bold")
    table.add_column("\n" + what, overflow="fold")
    return table


def _alone(seen: Seen | None) -> Text:
    """How many messages the receiver alone made of one."""
    if seen is None:
        return _harmless("·")
    return Text(f"{seen.delivered} ✗", BAD) if seen.forged else _harmless(f"{seen.delivered}")


def _told(seen: Seen | None) -> Text:
    """Whether the sender alone took for delivered what was lost."""
    return Text(_("lost ✗"), BAD) if seen and seen.forged else _harmless("0")


def _harmless(count: str) -> Text:
    """Under the number of what is marked as forged; blanks at the end of a cell are no width, these are."""
    return Text(f"{count}\u00a0\u00a0", QUIET)


def _guarded(trial: Trial) -> Text:
    """What the gateway answered, and what was delivered."""
    seen = trial.guarded
    if trial.broken:
        return Text(f"{seen.answer[:3]} {seen.delivered} ✗", BAD)
    if not seen.delivered:
        return Text(f"{seen.answer[:3]} " + _("nothing"), GOOD)
    return Text(f"{seen.answer[:3]} " + (_("repaired") if trial.changed else _("as sent")), GOOD)


def _answered(trial: Trial) -> Text:
    """The last that was answered, and how much was delivered."""
    code = " ".join(trial.guarded.answer.split()[:2])
    kept = trial.guarded.delivered
    delivered = ngettext("{count} message", "{count} messages", kept).format(count=kept) if kept else _("nothing")
    return Text(f"{code} {delivered}" + (" ✗" if trial.broken else ""), BAD if trial.broken else GOOD)
