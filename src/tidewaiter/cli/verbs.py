"""Which verbs are there, and where does each live?

To add one:

1. Write `cli/VERB.py` with `register(verbs: Verbs) -> None`, which describes the arguments::

       def register(verbs: Verbs) -> None:
           parser = verbs.add_parser("inspect", help=_("show who would have been fooled"))
           parser.add_argument("file", type=Path)
           parser.add_format()
           parser.set_defaults(run=run)

   and `run(args: argparse.Namespace) -> Exit`, which does the work and prints the answer.
   `run` imports what it needs itself: `tidewaiter --help` must not wait for SQLAlchemy (a test holds that).
   What the user got wrong is `raise UsageError(_("…"))`: one line, exit code 2.
2. Add its module below: the order is the order of the help.
3. `make messages`, translate, `make docs`; the tests name what is missing.
"""

from importlib import import_module
from typing import Final

from tidewaiter.cli.parser import Verbs

MODULES: Final = ("run", "config", "demo", "dialect", "lab", "completion")


def register_all(verbs: Verbs) -> None:
    """Let each verb describe its arguments."""
    for name in MODULES:
        import_module(f"tidewaiter.cli.{name}").register(verbs)
