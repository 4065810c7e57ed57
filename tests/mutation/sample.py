"""How many mutants of a sample do the tests kill, and by an assertion?

`python -m tests.mutation --sample 300 --seed 14 store lab …`, on the source, outside CI, for as long as it takes.
Which tests walk a line is found out first, in one run of a package's tests under coverage; a mutant is tried by those
alone, the quick ones first.  What was found is kept in `mutants/sample/`, so that a run that was ended goes on.

How a mutant ended: `assertion` (a statement of a test said no), `exception` (the code broke down under a test, which no
assertion saw), `timeout`, `survived`, or `unwalked` (no test comes by).
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
from tests.mutation.draw import Mutant, drawn

KEPT: Final = ROOT / "mutants/sample"
TESTS: Final[dict[str, tuple[str, ...]]] = {
    "store": ("tests/store", "tests/gateway/test_clerk.py", "tests/gateway/test_session.py"),
    "smuggling": ("tests/smuggling", "tests/lab/test_emissions.py", "tests/cli/test_dialect.py"),
    "lab": ("tests/lab", "tests/cli/test_lab.py", "tests/cli/test_reasons.py"),
    "cli": ("tests/cli", "tests/i18n", "tests/docs", "tests/demo"),
    "delivery": ("tests/delivery", "tests/gateway", "tests/exploration", "tests/faults"),
    "gateway": ("tests/gateway", "tests/config", "tests/exploration", "tests/faults"),
}
"""Where those of a package are that can be expected to walk it."""
MARKED: Final = ("-m", "not peers and not slow and not soak")
SAME: Final = ("-p", "no:randomly", "-p", "no:xdist", "--hypothesis-seed=0", "--hypothesis-profile=planted")
SECONDS: Final = 240.0
"""For one mutant; of the tests that walk it, those that fit into a third of that on an unchanged tree."""
FAILURES: Final = 6
"""Tests that may break down before it is given up to find one that says no."""


def sample(packages: list[str], count: int, seed: int) -> bool:
    """Try each mutant that is drawn, and say how each ended; whether every survivor has a reason."""
    KEPT.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(KEPT / "tree", ignore_errors=True)  # a run that was killed has left its mutant in it
    ended: dict[Mutant, str] = {}
    for package, mutants in drawn(packages, count, seed).items():
        walks = Walks(package)
        for mutant in mutants:
            ended[mutant] = _remembered(mutant, walks)
            print(f"{len(ended)} {ended[mutant]}: {mutant.name}\n", flush=True)
    return _told(ended, seed)


def _told(ended: dict[Mutant, str], seed: int) -> bool:
    how = Counter(ended.values())
    alive = [Survivor(each.path, each.old, each.new) for each, end in ended.items() if end in ("survived", "unwalked")]
    without = unexplained(alive)
    print(f"{len(ended)} mutants by seed {seed}: {dict(how)}")
    print(f"{100 * (1 - len(alive) / max(1, len(ended))):.1f} % killed; {len(without)} survived without a reason")
    for each in without:
        print(f"{each.path}\n-{each.old}\n+{each.new}\n")
    return not without


class Walks:
    """Which tests of a package's walk which of its lines."""

    def __init__(self, package: str) -> None:
        """Find it out, where it was not before."""
        self._data, took = KEPT / f"{package}.coverage", KEPT / f"{package}.json"
        if not took.exists():
            tests = [each for each in TESTS[package] if (ROOT / each).exists()]
            source = f"--source={ROOT / 'src/tidewaiter' / package}"
            watched = [sys.executable, "-m", "coverage", "run", source, f"--data-file={self._data}", "-m", "pytest"]
            subprocess.run([*watched, *SAME, *MARKED, "-q", "-p", "tests.mutation.watch", f"--took={took}", *tests],
                           cwd=ROOT, check=False, capture_output=True)  # fmt: skip
        self._took: dict[str, float] = json.loads(took.read_text(encoding="utf-8"))
        self._read = coverage.CoverageData(self._data)
        self._read.read()

    def of(self, mutant: Mutant) -> list[str]:
        """Give the tests that walk it, the quick ones first, as far as there is time for them."""
        by_line = self._read.contexts_by_lineno(str(ROOT / mutant.path))
        walking = {name for line in range(mutant.first, mutant.last + 1) for name in by_line.get(line, ())}
        quick = sorted((name for name in walking if name in self._took), key=self._took.__getitem__)
        return [name for at, name in enumerate(quick) if sum(map(self._took.__getitem__, quick[:at])) < SECONDS / 3]


def _remembered(mutant: Mutant, walks: Walks) -> str:
    file = KEPT / "ended.json"
    ended = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if mutant.name not in ended:
        ended = {**ended, mutant.name: _tried(mutant, walks.of(mutant))}
        file.write_text(json.dumps(ended, indent=1), encoding="utf-8")
    return str(ended[mutant.name])


def _tried(mutant: Mutant, tests: list[str]) -> str:
    """Plant it in a copy of the tree, and let the tests that walk it judge."""
    if not tests:
        return "unwalked"
    tree = _copied()
    file = tree / mutant.path
    before = file.read_text(encoding="utf-8")
    file.write_text(mutant.code, encoding="utf-8")
    try:
        return _judged(tree, tests)
    finally:
        file.write_text(before, encoding="utf-8")


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
               f"--verdict={verdict}", f"--timeout={SECONDS / 4}", *tests]  # fmt: skip
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
