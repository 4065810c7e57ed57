"""`tidewaiter demo`: what SMTP smuggling is, and that the gateway stops it, with real programs on loopback."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING

from tidewaiter.cli.exit import Exit, UsageError
from tidewaiter.cli.parser import Verbs
from tidewaiter.i18n import _

if TYPE_CHECKING:
    from rich.progress import TaskID

    from tidewaiter.demo.show import Told
    from tidewaiter.report.demonstration import Demonstration, Invitation


def register(verbs: Verbs) -> None:
    """Describe the verb."""
    parser = verbs.add_parser(
        "demo",
        help=_("show what smuggling is, and that the gateway stops it"),
        description=_(
            "Real programs on loopback; nothing leaves this machine. Exit codes: 0 every promise held, 1 not."
        ),
    )
    parser.add_argument("--once", action="store_true", help=_("end when everything has been shown"))
    parser.add_format()
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> Exit:
    """Show it; then, on a terminal, stay up until Ctrl-C, unless once is enough."""
    from tidewaiter.demo.missing import MissingError, check  # noqa: PLC0415  # see verbs.py

    try:
        check()
    except MissingError as error:
        raise UsageError(str(error)) from None
    from tidewaiter.demo.stage import StageError  # noqa: PLC0415  # needs what has just been checked

    outcome = _Outcome()
    try:
        asyncio.run(_show(args, outcome))
    except StageError as error:
        raise UsageError(str(error)) from None
    except (KeyboardInterrupt, asyncio.CancelledError):  # Ctrl-C, or SIGTERM
        if outcome.shown is None:
            raise KeyboardInterrupt from None
    assert outcome.shown is not None
    return Exit.GOOD if outcome.shown.held else Exit.BAD


class _Outcome:
    """What was shown, which outlives Ctrl-C."""

    shown: "Demonstration | None" = None


async def _show(args: argparse.Namespace, outcome: _Outcome) -> None:
    from tidewaiter.demo.show import SIZE_LIMIT, Plan, invitation, show, stages  # noqa: PLC0415  # see verbs.py

    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    plan = Plan.of_catalogue()
    async with AsyncExitStack() as stack:
        with _progress() as told:
            told(_("starting"), 0, 1)
            standing = await stack.enter_async_context(stages(plan))
            told(_("starting"), 1, 1)
            outcome.shown = await show(standing, plan, told)
        _print(args, outcome.shown)
        if not args.once and _on_a_terminal():
            _invite(args, invitation(standing[SIZE_LIMIT]))
            await asyncio.Event().wait()  # until Ctrl-C, or SIGTERM


def _on_a_terminal() -> bool:
    """Tell whether somebody is there to read the invitation and to press Ctrl-C: a script would wait for ever."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


@contextmanager
def _progress() -> "Iterator[Told]":
    """Show on a terminal how far each part is."""
    from rich.console import Console  # noqa: PLC0415  # see verbs.py
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415  # see verbs.py

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bars:
        parts: dict[str, TaskID] = {}

        def told(part: str, done: int, count: int) -> None:
            if part not in parts:
                parts[part] = bars.add_task(part)
            bars.update(parts[part], completed=done, total=count)

        yield told


def _print(args: argparse.Namespace, shown: "Demonstration") -> None:
    from rich.console import Console  # noqa: PLC0415  # see verbs.py

    from tidewaiter.report import data, text  # noqa: PLC0415  # see verbs.py

    if args.format == "json":
        print(data.demonstration(shown), flush=True)
    else:
        Console(highlight=False).print(text.demonstration(shown))


def _invite(args: argparse.Namespace, there: "Invitation") -> None:
    """Say it to the person, also where a program reads standard output."""
    from rich.console import Console  # noqa: PLC0415  # see verbs.py

    from tidewaiter.report.invitation import invitation as written  # noqa: PLC0415  # see verbs.py

    # Commands are to be copied, so no line of them may be broken.
    Console(stderr=args.format == "json", highlight=False, soft_wrap=True).print(written(there))
