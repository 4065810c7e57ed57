r"""Would the tests see it if somebody put this bug in?

A plant is a file `tests/plants/NAME.toml`: one bug, as data.

    promise = 1                                # which promise of docs/promises.md it breaks
    path = "src/tidewaiter/lines/scan.py"      # where
    old = '''data.find(END)'''                 # stands there exactly once
    new = '''data.find(b"\n.\n")'''          # the bug
    attack = "LF . LF ends DATA: what follows is a second message"
    test = "tests/lines/test_reader.py::test_only_crlf_dot_crlf_ends_data"

The test must fail, and by an assertion of its own: a bug that is only noticed because it crashes,
hangs or cannot be imported says nothing about the assertion.
The tree is copied, the bug planted in the copy, and the test run there: the checkout is never touched.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_LEFT_BEHIND: Final = shutil.ignore_patterns(".*", "__pycache__", "mutants", "dist", "build", "state")
_SECONDS: Final = 300


class PlantError(Exception):
    """The plant does not fit the code any more."""


@dataclass(frozen=True, slots=True)
class Plant:
    """One bug: the keys of its file."""

    name: str
    promise: int
    path: str
    old: str
    new: str
    attack: str
    test: str

    def put_into(self, tree: Path) -> None:
        """Replace `old`, which must stand at `path` exactly once, by `new`."""
        file = tree / self.path
        text = file.read_text(encoding="utf-8")
        if (times := text.count(self.old)) != 1:
            message = f"{self.name}: {self.path} holds `old` {times} times, not once"
            raise PlantError(message)
        file.write_text(text.replace(self.old, self.new), encoding="utf-8")


def all_plants() -> list[Plant]:
    """Every plant of the repository, by name."""
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return [Plant(name=file.stem, **tomllib.loads(file.read_text(encoding="utf-8"))) for file in files]


def planted(plant: Plant, folder: Path) -> tuple[Path, dict[str, str]]:
    """Copy the tree into `folder` and put the bug in: the copy, and an environment whose imports come from it."""
    tree = folder / "tree"
    shutil.copytree(ROOT, tree, ignore=_LEFT_BEHIND)
    plant.put_into(tree)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return tree, {**inherited, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}", "PYTHONDONTWRITEBYTECODE": "1"}


def outcomes(plant: Plant, folder: Path) -> dict[str, str]:
    """How each case of the plant's test ended with the bug in: see `verdict.py` for the words."""
    tree, environment = planted(plant, folder)
    verdict = folder / "verdict.json"
    # A fixed seed: what a property finds must be found every time.
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:randomly", "-p", "no:xdist", "--hypothesis-seed=0"]
    command += ["--hypothesis-profile=planted"]
    command += ["-p", "tests.plants.verdict", f"--verdict={verdict}", f"--timeout={_SECONDS // 2}", plant.test]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=_SECONDS, check=False)
    if not verdict.exists():
        return {plant.test: f"did not run: {done.stdout.decode()}{done.stderr.decode()}"}
    words: dict[str, str] = json.loads(verdict.read_text(encoding="utf-8"))
    return words
