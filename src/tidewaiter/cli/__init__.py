"""What did the user ask, and how is it answered?  The only reader of argv, the only printer.

One module a verb; `verbs.py` says how to add one.
A user sees an answer, or one line: never a traceback.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from tidewaiter import is_compiled
from tidewaiter.cli import fault, verbs
from tidewaiter.cli.exit import Exit, UsageError
from tidewaiter.cli.parser import Parser
from tidewaiter.i18n import LANGUAGES, _, speak, spoken, system
from tidewaiter.model.sentence import visible

__all__ = ["Exit", "UsageError", "build_parser", "main"]

_SIGPIPE: Final = 128 + 13
"""As a shell says of a program that nobody listens to any more: an answer that was not given is not good."""


def build_parser() -> Parser:
    """The whole command line, in the language spoken now."""
    parser = Parser(
        prog="tidewaiter",
        description=_("A mail gateway through which nothing can be smuggled, and the proof."),
        epilog=_("Exit codes: 0 good, 1 bad news, 2 usage, 3 could not tell, 4 a fault of ours."),
    )
    parser.add_argument("--version", action="version", version=_version(), help=_("print the version"))
    verbs.register_all(parser.add_subparsers(metavar=_("VERB"), required=True, title=_("verbs")))
    return parser


def _version() -> str:
    text = _("tidewaiter {version}, compiled") if is_compiled() else _("tidewaiter {version}, not compiled")
    return text.format(version=version("tidewaiter"))


def main(argv: Sequence[str] | None = None) -> int:
    """Do what `argv` asks, and return the exit code; `argv` is that of the process unless given."""
    argv = sys.argv[1:] if argv is None else argv
    _choose_language(argv)
    code = _SIGPIPE
    try:
        args = build_parser().parse_args(argv)
        code = int(args.run(args))
        sys.stdout.flush()  # here, where a reader that has left can still be handled
    except UsageError as error:
        return _refuse(str(error))
    except BrokenPipeError:
        _reader_left()
        return code
    except OSError as error:
        return _refuse(": ".join(str(part) for part in (error.filename, spoken(system.reason(error))) if part))
    except KeyboardInterrupt:
        return 128 + 2  # as a shell says of a program that SIGINT ended
    except Exception as error:  # noqa: BLE001  # the last border: whatever it is, the user sees one line
        fault.report(error)
        return Exit.OURS
    return code


def _choose_language(argv: Sequence[str]) -> None:
    """Before the parser is built, for its very help is in that language."""
    early = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    early.add_argument("--lang")
    try:
        language = early.parse_known_args(argv)[0].lang
    except argparse.ArgumentError:
        return  # the real parser will say what is wrong with it
    if language in LANGUAGES:
        speak(language)


def _refuse(line: str) -> Exit:
    print(f"tidewaiter: {visible(line)}", file=sys.stderr)
    return Exit.USAGE


def _reader_left() -> None:
    """`tidewaiter … | head` is no fault; Python would complain once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
