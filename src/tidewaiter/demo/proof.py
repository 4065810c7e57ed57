"""Prove that no input attacks, in the positions that the demo runs, while the demo runs: in processes beside it."""

import os
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from tidewaiter.demo.leaving import leave_with
from tidewaiter.i18n import _, spoken
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, Position, Positions
from tidewaiter.report.demonstration import Proof
from tidewaiter.report.not_covered import not_covered
from tidewaiter.smuggling.ours import Ours
from tidewaiter.smuggling.proof import ProofError, compose, prove_classes, prove_cuts, prove_ends, prove_written

DEPTH: Final = 4
"""Bytes of the longest word that is cut here; the tests go to 7, which takes minutes."""
SAFE: Final = "safe"
WITHIN_SIZE: Final = "safe within its size limit"
UNSAFE: Final = "unsafe behind any writer"


@dataclass(frozen=True, slots=True)
class Case:
    """One setting of the gateway to prove."""

    positions: Positions
    counted: bool


@dataclass(frozen=True, slots=True)
class Proved:
    """What came of one."""

    bytes_compared: int
    words_compared: int
    verdicts: tuple[tuple[str, str], ...]
    """Row and verdict."""
    broken: tuple[str, ...]


def cases() -> tuple[Case, ...]:
    """The defaults for strangers and every position, for DATA and for BDAT."""
    every = [Positions(one, one, one) for one in Position]
    data, bdat = [STRANGERS_DATA, *every], [STRANGERS_BDAT, *every]
    return (*(Case(one, counted=False) for one in data), *(Case(one, counted=True) for one in bdat))


def stand_back(demo: int) -> None:
    """Begin a process of the proof: last in turn, and deaf to Ctrl-C and to what our loop listens to."""
    os.nice(5)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    leave_with(demo)


def prove(case: Case) -> Proved:
    """Prove one case: pure work, for a process of its own."""
    ours = Ours(case.positions, counted=case.counted)
    try:
        compared, words = prove_classes(ours), prove_cuts(ours, DEPTH)
        prove_ends(ours)
        if Position.NOTE not in {case.positions.bare_lf, case.positions.bare_cr, case.positions.nul}:
            prove_written(ours)
    except ProofError as error:
        return Proved(0, 0, (), (spoken(error.sentence),))
    found = [(each.row, each.verdict) for each in compose(ours, dialects().values())]
    broken = tuple(f"{row}: {_word(verdict)}" for row, verdict in found if verdict not in {SAFE, WITHIN_SIZE, UNSAFE})
    return Proved(compared, words, tuple(found), broken)


def _word(verdict: str) -> str:
    return _("an attack") if verdict == "attack" else _("could not tell")


def gathered(proved: Iterable[Proved]) -> Proof:
    """Put the cases together: a row counts as safe only where it is safe in every one."""
    every = tuple(proved)
    verdicts = {row: frozenset(_of(row, every)) for one in every for row, _verdict in one.verdicts}
    return Proof(
        positions=len(every),
        bytes_compared=sum(one.bytes_compared for one in every),
        words_compared=sum(one.words_compared for one in every),
        depth=DEPTH,
        safe=tuple(row for row, said in verdicts.items() if said == {SAFE}),
        within_size=tuple(row for row, said in verdicts.items() if WITHIN_SIZE in said and said <= {SAFE, WITHIN_SIZE}),
        unsafe=tuple(row for row, said in verdicts.items() if UNSAFE in said),
        broken=tuple(reason for one in every for reason in one.broken),
        not_covered=(
            *not_covered(),
            _("what takes minutes: mixed positions are in make test, words of 7 bytes in make soak"),
        ),
    )


def _of(row: str, proved: Iterable[Proved]) -> Iterator[str]:
    return (verdict for one in proved for name, verdict in one.verdicts if name == row)
