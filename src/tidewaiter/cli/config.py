"""`tidewaiter config check FILE` and `config show FILE`: would the gateway run with it, and as what?"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tidewaiter.cli.exit import Exit
from tidewaiter.cli.parser import Parser, Verbs
from tidewaiter.i18n import _, spoken
from tidewaiter.model.sentence import visible


def register(verbs: Verbs) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("config", help=_("check a configuration, or show what it comes to"))
    actions = parser.add_subparsers(metavar=_("ACTION"), required=True)
    check = actions.add_parser("check", help=_("name every mistake by file, line and key"))
    check.add_format()
    check.set_defaults(run=check_file)
    show = actions.add_parser("show", help=_("print every setting, the defaults among them"))
    show.set_defaults(run=show_file)
    for action in (check, show):
        _add_file(action)


def _add_file(parser: Parser) -> None:
    parser.add_argument("file", metavar=_("FILE"), type=Path, help=_("the configuration, in TOML"))


def check_file(args: argparse.Namespace) -> Exit:
    """Print the mistakes, or that there are none."""
    from tidewaiter.gateway.host.requirements import mistakes_of_file  # noqa: PLC0415  # see verbs.py

    mistakes = mistakes_of_file(args.file)
    if args.format == "json":
        print(json.dumps([asdict(mistake) | {"message": spoken(mistake.message)} for mistake in mistakes], indent=2))
    else:
        good = _("{file}: no mistakes").format(file=visible(str(args.file)))
        print(*[mistake.said(_) for mistake in mistakes] or [good], sep="\n")
    return Exit.BAD if mistakes else Exit.GOOD


def show_file(args: argparse.Namespace) -> Exit:
    """Print the settings as TOML that means the same."""
    from tidewaiter.config import ConfigError, parse  # noqa: PLC0415  # see verbs.py
    from tidewaiter.config.writing import write  # noqa: PLC0415  # see verbs.py

    try:
        settings = parse(args.file.read_bytes(), str(args.file.absolute()))
    except ConfigError as error:
        print(*[mistake.said(_) for mistake in error.mistakes], sep="\n", file=sys.stderr)
        return Exit.BAD
    print(write(settings), end="")
    return Exit.GOOD
