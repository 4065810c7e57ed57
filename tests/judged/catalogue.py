"""The catalogue's vectors as sessions: the only place of the judge's where anything of tidewaiter's is imported.

It is data that is taken from there, typed by hand: the bytes, the replies, the contents that are due.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.judged.talk import DATA, ENVELOPE, Case, Step
from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.vector import ContentVector, DialogueVector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidewaiter.model.vector import Outcomes

POSITIONS: Final = ("strangers", "note", "repair", "refuse")
SIZE_LIMIT: Final = 65_536
"""Octets of the gateway's message size limit, the smallest it may have; the vectors that pass a limit pass 1,024."""
FILLER: Final = b"\r\n" + b"x" * 508 + b"\r\n" + (b"x" * 510 + b"\r\n") * ((SIZE_LIMIT - 1024) // 512 - 1)
"""What lies between; an empty line comes first, so that no limit of the header section is passed."""


def cases(position: str) -> Iterator[Case]:
    """Give every vector that a client sends and that says what must come of it in `position`."""
    for vector in vectors().values():
        if isinstance(vector, ContentVector):
            for verb, outcomes in (("DATA", vector.data), ("BDAT", vector.bdat)):
                if outcomes:
                    yield _content(vector, verb, outcomes, position)
        elif vector.side == "client" and position in vector.positions:
            yield _dialogue(vector)


def sliced(case: Case) -> Iterator[Case]:
    """Give the case whole, then with one cut at each place beside a CR, LF or dot of its own bytes."""
    yield case
    for place, step in enumerate(case.steps):
        if step.send is FILLER or step in ENVELOPE:  # not of the vector; `FILLER` begins with its like
            continue
        for cut in _places(step):
            steps = (*case.steps[:place], replace(step, cut=cut), *case.steps[place + 1 :])
            yield replace(case, name=f"{case.name}, cut in {step.send[max(0, cut - 3) : cut + 3]!r}", steps=steps)


def _places(step: Step) -> Iterator[int]:
    for cut in range(1, len(step.send)):
        beside = set(step.send[cut - 1 : cut + 1]) & set(b"\r\n.")
        if beside and not (step.together and step.send[cut - 1 : cut] == b"\n"):
            yield cut


def _content(vector: ContentVector, verb: str, outcomes: Outcomes, position: str) -> Case:
    outcome = getattr(outcomes, position)
    counted = verb == "BDAT"
    wire = b"BDAT %d LAST\r\n%s" % (len(vector.content), vector.content) if counted else vector.content + b".\r\n"
    last = Step(wire, (outcome.reply,), closed=outcome.closed)
    steps = (*ENVELOPE, *(() if counted else (DATA,)), last)
    return Case(f"{vector.name} by {verb}", steps, () if outcome.delivered is None else (outcome.delivered,))


def _dialogue(vector: DialogueVector) -> Case:
    steps = [Step(each.send, each.expect, each.tls, each.closed, each.together) for each in vector.steps]
    if vector.size_limit:
        steps = [*_up_to_the_limit(steps)]
    return Case(vector.name, tuple(steps), tuple(each.content for each in vector.deliveries), early=vector.early)


def _up_to_the_limit(steps: list[Step]) -> Iterator[Step]:
    """Send what lies between the vector's limit and the gateway's first, behind 354 or as a chunk of its own."""
    begun = False
    for step in steps:
        if step.send.startswith(b"BDAT") and not begun:
            yield Step(b"BDAT %d\r\n%s" % (len(FILLER), FILLER), ("250",))
            begun = True
        yield step
        if step.expect == ("354",):
            yield Step(FILLER, ())
            begun = True
