"""Mutants drawn by a seed: mutmut's own small bugs in a package, a few of all that there are.

Each package is drawn from by itself, so that what changes in one does not change what is drawn from another.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import Mutation, create_mutations

from tests.mutation import ROOT

SOURCE: Final = ROOT / "src/tidewaiter"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug: a file with one small thing changed."""

    path: str
    first: int
    """Its first line in the file, and its last."""
    last: int
    old: str
    """The lines that are changed, and what they become."""
    new: str
    code: str
    """The whole file, changed."""

    @property
    def name(self) -> str:
        """Tell it from every other."""
        return f"{self.path}:{self.first}\n-{self.old}\n+{self.new}"


def drawn(packages: list[str], count: int, seed: int) -> dict[str, tuple[int, Iterator[Mutant]]]:
    """Draw mutants by a seed: from each package its share of `count`, and all there are of it in the order drawn."""
    everywhere = {package: _mutations(package) for package in packages}
    total = sum(map(len, everywhere.values()))
    shares = {package: round(count * len(found) / total) for package, found in everywhere.items()}
    return {package: (shares[package], _shuffled(found, package, seed)) for package, found in everywhere.items()}


def _shuffled(found: list[tuple[Path, int]], package: str, seed: int) -> Iterator[Mutant]:
    Random(f"{seed} {package}").shuffle(found)  # noqa: S311 - no secret
    return (_mutant(*each) for each in found)


def _mutations(package: str) -> list[tuple[Path, int]]:
    files = sorted(file for file in (SOURCE / package).rglob("*.py"))
    return [(file, number) for file in files for number in range(len(_created(file)[1]))]


@cache
def _created(file: Path) -> tuple[libcst.Module, list[Mutation]]:
    """Give what mutmut would plant in the functions and classes of a file; equal files give equal lists."""
    module, mutations, _, _ = create_mutations(str(file), file.read_text(encoding="utf-8"))
    return module, [each for each in mutations if each.contained_by_top_level_function is not None]


def _mutant(file: Path, number: int) -> Mutant:
    module, mutations = _created(file)
    chosen = mutations[number]
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    place = wrapper.resolve(PositionProvider)[chosen.original_node]
    changed = module.deep_replace(chosen.original_node, chosen.mutated_node)
    assert isinstance(changed, libcst.Module)
    old, new = _differing(module.code, changed.code)
    return Mutant(
        str(file.relative_to(ROOT)),
        place.start.line,
        place.end.line,
        old,
        new,
        changed.code,
    )


def _differing(before: str, after: str) -> tuple[str, str]:
    """Give the lines in which two texts differ, without what is equal before and behind them."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return "\n".join(old), "\n".join(new)
