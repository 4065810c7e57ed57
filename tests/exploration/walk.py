"""All runs that there are, in one order; and what a failing one tells a reader."""

from collections.abc import Iterator
from itertools import product

from tests.exploration.checks import CHECKS
from tests.exploration.company import COMPANY, DRESSES, Dress
from tests.exploration.moments import Moment, Step, answers
from tests.exploration.stage import play
from tests.exploration.world import Run

Complaints = dict[str, list[str]]


def steps(moments: tuple[Moment, ...]) -> list[Step]:
    """Every moment with every answer."""
    return [Step(moment, answer) for moment in moments for answer in answers(moment).values()]


def singles() -> Iterator[Run]:
    """Every moment, answer, dress and company, once and for ever."""
    for dress, company in product(DRESSES.values(), COMPANY.values()):
        for step in steps(dress.moments):
            yield Run(dress, company, (step,))
            yield Run(dress, company, (step,), forever=True)


def each_once() -> Iterator[Run]:
    """Every moment, answer and company; the dresses that have the moment take turns."""
    for number, (company, moment) in enumerate(product(COMPANY.values(), Moment)):
        wearing = [dress for dress in DRESSES.values() if moment in dress.moments]
        for turn, step in enumerate(steps((moment,))):
            yield Run(wearing[(number + turn) % len(wearing)], company, (step,), forever=(number + turn) % 5 == 4)


def pairs(dress: Dress) -> Iterator[Run]:
    """Every ordered pair of moment and answer, in a pool of one message's age."""
    every = steps(dress.moments)
    for one, other in product(every, every):
        yield Run(dress, COMPANY["a warm pool"], (one, other))


def each_pair_once() -> Iterator[Run]:
    """Every ordered pair of moment and answer; the dresses that have both moments take turns."""
    every = steps(tuple(Moment))
    for number, (one, other) in enumerate(product(every, every)):
        wearing = [dress for dress in DRESSES.values() if {one.moment, other.moment} <= set(dress.moments)]
        if wearing:
            yield Run(wearing[number % len(wearing)], COMPANY["a warm pool"], (one, other))


def complaints(run: Run) -> Complaints:
    """Play it, and hold it to every property."""
    return judged(play(run))


def judged(run: Run) -> Complaints:
    """Hold a run to every property: the complaints of each that is broken."""
    return {name: found for name, check in CHECKS.items() if (found := list(check(run)))}


def told(run: Run, found: Complaints) -> str:
    """Tell what was wrong, and all that was said, for a reader."""
    lines = [str(run), ""]
    lines += [f"* {name}: {complaint}" for name, each in found.items() for complaint in each]
    for client in run.clients:
        gone = f", who {client.gone.value}" if client.gone else ""
        lines += ["", f"{client.message.subject}{gone}"]
        lines += [f"{one.asked:9.3f} {one.command:44} {one.replied:9.3f} {one.reply!r}" for one in client.heard]
        lines += [f"          waits: {client.waits}"] if client.waits else []
    for talk in (talk for hop in run.hops for talk in hop.talks):
        lines += [
            "",
            f"our connection to {talk.hop.name}, ended by {(talk.far and talk.far.ended) or 'the other side'}",
        ]
        seen = talk.far.seen if talk.far is not None else []
        lines += [f"{one.time:9.3f} {one.way} {_short(one.what)}" for one in seen]
    return "\n".join([*lines, "", *map(str, run.log)])


def _short(data: bytes) -> str:
    return repr(data) if len(data) <= 200 else f"{data[:100]!r} … {data[-40:]!r} ({len(data)})"
