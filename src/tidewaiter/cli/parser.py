"""How are arguments described, so that help, completions, manual page and errors are the same for every verb?"""

import argparse
import difflib
import re
import sys
from typing import Any, Final, NoReturn, TypeAlias

from rich_argparse import RichHelpFormatter

from tidewaiter.cli.exit import Exit
from tidewaiter.i18n import LANGUAGES, _

FORMATS: Final = ("text", "json")
_UNKNOWN: Final = re.compile(r"'([^']*)'")


class Formatter(RichHelpFormatter):
    """Plain where the output is no terminal, which rich decides."""

    group_name_formatter = str


class Parser(argparse.ArgumentParser):
    """A parser whose verbs all know `--lang`, and whose errors are one line with a suggestion."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As argparse's, but no abbreviations: a new option must not change what an old script says."""
        super().__init__(*args, **{"formatter_class": Formatter, "allow_abbrev": False, **kwargs})
        # SUPPRESS, so that a verb's parser does not undo what stood before the verb.
        self.add_argument("--lang", choices=LANGUAGES, default=argparse.SUPPRESS, help=_("the language to speak"))

    def add_format(self) -> None:
        """Offer `--format`, for a verb whose answer a program may read: `args.format` is one of `FORMATS`."""
        self.add_argument("--format", choices=FORMATS, default="text", help=_("for a person, or for a program"))

    def error(self, message: str) -> NoReturn:
        """Say one line and leave."""
        print(f"{self.prog}: {message}{self._suggestion(message)}", file=sys.stderr)
        raise SystemExit(Exit.USAGE)

    def _suggestion(self, message: str) -> str:
        words = _UNKNOWN.findall(message)  # the first is what was typed, the others what may be
        nearest = difflib.get_close_matches(words[0], words[1:], n=1) if words else []
        return " " + _("Did you mean '{word}'?").format(word=nearest[0]) if nearest else ""


# argparse gives the type of add_subparsers() no public name, and it is generic for type checkers only.
Verbs: TypeAlias = "argparse._SubParsersAction[Parser]"  # noqa: SLF001  # as said above
