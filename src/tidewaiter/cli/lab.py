"""`tidewaiter lab learn | conform | writer`: hold the rows against a live program."""

import argparse
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidewaiter.cli.exit import Exit, UsageError
from tidewaiter.cli.parser import Parser, Verbs
from tidewaiter.i18n import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidewaiter.lab.learning import Progress
    from tidewaiter.lab.modes import Mode
    from tidewaiter.lab.target import Target, Way
    from tidewaiter.model.dialect import Dialect

MODES = ("body", "header", "first line", "first line ended in LF", "over the size limit")
WAYS = ("auto", "pipelined", "synchronised", "paced")


def register(verbs: Verbs) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("lab", help=_("hold the rows against a live program of yours"))
    actions = parser.add_subparsers(metavar=_("ACTION"), required=True)
    learn = actions.add_parser(
        "learn",
        help=_("learn how a live receiver reads"),
        description=_("Some thousand sessions. Exit codes: 0 it reads as a row says, 1 it differs, 3 could not tell."),
    )
    _add_target(learn)
    learn.add_argument("--mode", choices=MODES, action="append", help=_("where in a message to ask; all, unless given"))
    learn.set_defaults(run=run_learn)
    conform = actions.add_parser(
        "conform",
        help=_("ask a live receiver what tells a row from its neighbours"),
        description=_("At most 600 sessions. Exit codes: 0 it conforms, 1 it differs, 3 could not tell."),
    )
    conform.add_argument("row", metavar=_("ROW"), help=_("the id of a row, or strict for the standard itself"))
    _add_target(conform)
    conform.set_defaults(run=run_conform)


def _add_target(parser: Parser) -> None:
    parser.add_argument("address", metavar="HOST:PORT", help=_("a receiver of yours"))
    parser.add_argument(
        "--recipient", metavar="ME@MINE", required=True, help=_("a recipient of yours: nobody else is sent anything")
    )
    parser.add_argument("--lmtp", action="store_true", help=_("it speaks LMTP"))
    parser.add_argument(
        "--way", choices=WAYS, default="auto", help=_("how to wait for its replies; found out, unless given")
    )
    parser.add_argument("--side-by-side", metavar="N", type=int, default=12, help=_("sessions at once (default: 12)"))
    parser.add_format()


def run_learn(args: argparse.Namespace) -> Exit:
    """Learn, and say which row fits best and where it does not."""
    from tidewaiter.cli import lab_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.fit import fits  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.learning import Learned, learn_all  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.modes import MODES as THERE_ARE  # noqa: PLC0415  # see verbs.py

    with _asking(args) as (target, way, progress):
        found = learn_all(target, [THERE_ARE[name] for name in args.mode or THERE_ARE], way, progress)
    learned = [each for each in found if isinstance(each, Learned)]
    ranked = fits(learned, _rows().values()) if learned else []
    data = args.format == "json"
    print(json.dumps(lab_text.learned_data(found, ranked), indent=2) if data else lab_text.learned(found, ranked))
    if len(learned) < len(found):
        return Exit.UNKNOWN
    return Exit.GOOD if ranked[0].equal else Exit.BAD


def run_conform(args: argparse.Namespace) -> Exit:
    """Ask the fixed suite, and say where the server differs."""
    from tidewaiter.cli import lab_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.conform import conform  # noqa: PLC0415  # see verbs.py

    rows = _rows()
    if args.row not in rows:
        raise UsageError(_("there is no row {row} that reads").format(row=args.row))
    with _asking(args) as (target, way, progress):
        found = conform(target, rows[args.row], rows.values(), way, progress)
    print(json.dumps(lab_text.conformed_data(found), indent=2) if args.format == "json" else lab_text.conformed(found))
    if found.differences:
        return Exit.BAD
    return Exit.UNKNOWN if found.untold else Exit.GOOD


def _rows() -> "dict[str, Dialect]":
    from tidewaiter.knowledge.dialects import dialects  # noqa: PLC0415  # see verbs.py
    from tidewaiter.model.dialect import STRICT  # noqa: PLC0415  # see verbs.py

    return {STRICT.id: STRICT} | {name: row for name, row in dialects().items() if row.reader}


def _target(args: argparse.Namespace) -> "Target":
    from tidewaiter.lab.target import Target  # noqa: PLC0415  # see verbs.py

    host, colon, port = args.address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(_("{address} is no HOST:PORT").format(address=args.address))
    if args.recipient.count("@") != 1 or not args.recipient.isprintable() or set(args.recipient) & set("<> "):
        raise UsageError(_("{recipient} is no address").format(recipient=args.recipient))
    return Target(host.strip("[]"), int(port), args.recipient, lmtp=args.lmtp, side_by_side=max(args.side_by_side, 1))


@contextmanager
def _asking(args: argparse.Namespace) -> "Iterator[tuple[Target, Way | None, Progress]]":
    """Show on a terminal how far it is (how far it will go nobody knows); leave where the server cannot be asked."""
    from rich.console import Console  # noqa: PLC0415  # see verbs.py

    from tidewaiter.lab.target import UntoldError  # noqa: PLC0415  # see verbs.py

    target, way = _target(args), None if args.way == "auto" else args.way
    try:
        with Console(stderr=True).status(_("asking")) as status:
            yield target, way, lambda mode, sessions: status.update(_progress(mode, sessions))
    except UntoldError as error:
        line = _("COULD NOT TELL: {why}").format(why=error)
        print(json.dumps({"could_not_tell": str(error)}) if args.format == "json" else line)
        raise SystemExit(Exit.UNKNOWN) from None


def _progress(mode: "Mode", sessions: int) -> str:
    return ngettext("{mode}: {sessions} session", "{mode}: {sessions} sessions", sessions).format(
        mode=mode.name, sessions=sessions
    )
