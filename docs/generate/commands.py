"""The reference of the command line: the help of every verb, as the parser prints it."""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

from tidewaiter.cli import build_parser

_PLAIN: Final = {"LANGUAGE": "en", "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}

_LEAD = """\
# Commands

Written from the command line's own parser by `make docs`.

Each verb ends with one of these codes: 0 good, 1 bad news, 2 the command line or a file is wrong, 3 could not tell, 4 a fault of ours.
Could not tell never means good.
`--lang es` or a Spanish `LANG` makes it speak Spanish.
"""


@contextmanager
def plainly() -> Iterator[None]:
    """English and 100 columns wide, whatever the terminal is."""
    with patch.dict(os.environ, _PLAIN):
        yield


def page() -> str:
    """Write the page."""
    with plainly():
        helps = [(parser.prog, plain_help(parser)) for parser in parsers(build_parser())]
    return _LEAD + "".join(f"\n## {name}\n\n```text\n{text}```\n" for name, text in helps)


def plain_help(parser: argparse.ArgumentParser) -> str:
    """Give the help without trailing spaces."""
    return "\n".join(line.rstrip() for line in parser.format_help().strip().splitlines()) + "\n"


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Give a parser and those of its verbs."""
    yield parser
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to its verbs
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  # as above
            for verb in action.choices.values():
                yield from parsers(verb)
