"""`tidewaiter completion SHELL`: the completions of a shell, made from the very parser."""

import argparse
from typing import Final

from tidewaiter.cli.exit import Exit
from tidewaiter.cli.parser import Verbs
from tidewaiter.i18n import _

_SHELLS: Final = ("bash", "zsh", "tcsh")


def register(verbs: Verbs) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("completion", help=_("print completions for a shell"))
    parser.add_argument(
        "shell",
        choices=_SHELLS,
        metavar=_("SHELL"),
        help=_("the shell that will read them: {shells}").format(shells=", ".join(_SHELLS)),
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Exit:
    """Print the script: `eval "$(tidewaiter completion bash)"` uses it."""
    import shtab  # noqa: PLC0415  # see verbs.py

    from tidewaiter.cli import build_parser  # noqa: PLC0415  # the frame imports the verbs

    print(shtab.complete(build_parser(), args.shell))
    return Exit.GOOD
