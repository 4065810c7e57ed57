"""`tidewaiter lab learn | conform | writer`: hold the rows against a live program."""

import argparse
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tidewaiter.cli import command_words
from tidewaiter.cli.exit import Exit, UsageError
from tidewaiter.cli.parser import Parser, Verbs
from tidewaiter.i18n import _, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidewaiter.lab.learning import Asking
    from tidewaiter.lab.target import Target, UntoldError
    from tidewaiter.model.dialect import Dialect

MODES = ("body", "header", "first line", "first line ended in LF", "over the size limit")
WAYS = ("auto", "pipelined", "synchronised", "paced")
EXAMPLE = "curl -sS smtp://127.0.0.1:{port} --mail-from a@b.test --mail-rcpt {recipient} -T {file}"


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
    writer = actions.add_parser(
        "writer",
        help=_("hold a row against what a sender emits, byte for byte"),
        description=_(
            "Every content up to a length, into a sink. Exit codes: 0 equal, 1 it differs, 3 could not tell."
        ),
        epilog=_("Example: {example}").format(example=f"tidewaiter lab writer curl-7.88 --command '{EXAMPLE}'"),
    )
    writer.add_argument("row", metavar=_("ROW"), help=_("the id of a row that writes"))
    writer.add_argument(
        "--length", metavar=_("N"), type=int, default=5, help=_("the longest content, in bytes (default: 5)")
    )
    writer.add_argument("--listen", metavar=_("PORT"), type=int, default=0, help=_("the sink's port on loopback"))
    writer.add_argument("--relay", metavar=_("HOST:PORT"), help=_("a relay of yours that sends on to the sink"))
    writer.add_argument("--recipient", metavar=_("ME@MINE"), help=_("the recipient that it sends on"))
    writer.add_argument(
        "--command",
        metavar=_("WORDS"),
        help=_("run for each content; {places} are filled in").format(places=command_words.SHOWN),
    )
    writer.add_format()
    writer.set_defaults(run=run_writer)


def _add_target(parser: Parser) -> None:
    parser.add_argument("address", metavar=_("HOST:PORT"), help=_("a receiver of yours"))
    parser.add_argument(
        "--recipient", metavar=_("ME@MINE"), required=True, help=_("a recipient of yours: nobody else is sent anything")
    )
    parser.add_argument("--lmtp", action="store_true", help=_("it speaks LMTP"))
    parser.add_argument(
        "--way", choices=WAYS, default="auto", help=_("how to wait for its replies; found out, unless given")
    )
    parser.add_argument(
        "--side-by-side", metavar=_("N"), type=int, default=12, help=_("sessions at once (default: 12)")
    )
    parser.add_argument(
        "--size-limit", metavar=_("N"), type=int, help=_("its size limit, where it does not offer it as SIZE")
    )
    parser.add_format()


def run_learn(args: argparse.Namespace) -> Exit:
    """Learn, and say which row fits best and where it does not."""
    from tidewaiter.cli import lab_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.fit import fits  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.learning import Learned, learn_all  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.modes import MODES as THERE_ARE  # noqa: PLC0415  # see verbs.py

    with _asking(args) as asking:
        found = learn_all(asking, [THERE_ARE[name] for name in args.mode or THERE_ARE])
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
    with _asking(args) as asking:
        found = conform(asking, rows[args.row], rows.values())
    print(json.dumps(lab_text.conformed_data(found), indent=2) if args.format == "json" else lab_text.conformed(found))
    if found.differences:
        return Exit.BAD
    return Exit.UNKNOWN if found.untold else Exit.GOOD


def run_writer(args: argparse.Namespace) -> Exit:
    """Let the sender send every content, and say where it differs from its row."""
    from tidewaiter.cli import lab_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.knowledge.dialects import dialects  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.target import UntoldError  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.writer import compare_command, compare_relay  # noqa: PLC0415  # see verbs.py

    row = dialects().get(args.row)
    if row is None or row.writer is None:
        raise UsageError(_("there is no row {row} that writes").format(row=args.row))
    if bool(args.command) == bool(args.relay) or bool(args.relay) != bool(args.recipient):
        raise UsageError(_("give either --command, or --relay and --recipient"))
    if args.relay and row.reader is None:
        raise UsageError(_("there is no row {row} that reads").format(row=args.row))
    if args.listen not in range(1 << 16):
        raise UsageError(_("{port} is no port").format(port=args.listen))
    try:
        if args.relay:
            compared = compare_relay(row, _target(args.relay, args.recipient), args.length, args.listen)
        else:
            compared = compare_command(row, command_words.words(args.command), args.length, args.listen)
    except UntoldError as error:
        return _untold(error, args.format)
    print(
        json.dumps(lab_text.compared_data(compared), indent=2) if args.format == "json" else lab_text.compared(compared)
    )
    if compared.mismatches:
        return Exit.BAD
    return Exit.GOOD if compared.equal else Exit.UNKNOWN


def _rows() -> "dict[str, Dialect]":
    from tidewaiter.knowledge.dialects import dialects  # noqa: PLC0415  # see verbs.py
    from tidewaiter.model.dialect import STRICT  # noqa: PLC0415  # see verbs.py

    return {STRICT.id: STRICT} | {name: row for name, row in dialects().items() if row.reader}


def _target(address: str, recipient: str, **more: Any) -> "Target":
    from tidewaiter.lab.target import Target  # noqa: PLC0415  # see verbs.py

    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise UsageError(_("{address} is no HOST:PORT").format(address=repr(address)))
    if recipient.count("@") != 1 or not recipient.isprintable() or set(recipient) & set("<> "):
        raise UsageError(_("{recipient} is no address").format(recipient=repr(recipient)))
    return Target(host.strip("[]"), int(port), recipient, **more)


@contextmanager
def _asking(args: argparse.Namespace) -> "Iterator[Asking]":
    """Show on a terminal how far it is (how far it will go nobody knows); leave where the server cannot be asked."""
    import asyncio  # noqa: PLC0415  # see verbs.py

    from rich.console import Console  # noqa: PLC0415  # see verbs.py

    from tidewaiter.cli import lab_text  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.learning import Asking  # noqa: PLC0415  # see verbs.py
    from tidewaiter.lab.target import UntoldError  # noqa: PLC0415  # see verbs.py

    target = _target(
        args.address,
        args.recipient,
        lmtp=args.lmtp,
        side_by_side=max(args.side_by_side, 1),
        limit=args.size_limit,
    )
    if args.size_limit is not None and args.size_limit < 1:
        raise UsageError(_("{number} is no size limit").format(number=args.size_limit))
    way = None if args.way == "auto" else args.way
    try:
        with asyncio.Runner() as runner, Console(stderr=True).status(_("asking")) as status:
            try:
                yield Asking(
                    target, runner, way, lambda mode, sessions: status.update(lab_text.progress(mode, sessions))
                )
            finally:
                runner.run(_let_go())
    except UntoldError as error:
        raise SystemExit(_untold(error, args.format)) from None


async def _let_go() -> None:
    """Let connections that were given up be closed: that takes a turn of the loop, and two behind a cancelled task."""
    import asyncio  # noqa: PLC0415  # see verbs.py

    for _turn in range(3):
        await asyncio.sleep(0)


def _untold(error: "UntoldError", form: str) -> Exit:
    line = _("COULD NOT TELL: {why}").format(why=spoken(error.sentence))
    print(json.dumps({"could_not_tell": str(error)}) if form == "json" else line)
    return Exit.UNKNOWN
