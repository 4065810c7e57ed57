"""`tidewaiter run --config FILE`: the gateway, until it is told to stop."""

import argparse
import os
import sys
from pathlib import Path

from tidewaiter.cli.exit import Exit
from tidewaiter.cli.parser import Verbs
from tidewaiter.i18n import _, spoken


def register(verbs: Verbs) -> None:
    """Describe the verb."""
    parser = verbs.add_parser("run", help=_("carry mail: be the gateway that a configuration describes"))
    parser.add_argument("--config", metavar=_("FILE"), type=Path, required=True, help=_("the configuration, in TOML"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Exit:
    """Serve until SIGTERM; SIGHUP reads the configuration again."""
    from tidewaiter.config import ConfigError  # noqa: PLC0415  # see verbs.py
    from tidewaiter.gateway.error import StartError  # noqa: PLC0415  # see verbs.py
    from tidewaiter.gateway.supervisor import Supervisor  # noqa: PLC0415  # see verbs.py

    try:
        supervisor = Supervisor(args.config, os.environ)
    except ConfigError as error:
        print(*[mistake.said(_) for mistake in error.mistakes], sep="\n", file=sys.stderr)
        return Exit.USAGE
    except StartError as error:
        print(spoken(error.sentence), file=sys.stderr)
        return Exit.USAGE
    return Exit(supervisor.run())
