"""What the rounds came to, as a table that a person reads: medians, spread, ratios, and what was wanted."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.rows import Need, Row, Sample

Rounds = Mapping[str, Sequence[Sample]]
"""Every round of one row, by peer."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One need, and what came of it."""

    need: Need
    figure: float

    @property
    def met(self) -> bool:
        """Tell whether it is met."""
        return self.need.least <= self.figure <= self.need.most

    def __str__(self) -> str:
        """Write it in a few words."""
        what = f"{self.need.unit} ÷ {self.need.than}" if self.need.than else self.need.unit
        if not self.need.least and math.isinf(self.need.most):
            return f"measured: {what} {self.figure:.2f}"
        wanted = f"≥ {self.need.least:g}" if self.need.least else f"≤ {self.need.most:g}"
        return f"{'met' if self.met else 'NOT met'}: {what} {self.figure:.2f} (wanted {wanted})"


def judge(row: Row, rounds: Rounds) -> list[Judged]:
    """Compare a row with what it must show."""
    return [Judged(need, _figure(need, rounds, row.peers[0])) for need in row.needs]


def _figure(need: Need, rounds: Rounds, us: str) -> float:
    ours = median(rounds[us], need.unit)
    return ours / median(rounds[need.than], need.unit) if need.than else ours


def median(samples: Sequence[Sample], unit: str) -> float:
    """Give the median of all rounds."""
    return statistics.median(sample[unit] for sample in samples)


def markdown(row: Row, rounds: Rounds) -> str:
    """Write one row as a section: a line for each peer and unit, then what was wanted."""
    lines = [f"## {row.name}", "", "| peer | unit | median | least | most |", "|---|---|---|---|---|"]
    for peer, samples in rounds.items():
        for unit in samples[0]:
            values = [sample[unit] for sample in samples]
            lines.append(f"| {peer} | {unit} | {median(samples, unit):.1f} | {min(values):.1f} | {max(values):.1f} |")
    return "\n".join([*lines, "", *(f"- {judged}" for judged in judge(row, rounds)), ""])
