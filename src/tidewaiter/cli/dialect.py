"""`tidewaiter dialect list | show ROW | smuggle WRITER [--via RELAY]… READER`: what is known, and what follows."""

import argparse
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Final

from tidewaiter.cli.exit import Exit, UsageError
from tidewaiter.cli.parser import Verbs
from tidewaiter.i18n import _, spoken

if TYPE_CHECKING:
    from tidewaiter.model.dialect import Dialect
    from tidewaiter.smuggling.ours import Ours

OURS: Final = ("ours", "ours-note", "ours-repair", "ours-refuse", "ours-bdat")
"""The gateway itself as a writer, in the positions for strangers, in each of the three, and for BDAT."""


def register(verbs: Verbs) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("dialect", help=_("how known programs read and write, and what can be smuggled"))
    actions = parser.add_subparsers(metavar=_("ACTION"), required=True)
    rows = actions.add_parser("list", help=_("list the rows"))
    rows.add_format()
    rows.set_defaults(run=run_list)
    show = actions.add_parser("show", help=_("show one row and its machines"))
    show.add_argument("row", metavar=_("ROW"), help=_("the id of a row, or strict for the standard itself"))
    show.add_argument("--format", choices=("text", "json", "dot", "svg"), default="text", help=_("how to show it"))
    show.add_argument(
        "--side", choices=("reader", "writer"), help=_("which machine to draw; the reader's where it has one")
    )
    show.add_argument("--oversize", action="store_true", help=_("the reader past its size limit"))
    show.set_defaults(run=run_show)
    ask = actions.add_parser(
        "smuggle",
        help=_("ask whether any content is read as two messages"),
        description=_("Exit codes: 0 safe for every input, 1 an attack, 3 could not tell."),
    )
    ask.add_argument("writer", metavar=_("WRITER"), help=_("a row, or {ours}").format(ours=", ".join(OURS)))
    ask.add_argument(
        "--via", metavar=_("RELAY"), action="append", default=[], help=_("a row in between; may be repeated")
    )
    ask.add_argument("reader", metavar=_("READER"), help=_("a row"))
    ask.add_format()
    ask.set_defaults(run=run_smuggle)


def run_list(args: argparse.Namespace) -> Exit:
    """Print every row on a line of its own."""
    from rich.console import Console  # noqa: PLC0415  # see verbs.py
    from rich.table import Table  # noqa: PLC0415  # see verbs.py

    from tidewaiter.cli import rows_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.knowledge.dialects import dialects  # noqa: PLC0415  # see verbs.py

    rows = dialects().values()
    if args.format == "json":
        print(json.dumps([_summary(row) for row in rows], indent=2))
        return Exit.GOOD
    table = Table(box=None, pad_edge=False)
    for column in (_("row"), _("reads"), _("writes"), _("product"), _("settings")):
        table.add_column(column, overflow="fold", no_wrap=column == _("row"))
    for row in rows:
        table.add_row(row.id, _mark(row.reader), _mark(row.writer), rows_text.product(row), rows_text.settings(row))
    Console().print(table)
    return Exit.GOOD


def run_show(args: argparse.Namespace) -> Exit:
    """Print a row: in words and as tables, as data, or as a drawing."""
    from tidewaiter.cli import dialect_text  # noqa: PLC0415  # see verbs.py

    row = _row(args.row)
    if args.format == "json":
        import msgspec  # noqa: PLC0415  # see verbs.py

        print(json.dumps(msgspec.to_builtins(row, order="deterministic"), indent=2))
    elif args.format == "text":
        print(dialect_text.row(row))
    else:
        drawing = dialect_text.drawing(row, _side(args.side, row), oversize=args.oversize)
        print(drawing if args.format == "dot" else _svg(drawing), end="")
    return Exit.GOOD


def run_smuggle(args: argparse.Namespace) -> Exit:
    """Print the answer, and the shortest attack where there is one."""
    from tidewaiter.cli import dialect_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.model.dialect import STRICT  # noqa: PLC0415  # see verbs.py
    from tidewaiter.smuggling.product import PlaceError, smuggle  # noqa: PLC0415  # see verbs.py

    writer = _ours(args.writer) if args.writer in OURS else _row(args.writer)
    relays, reader = tuple(_row(name) for name in args.via), _row(args.reader)
    try:
        answer = smuggle(writer, relays, reader)
        attack = answer.verdict == "attack"
        within = attack and smuggle(writer, relays, reader, limits=False).verdict == "safe"
        unsafe = attack and not within and smuggle(STRICT, (), reader, limits=False).verdict == "attack"
    except PlaceError as error:
        raise UsageError(spoken(error.sentence)) from None
    told = dialect_text.Told(answer, (args.writer, *args.via, args.reader), within=within, unsafe=unsafe)
    print(json.dumps(told.data(), indent=2) if args.format == "json" else told.text())
    return {"safe": Exit.GOOD, "attack": Exit.BAD}.get(answer.verdict, Exit.UNKNOWN)


def _row(name: str) -> "Dialect":
    from tidewaiter.knowledge.dialects import NoDialectError, dialect  # noqa: PLC0415  # see verbs.py
    from tidewaiter.model.dialect import STRICT  # noqa: PLC0415  # see verbs.py

    try:
        return STRICT if name == STRICT.id else dialect(name)
    except NoDialectError as error:
        raise UsageError(spoken(error.sentence)) from None


def _ours(name: str) -> "Ours":
    from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, Position, Positions  # noqa: PLC0415
    from tidewaiter.smuggling.ours import Ours  # noqa: PLC0415  # see verbs.py

    if name == "ours-bdat":
        return Ours(STRANGERS_BDAT, counted=True)
    if name == "ours":
        return Ours(STRANGERS_DATA)
    one = Position(name.removeprefix("ours-"))
    return Ours(Positions(bare_lf=one, bare_cr=one, nul=one))


def _side(asked: str | None, row: "Dialect") -> str:
    side = asked or ("reader" if row.reader else "writer")
    if getattr(row, side) is None:
        silent = (
            _("{row} says nothing of how it reads") if side == "reader" else _("{row} says nothing of how it writes")
        )
        raise UsageError(silent.format(row=row.id))
    return side


def _svg(drawing: str) -> str:
    """Let Graphviz draw, where it is there."""
    graphviz = shutil.which("dot")
    if graphviz is None:
        raise UsageError(_("Graphviz's `dot` is not on the PATH; --format dot gives what it would draw"))
    return subprocess.run([graphviz, "-Tsvg"], input=drawing, capture_output=True, text=True, check=True).stdout  # noqa: S603


def _summary(row: "Dialect") -> dict[str, object]:
    return {
        "id": row.id,
        "product": row.product,
        "versions": list(row.versions),
        "settings": row.settings,
        "reads": row.reader is not None,
        "writes": row.writer is not None,
    }


def _mark(side: object) -> str:
    return "+" if side else ""
