"""A demonstration for a person: what was forged without the gateway, what with it, the proof, and in one line the end.

Colour says the same as the words: red is a forged message or a broken promise, green is what was promised.
"""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from tidewaiter.i18n import _, ngettext
from tidewaiter.report.demonstration import Demonstration, Proof
from tidewaiter.report.tables import BAD, FORGED, GOOD, QUIET, dialogues, messages

NARROW = "\u202f"
"""Parts thousands in every language."""
UNBROKEN = "\u2011"
"""A hyphen at which no line is broken, so that a row's name stays whole."""


def demonstration(shown: Demonstration) -> Group:
    """All of it, the judgement last, where a terminal stands when everything has been printed."""
    return Group(
        legend(shown),
        Padding(messages(shown), (1, 0)),
        dialogues(shown),
        Padding(besides(shown), (1, 0)),
        proof(shown.proof),
        "",
        *(Text(f"✗ {line}", BAD) for line in shown.broken),
        judgement(shown),
    )


def digest(shown: Demonstration) -> Group:
    """What went wrong without the gateway, and the judgement: for a picture."""
    return Group(
        legend(shown),
        Padding(messages(shown, least=FORGED), (1, 0)),
        Padding(dialogues(shown, least=FORGED), (0, 0, 1, 0)),
        judgement(shown),
    )


def legend(shown: Demonstration) -> Group:
    """What smuggling is, and what the columns are."""
    example = Text.assemble(
        "  Hello ", ("LF . CR LF", "bold yellow"), " MAIL FROM:<forged@bank.example> RCPT TO:… DATA …"
    )
    columns = (
        (_("inbound"), _("raw bytes from a stranger to {receiver}").format(receiver=shown.receiver)),
        (
            _("outbound"),
            _("a user's message through {sender} to {receiver}").format(sender=shown.sender, receiver=shown.receiver),
        ),
        (_("alone"), _("messages made of one without the gateway; ✗ one of them is forged")),
        (_("gateway"), _("its answer with the gateway between them, and what was delivered")),
        (_("fools"), _("how many of {count} known programs would read two messages").format(count=shown.readers)),
    )
    width = max(len(name) for name, _meaning in columns)
    return Group(
        Text.assemble(
            (_("SMTP smuggling"), "bold"), ": ", _("one message goes in, and a second, forged one comes out:")
        ),
        example,
        Text(_("Where some programs see the message end in the middle, the rest becomes commands.")),
        "",
        *(Text(f"  {name:{width}}  {meaning}", QUIET) for name, meaning in columns),
    )


def besides(shown: Demonstration) -> Group:
    """Honest mail, and the positions that the tables do not show, in a line each."""
    kinds = len({one.kind for one in shown.honest})
    sent = sum(one.sent for one in shown.grids)
    return Group(
        _line(
            _("Honest mail of {kinds} kinds, each way: byte for byte, but for Received").format(kinds=kinds),
            bad=any(one.broken for one in shown.honest),
        ),
        _line(
            _("The same attacks in every position, as DATA and BDAT: {sent} as expected").format(sent=_number(sent)),
            bad=any(one.broken for one in shown.grids),
        ),
    )


def proof(proved: Proof) -> Group:
    """What no list of attacks can show."""
    bad = bool(proved.broken)
    return Group(
        Text(_("The proof: not a list of attacks, but every input there is"), "bold"),
        _line(
            _("The machine is the gateway's own code: {compared} bytes, {words} cuts compared").format(
                compared=_number(proved.bytes_compared), words=_number(proved.words_compared)
            ),
            bad=bad,
        ),
        _line(
            ngettext(
                "No input attacks {count} known program behind it, in any position:",
                "No input attacks {count} known programs behind it, in any position:",
                len(proved.safe),
            ).format(count=len(proved.safe)),
            bad=bad,
        ),
        _rows(proved.safe),
        *_named(_("safe, for it gives them no message larger than they take:"), proved.within_size),
        *_named(_("unsafe behind any sender, for it cannot read the standard:"), proved.unsafe),
        Text("  " + _("not covered:")),
        *(_item(line) for line in proved.not_covered),
    )


def _named(what: str, rows: Iterable[str]) -> Iterator[RenderableType]:
    named = tuple(rows)
    if named:
        yield Text(f"  {what}")
        yield _rows(named)


def _rows(rows: Iterable[str]) -> Padding:
    return Padding(Text("  ".join(row.replace("-", UNBROKEN) for row in rows), QUIET), (0, 0, 0, 4))


def _item(line: str) -> Padding:
    return Padding(Text(line, QUIET), (0, 0, 0, 4))


def _line(text: str, *, bad: bool = False) -> Text:
    return Text.assemble(("✗ ", BAD) if bad else ("✓ ", GOOD), text)


def _number(count: int) -> str:
    return f"{count:,}".replace(",", NARROW)


def judgement(shown: Demonstration) -> Panel:
    """The two numbers, and whether every promise held."""
    count, broken = len(shown.trials), len(shown.broken)
    without = _("of {count} trials without the gateway forged or lost a message").format(count=count)
    guarded = _("with the gateway")
    held = (
        _line(_("every promise held"))
        if shown.held
        else _line(ngettext("{count} promise broken", "{count} promises broken", broken).format(count=broken), bad=True)
    )
    return Panel(
        Group(
            Text.assemble((f"{shown.split_alone:3}", BAD), f"  {without}"),
            Text.assemble((f"{shown.split_guarded:3}", BAD if shown.split_guarded else GOOD), f"  {guarded}"),
            held,
        ),
        border_style=GOOD if shown.held else BAD,
        expand=False,
    )
