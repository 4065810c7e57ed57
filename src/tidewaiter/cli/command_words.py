"""A command that the user gives to be run: its words, and what is to be filled into them."""

import shlex
import shutil
from string import Formatter
from typing import Final

from tidewaiter.cli.exit import UsageError
from tidewaiter.i18n import _

PLACES: Final = ("port", "recipient", "file")
SHOWN: Final = ", ".join(f"{{{place}}}" for place in PLACES)


def words(command: str) -> list[str]:
    """Part it as a shell does; raises UsageError where it cannot be run or filled."""
    try:
        argv = shlex.split(command)
    except ValueError:
        raise UsageError(_("a quote in {command} is not closed").format(command=repr(command))) from None
    for word in argv:
        _want_known(word)
    if not argv or shutil.which(argv[0]) is None:
        raise UsageError(_("there is no program {name}").format(name=repr(argv[0] if argv else "")))
    return argv


def _want_known(word: str) -> None:
    try:
        named = {name for _text, name, _form, _turn in Formatter().parse(word) if name is not None}
    except ValueError:  # a brace that is not closed
        named = {""}
    if not named <= set(PLACES):
        raise UsageError(
            _("in {word} only {places} are filled in; write a brace twice to have it").format(
                word=repr(word), places=SHOWN
            )
        )
