"""What machine is this server, mode by mode, as far as it can be told?"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from tidewaiter.lab.asker import Asker, Manner, manner
from tidewaiter.lab.learner import learn
from tidewaiter.lab.modes import BODY, LARGEST, Mode
from tidewaiter.lab.target import WAYS, WAYS_IN_WORDS, Target, UntoldError, Way
from tidewaiter.lab.words import CATALOGUE
from tidewaiter.lines.symbol import visible
from tidewaiter.lines.table import WORDS, Table
from tidewaiter.model.sentence import Sentence

PATIENT: Final = 4
"""A paced question mostly waits, so that many times more of them run side by side."""

Progress = Callable[[Mode, int], None]
"""Told the mode and the number of sessions so far."""


@dataclass(frozen=True, slots=True)
class Learned:
    """One mode of one server."""

    mode: Mode
    table: Table
    way: Way
    checked: Way | None
    """Another way in which the catalogue was asked, with the same answers; None where no other way tells."""
    sessions: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Untold:
    """A mode of which nothing can be said, and why."""

    mode: Mode
    why: Sentence


@dataclass(frozen=True, slots=True)
class Asking:
    """Whom to ask and how."""

    target: Target
    runner: asyncio.Runner
    way: Way | None = None
    """None finds out how the server can be asked."""
    progress: Progress = lambda *_: None


def learn_all(asking: Asking, modes: Iterable[Mode]) -> list[Learned | Untold]:
    """Learn a server in each mode; raises UntoldError where it cannot be asked at all."""
    found: list[Learned | Untold] = []
    how = asking.runner.run(manner(asking.target, asking.way))
    for mode in modes:
        try:
            found.append(_learned(asking, how, mode))
        except UntoldError as error:
            found.append(Untold(mode, error.sentence))
    return found


def _learned(asking: Asking, how: Manner, mode: Mode) -> Learned:
    began = time.monotonic()
    asker = asker_for(asking.target, how, mode)
    asker.progress = partial(asking.progress, mode)
    table = learn(asker, asking.runner)
    checked = asking.runner.run(_checked(asking.target, how.way, table)) if mode is BODY else None
    return Learned(mode, table, how.way, checked, asker.asked, time.monotonic() - began)


def asker_for(target: Target, how: Manner, mode: Mode) -> Asker:
    """Prepare to ask in one mode; raises UntoldError where its size limit is out of reach."""
    if mode.oversize and not how.limit:
        raise UntoldError(Sentence("the server names no size limit"))
    if mode.oversize and how.limit and how.limit > LARGEST:
        raise UntoldError(
            Sentence(
                "its size limit is {limit} octets; lower it to {most} or less on a server for tests",
                limit=how.limit,
                most=LARGEST,
            )
        )
    patient = replace(target, side_by_side=target.side_by_side * PATIENT) if how.way == "paced" else target
    return Asker(patient, how, mode.opening(how.limit or 0))


async def _checked(target: Target, way: Way, table: Table) -> Way | None:
    """Ask the catalogue another way; raises UntoldError where that tells another story."""
    for other in (each for each in WAYS if each != way):
        try:
            how = await manner(target, other)
        except UntoldError:
            continue
        said = await asker_for(target, how, BODY).say_all(sorted(CATALOGUE, key=len), table.says)
        for word, answer in said.items():
            if answer != table.says(word):
                raise UntoldError(
                    Sentence(
                        "{word} is {said} when {way}, and {answer} when {other}",
                        word=visible(word),
                        said=WORDS[table.says(word)],
                        way=WAYS_IN_WORDS[way],
                        answer=WORDS[answer],
                        other=WAYS_IN_WORDS[other],
                    )
                )
        return other
    return None
