"""The manual page, from the parser; installed by the wheel as share/man/man1/tidewaiter.1."""

from argparse_manpage.manpage import Manpage

from docs.generate.commands import plainly
from tidewaiter.cli import build_parser


def page() -> str:
    """Write the page, with no date in it, so that the same code gives the same page."""
    with plainly():
        parser = build_parser()
        manual = Manpage(parser, _data={"manual_title": "Tidewaiter"}, format="single-commands-section")
        manual.description = parser.description
        manual.date = ""
        return str(manual)
