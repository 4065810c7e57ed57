"""How many mutants of a sample do the tests kill, and by an assertion?

`python -m tests.mutation --sample 300 --seed 14 store lab …`, on the source, outside CI, for as long as it takes.
Which tests walk a line is found out first, in one run of all quick tests under coverage; a mutant is tried by those
alone, its package's own first.  What was found is kept in `mutants/sample/`, so that a run that was ended goes on.

How a mutant ended: `assertion` (a statement of a test said no), `exception` (the code broke down under a test, which no
assertion saw), `timeout`, `survived`, or `unwalked` (no test comes by).  One that mypy refuses is `types`: `make check`
refuses it too before any test runs, so that it is not counted, and another one is drawn.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

import coverage

from tests.mutation import ROOT, Survivor, unexplained
from tests.mutation.draw import SOURCE, Mutant, drawn

KEPT: Final = ROOT / "mutants/sample"
MARKED: Final = ("-m", "not peers and not slow and not soak", "--ignore=tests/plants", "--ignore=tests/mutation")
SAME: Final = ("-p", "no:randomly", "-p", "no:xdist", "--hypothesis-seed=0", "--hypothesis-profile=planted")
SECONDS: Final = 240.0
"""For one mutant; of the tests that walk it, those that fit into a third of that on an unchanged tree."""
FAILURES: Final = 25
"""Tests that may break down before it is given up to find one that says no."""
NO_TYPES: Final = frozenset({"unreachable", "unused-ignore", "redundant-expr", "redundant-cast", "truthy-bool"})
"""What mypy says of code that is odd, and not of a value that cannot be what it should."""


def sample(packages: list[str], count: int, seed: int) -> bool:
    """Try each mutant that is drawn, and say how each ended; whether every survivor has a reason."""
    KEPT.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(KEPT / "tree", ignore_errors=True)  # a run that was killed has left its mutant in it
    ended: dict[Mutant, str] = {}
    walks = Walks()
    for share, mutants in drawn(packages, count, seed).values():
        left = share
        while left:
            mutant = next(mutants)
            ended[mutant] = _remembered(mutant, walks)
            left -= ended[mutant] != "types"
            print(f"{len(ended)} {ended[mutant]}: {mutant.name}\n", flush=True)
    return _told(ended, seed)


def _told(ended: dict[Mutant, str], seed: int) -> bool:
    how = Counter(ended.values())
    tried = max(1, how.total() - how["types"])
    alive = [Survivor(each.path, each.old, each.new) for each, end in ended.items() if end in ("survived", "unwalked")]
    without = unexplained(alive)
    print(f"{tried} mutants by seed {seed} that mypy lets pass, of {len(ended)} drawn: {dict(how)}")
    print(
        f"{100 * how['assertion'] / tried:.1f} % killed by an assertion, {100 * (1 - len(alive) / tried):.1f} % killed"
    )
    for each in without:
        print(f"{each.path}\n-{each.old}\n+{each.new}\n")
    print(f"{len(without)} survived without a reason")
    return not without


class Walks:
    """Which tests walk which lines."""

    def __init__(self) -> None:
        """Find it out, where it was not before."""
        self._data, took = KEPT / "coverage", KEPT / "took.json"
        if not took.exists():
            watched = ["coverage", "run", f"--source={SOURCE}", f"--data-file={self._data}", "-m", "pytest"]
            marked = [*SAME, *MARKED, "-p", "tests.mutation.watch", f"--took={took}"]
            subprocess.run([sys.executable, "-m", *watched, *marked], cwd=ROOT, check=False, capture_output=True)
        self._took: dict[str, float] = json.loads(took.read_text(encoding="utf-8"))
        self._read = coverage.CoverageData(self._data)
        self._read.read()

    def of(self, mutant: Mutant) -> list[str]:
        """Give the tests that walk it, its package's own and the quick ones first, as far as there is time for them."""
        by_line = self._read.contexts_by_lineno(str(ROOT / mutant.path))
        walking = {name for line in range(mutant.first, mutant.last + 1) for name in by_line.get(line, ())}
        own = f"tests/{Path(mutant.path).parent.name}/"
        found = [name for name in walking if name in self._took]
        found.sort(key=lambda name: (not name.startswith(own), self._took[name]))
        return [name for at, name in enumerate(found) if sum(map(self._took.__getitem__, found[:at])) < SECONDS / 3]


def _remembered(mutant: Mutant, walks: Walks) -> str:
    file = KEPT / "ended.json"
    ended = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if mutant.name not in ended:
        ended = {**ended, mutant.name: _tried(mutant, walks.of(mutant))}
        file.write_text(json.dumps(ended, indent=1), encoding="utf-8")
    return str(ended[mutant.name])


def _tried(mutant: Mutant, tests: list[str]) -> str:
    """Plant it in a copy of the tree, and let the tests that walk it judge."""
    tree = _copied()
    file = tree / mutant.path
    before = file.read_text(encoding="utf-8")
    file.write_text(mutant.code, encoding="utf-8")
    try:
        if _is_refused(tree, mutant.path):
            return "types"
        return _judged(tree, tests) if tests else "unwalked"
    finally:
        file.write_text(before, encoding="utf-8")


def _is_refused(tree: Path, path: str) -> bool:
    """Whether mypy says that a value cannot be what it should be."""
    mypy = [sys.executable, "-m", "mypy", "--no-pretty", "--show-error-codes", "--hide-error-context", "src/tidewaiter"]
    said = subprocess.run(mypy, cwd=tree, capture_output=True, text=True, check=False).stdout
    found = [line for line in said.splitlines() if line.startswith(path) and ": error: " in line]
    return any(not any(line.endswith(f"[{code}]") for code in NO_TYPES) for line in found)


def _copied() -> Path:
    tree = KEPT / "tree"
    if not tree.exists():
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "mutants", "dist", "state"))
    return tree


def _judged(tree: Path, tests: list[str]) -> str:
    verdict = KEPT / "verdict.json"
    verdict.unlink(missing_ok=True)
    path = f"{tree / 'src'}{os.pathsep}{tree}"
    command = [sys.executable, "-m", "pytest", "-q", *SAME, f"--maxfail={FAILURES}", "-p", "tests.plants.verdict",
               f"--verdict={verdict}", "--until-one-says-no", f"--timeout={SECONDS / 4}", *tests]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "timeout"
    if not verdict.exists():
        return "exception"
    words = set(json.loads(verdict.read_text(encoding="utf-8")).values()) - {"passed", "skipped"}
    if "assertion" in words or not words:
        return "assertion" if words else "survived"
    return "timeout" if any("Timeout" in word for word in words) else "exception"
