"""The whole demonstration, from nothing to a judgement: honest mail and every vector, without and with the gateway."""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal, TypeVar

from tidewaiter.demo import content, dialogue, honest, hop, missing, proof, sender
from tidewaiter.demo.configuration import INSIDE, MAILDIR, POSITIONS, STRANGERS
from tidewaiter.demo.stage import LOG, Stage, standing
from tidewaiter.i18n import _, spoken
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.sentence import Sentence
from tidewaiter.model.vector import ContentVector, DialogueVector
from tidewaiter.report.demonstration import Demonstration, Grid, Honest, Invitation, Proof, Trial

SIZE_LIMIT: Final = 2**20
"""Octets of a message, where no vector asks for another limit."""
WAYS: Final = {
    "inbound": Sentence("inbound"),
    "outbound": Sentence("outbound"),
    "session": Sentence("session"),
    "next hop": Sentence("next hop"),
    "maildir": Sentence("maildir"),
}
"""Which way something was sent, for a person."""
Told = Callable[[str, int, int], None]
"""Told of progress: which part, how many of it are done, and how many there are."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Plan:
    """What of the catalogue is sent which way."""

    data: tuple[ContentVector, ...]
    counted: tuple[ContentVector, ...]
    by_user: tuple[ContentVector, ...]
    """What a sender of lines can be given: it ends the last one, where a chunk may end anywhere."""
    dialogues: tuple[DialogueVector, ...]
    to_hops: tuple[DialogueVector, ...]

    @classmethod
    def of_catalogue(cls) -> "Plan":
        """All of it."""
        contents = tuple(one for one in vectors().values() if isinstance(one, ContentVector))
        dialogues = tuple(one for one in vectors().values() if isinstance(one, DialogueVector))
        return cls(
            tuple(one for one in contents if one.data),
            contents,
            tuple(one for one in contents if one.content.endswith(b"\r\n")),
            tuple(one for one in dialogues if one.side == "client"),
            tuple(one for one in dialogues if one.side == "next hop"),
        )

    @property
    def limits(self) -> set[int]:
        """The size limits that vectors are about."""
        return {one.size_limit or SIZE_LIMIT for one in self.dialogues}


@asynccontextmanager
async def stages(plan: Plan) -> AsyncIterator[dict[int, Stage]]:
    """One stage for each size limit, started side by side."""
    async with AsyncExitStack() as stack:
        starting = [
            stack.enter_async_context(standing(limit, plan.to_hops if limit == SIZE_LIMIT else ()))
            for limit in sorted(plan.limits)
        ]
        # All are waited for, also where one fails or Ctrl-C comes: each stops what it has started.
        standing_now = await asyncio.gather(*starting, return_exceptions=True)
        yield {limit: _up(one) for limit, one in zip(sorted(plan.limits), standing_now, strict=True)}


def _up(one: Stage | BaseException) -> Stage:
    if isinstance(one, BaseException):
        raise one
    return one


def invitation(stage: Stage) -> Invitation:
    """Tell where everything is that stays up."""
    return Invitation(
        folder=str(stage.folder),
        inbound=stage.inbound[STRANGERS],
        outbound=stage.outbound,
        alone=stage.alone.port,
        receiver=f"rcpt@{INSIDE}",
        maildir=f"rcpt@{MAILDIR}",
        kept=(str(stage.mail.folder), str(stage.written.folder), str(stage.alone.mail.folder)),
        log=str(stage.folder / LOG),
    )


async def show(stages: dict[int, Stage], plan: Plan, told: Told) -> Demonstration:
    """Run all of it: the proof beside the trials, and these one after the other.

    What is new in a mailbox belongs to the trial just made.
    """
    stage = stages[SIZE_LIMIT]
    loop = asyncio.get_running_loop()
    with provers() as pool:
        proving = [loop.run_in_executor(pool, proof.prove, case) for case in proof.cases()]
        mail = await _each(_("honest mail"), told, _honest(stage))
        trials = await _each(_("inbound"), told, [partial(content.inbound, stage, one) for one in plan.data])
        trials += await _each(_("outbound"), told, [partial(content.outbound, stage, one) for one in plan.by_user])
        trials += await _each(
            _("sessions"),
            told,
            [partial(dialogue.trial, stages[one.size_limit or SIZE_LIMIT], one) for one in plan.dialogues],
        )
        trials += await _each(_("next hops"), told, [partial(hop.trial, one, stage.outbound) for one in stage.hops])
        grids = await _each(_("other positions"), told, _grids(stage, plan))
        proved = await _each(_("proof"), told, [partial(_proved, one) for one in proving])
    shown = _judged(tuple(trials), tuple(mail), tuple(grids), proof.gathered(proved))
    complaints = [line for one in stages.values() for line in one.complaints()]
    return replace(shown, broken=(*shown.broken, *complaints))


@contextmanager
def provers() -> Iterator[ProcessPoolExecutor]:
    """Processes for the proof, which leave those of the demo their turn, and Ctrl-C to this one.

    Spawned: a fork would hold our connections open, and whoever waits for us to close one would wait for the proof.
    """
    spawning = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(mp_context=spawning, initializer=proof.stand_back, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


async def _each(part: str, told: Told, trials: Sequence[Callable[[], Awaitable[Result]]]) -> list[Result]:
    """Make the trials of one part."""
    found = []
    for number, one in enumerate(trials):
        told(part, number, len(trials))
        found.append(await one())
    told(part, len(trials), len(trials))
    return found


def _honest(stage: Stage) -> list[Callable[[], Awaitable[Honest]]]:
    return [partial(way, stage, kind) for way in honest.WAYS for kind in honest.KINDS]


def _grids(stage: Stage, plan: Plan) -> list[Callable[[], Awaitable[Grid]]]:
    """Every position that the trials have not been in."""
    data = [partial(_grid, stage, plan.data, position, "DATA") for position in POSITIONS if position != STRANGERS]
    return [*data, *(partial(_grid, stage, plan.counted, position, "BDAT") for position in POSITIONS)]


async def _grid(stage: Stage, sent: Iterable[ContentVector], position: str, command: Literal["DATA", "BDAT"]) -> Grid:
    passed = [(one.name, await content.raw(stage, one, position, counted=command == "BDAT")) for one in sent]
    broken = tuple(f"{name}: {reason}" for name, each in passed for reason in each.broken)
    return Grid(position, command, len(passed), broken)


async def _proved(one: Awaitable[proof.Proved]) -> proof.Proved:
    return await one


def _position(name: str) -> str:
    """The others are named by the value of the setting."""
    return _("strangers") if name == STRANGERS else name


def _judged(
    trials: tuple[Trial, ...], mail: tuple[Honest, ...], grids: tuple[Grid, ...], proved: Proof
) -> Demonstration:
    broken = [f"{spoken(WAYS[one.way])}, {one.vector}: {reason}" for one in trials for reason in one.broken]
    broken += [
        f"{spoken(WAYS[one.way])}, {spoken(honest.WORDS[one.kind])}: {reason}" for one in mail for reason in one.broken
    ]
    broken += [f"{_position(one.position)}, {one.command}, {reason}" for one in grids for reason in one.broken]
    broken += [*proved.broken]
    if not any(one.alone and one.alone.forged for one in trials):
        broken.append(_("the receiver alone was not split by anything, so nothing was shown"))
    return Demonstration(
        receiver=f"aiosmtpd {missing.receiver_version()}",
        sender=sender.name(),
        readers=sum(row.reader is not None for row in dialects().values()),
        trials=trials,
        honest=mail,
        grids=grids,
        proof=proved,
        broken=tuple(broken),
    )
