"""A next hop at every moment gives every answer, beside every company: what is promised holds each time.

`walk` lists the runs, `checks` the properties, `moments` and `company` what there is.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import islice

import pytest

from tests.conftest import Count
from tests.exploration import walk
from tests.exploration.checks import CHECKS
from tests.exploration.company import COMPANY, DRESSES
from tests.exploration.moments import ANSWERS, Moment, Step, answers
from tests.exploration.stage import play
from tests.exploration.world import Run

M = Moment
PARTS = 8
"""Tests among which the runs are divided, for as many processors."""
TOLD = 3
"""Failing runs that are told at length."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def hold(runs: Iterable[Run]) -> None:
    """Hold each run to every property."""
    broken: Counter[str] = Counter()
    texts: list[str] = []
    for run in runs:
        found = walk.complaints(run)
        broken.update(found)
        if found and len(texts) < TOLD:
            texts.append(walk.told(run, found))
    assert not broken, "\n\n".join([str(dict(broken)), *texts])


@pytest.mark.parametrize("part", range(PARTS))
def test_every_moment_answer_and_company(part: int, count: Count) -> None:
    number = sum(1 for _ in walk.each_once())
    count("next hop: every moment, answer and company; runs", number, number)
    hold(islice(walk.each_once(), part, None, PARTS))


@pytest.mark.parametrize("dress", DRESSES)
def test_ordered_pairs(dress: str, count: Count) -> None:
    number = sum(1 for _ in walk.pairs(DRESSES[dress]))
    wanted = count(f"next hop: ordered pairs, {dress}", 100, 100)
    hold(islice(walk.pairs(DRESSES[dress]), 0, None, number // wanted))


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_every_ordered_pair_once(part: int, count: Count) -> None:
    number = sum(1 for _ in walk.each_pair_once())
    count("next hop: ordered pairs, each once; runs", 0, number)
    hold(islice(walk.each_pair_once(), part, None, PARTS))


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_every_moment_answer_and_company_in_every_dress(part: int, count: Count) -> None:
    number = sum(1 for _ in walk.singles())
    count("next hop: every moment, answer, company and dress, once and for ever; runs", 0, number)
    hold(islice(walk.singles(), part, None, PARTS))


def test_the_same_script_gives_the_same_run() -> None:
    def once() -> list[str]:
        run = play(Run(DRESSES["pipelining"], COMPANY["others waiting"], (Step(Moment.RCPT, ANSWERS["FIN"]),)))
        return [f"{heard}".partition("Ok: ")[0] for client in run.clients for heard in client.heard]

    assert once() == once()


def test_each_moment_and_answer_is_met() -> None:
    met: set[tuple[Moment, str]] = set()
    for dress in ("large", "large chunk", "TLS may", "XCLIENT"):
        new = [step for step in walk.steps(DRESSES[dress].moments) if (step.moment, step.answer.name) not in met]
        for step in new:
            run = Run(DRESSES[dress], COMPANY["one who regrets" if step.moment is Moment.RSET else "nobody"], (step,))
            play(run)
            met |= {(fired.step.moment, fired.step.answer.name) for fired in run.program.fired}
    every = {(step.moment, step.answer.name) for step in walk.steps(tuple(Moment))}
    assert every - met == set()


EXAMPLES = {
    "every client hears an answer in time": ("pipelining", "nobody", M.DOT, "silence"),
    "no exception is left in a callback": ("large", "nobody", M.CONTENT, "5xx"),
    "a permanent answer is one that a next hop gave": ("pipelining", "nobody", M.MAIL, "530"),
    "what a next hop answers is what the client hears": ("large chunk", "nobody", M.CHUNK_BEFORE, "5xx"),
    "no message is delivered twice": ("pipelining", "nobody", M.DOT, "FIN"),
    "250 is said of what was taken, and of nothing else": ("large", "nobody", M.CONTENT, "2xx"),
    "a reply before the end stops the writing and resets the connection": (
        "large chunk",
        "nobody",
        M.CHUNK_BEFORE,
        "4xx",
    ),
    "a reply that nobody asked for spends the connection": ("pipelining", "a warm pool", M.IDLE, "2xx"),
    "where nothing is wrong with the message, it is delivered": ("pipelining", "nobody", M.RCPT, "FIN"),
    "a good address or hop is found while the client waits": (
        "pipelining",
        "a second address",
        M.CONNECT,
        "swallow, for ever",
    ),
    "when all that went wrong is over, mail goes through": ("pipelining", "nobody", M.GREETING, "FIN"),
    "the worker leaves when it is told to": ("pipelining", "the client resets", M.DATA, "silence"),
    "nothing is left when all is over": ("pipelining", "a warm pool", M.RCPT, "FIN"),
    "the log says which hop, at which moment, with which reply": ("pipelining", "nobody", M.DATA, "4xx"),
}
"""One run for each property, which a plant in `tests/plants/exploration-*.toml` breaks in it."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_property_holds_in_its_example(name: str) -> None:
    dress, company, moment, answer = EXAMPLES[name]
    answer, forever, _ = answer.partition(", for ever")
    run = Run(DRESSES[dress], COMPANY[company], (Step(moment, answers(moment)[answer]),), forever=bool(forever))
    found = walk.complaints(run)
    assert name not in found, walk.told(run, found)


def test_every_property_has_its_example() -> None:
    assert set(EXAMPLES) == set(CHECKS)
