"""Which small bugs, put in everywhere by mutmut, does no test notice, and is there a reason for each?

`make mutants F=lines` runs them; `survivors.toml` beside this file lists those that nothing can kill, with why.
A survivor is named by its text and not by mutmut's number, which changes with every edit; a kind of them by what is
written for what, wherever that is.
"""

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LIST: Final = Path(__file__).with_name("survivors.toml")
LEAST: Final = {"lines": 95.0, "wire": 85.0}
"""Per cent that must be killed."""

_KILLED: Final = {1, 3, 36, 37, -24, 24, 152}
"""mutmut's exit codes: a test failed, pytest itself broke, the time was up, or the types were wrong.

255 is none of them: no test ran, as where pytest cannot find one by its id.
"""


@dataclass(frozen=True, slots=True)
class Survivor:
    """One bug that no test notices."""

    path: str
    old: str
    new: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """Bugs that no test can notice, wherever they are: `old` became `new`."""

    old: str
    new: str
    why: str

    def holds(self, survivor: Survivor) -> bool:
        """Whether that is all that was changed."""
        parts = survivor.old.split(self.old)
        places = range(1, len(parts))
        return survivor.new in [self.old.join(parts[:at]) + self.new + self.old.join(parts[at:]) for at in places]


def listed() -> list[Survivor]:
    """The survivors with their reasons."""
    return [Survivor(**entry) for entry in _entries("survivor")]


def kinds() -> list[Kind]:
    """The kinds with their reasons."""
    return [Kind(**entry) for entry in _entries("kind")]


def unexplained(alive: list[Survivor]) -> list[Survivor]:
    """Those that have no reason."""
    reasons = {(each.path, each.old.strip(), each.new.strip()) for each in listed()}
    without = [each for each in alive if (each.path, each.old.strip(), each.new.strip()) not in reasons]
    return [each for each in without if not any(kind.holds(each) for kind in kinds())]


def _entries(name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = tomllib.loads(LIST.read_text(encoding="utf-8")).get(name, [])
    return found


def run(parts: list[str]) -> None:
    """Let mutmut plant its bugs in these parts of the package, as `lines` or `lines/scan.py`."""
    patterns = [f"tidewaiter.{part.removesuffix('.py').replace('/', '.')}.*" for part in parts]
    mutmut = Path(sys.executable).with_name("mutmut")
    # Which test calls what is asked anew: else a function that got a new name is tried by new tests alone.
    (ROOT / "mutants/mutmut-stats.json").unlink(missing_ok=True)
    subprocess.run([mutmut, "run", "--max-children", "2", *patterns], cwd=ROOT, check=False)


def results(part: str) -> dict[str, int]:
    """How each mutant of a part that was run ended, by mutmut's exit code."""
    folder = ROOT / "mutants/src/tidewaiter"
    files = folder.glob(f"{part}.meta" if part.endswith(".py") else f"{part}/**/*.meta")
    codes = [json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"] for file in files]
    return {name: code for each in codes for name, code in each.items() if code is not None}


def survivors(ended: dict[str, int]) -> list[Survivor]:
    """What the mutants changed that were not killed."""
    return [_shown(name) for name, code in ended.items() if code not in _KILLED]


def _shown(name: str) -> Survivor:
    mutmut = Path(sys.executable).with_name("mutmut")
    done = subprocess.run([mutmut, "show", name], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    [path] = [line.removeprefix("--- ") for line in lines if line.startswith("--- ")]
    old, new = ["\n".join(line[1:] for line in lines if _is_of(line, mark)) for mark in "-+"]
    return Survivor(path, old, new)


def _is_of(line: str, mark: str) -> bool:
    """Whether a line of a diff is one that was there before, or is there now, and no file's name."""
    return line.startswith(mark) and not line.startswith(3 * mark)
