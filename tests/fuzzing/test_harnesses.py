"""Can each harness say every attack, does it find the planted bugs of its parts, and is the code clean under it?"""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fuzz import run
from tests.conftest import Count
from tests.plants import ROOT, Plant, all_plants, planted
from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.vector import ContentVector, Vector

NAMES = run.names()
FULL = 3_000_000


def wire_of(vector: Vector) -> bytes:
    if isinstance(vector, ContentVector):
        return vector.content
    return b"".join(step.send for step in vector.steps)


def side_of(vector: Vector) -> str:
    return "content" if isinstance(vector, ContentVector) else vector.side


@contextmanager
def listening(ear: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What the function named `ear` is handed in bytes, while the context lasts."""
    module, _, path = ear.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    heard: list[bytes] = []
    real = getattr(owner, name)

    def hear(*args: Any, **kwargs: Any) -> Any:
        heard.append(next(bytes(arg) for arg in args if isinstance(arg, (bytes, bytearray, memoryview))))
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, hear)
        yield heard


@pytest.mark.parametrize("name", NAMES)
def test_what_once_broke_a_harness_does_so_no_more(name: str) -> None:
    for data in run.corpus(name):
        run.harness(name).one_input(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_harness_can_say_every_vector_byte_for_byte(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    harness = run.harness(name)
    for vector in vectors().values():
        if side_of(vector) in harness.VECTORS:
            with listening(harness.EAR, monkeypatch) as heard:
                harness.one_input(harness.says(wire_of(vector)))
            assert wire_of(vector) in b"".join(heard), vector.name


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_breaks_under_a_harness(name: str, count: Count) -> None:
    assert run.try_inputs(name, count(f"inputs of fuzz_{name}, seed {run.SEED}", 10_000, FULL))


@pytest.mark.soak
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", NAMES)
def test_ten_minutes_of_guided_search_break_nothing(name: str) -> None:
    assert run.search(name, seconds=600)


def test_every_kind_of_vector_can_be_said_by_some_harness() -> None:
    said = {side for name in NAMES for side in run.harness(name).VECTORS}
    assert {side_of(vector) for vector in vectors().values()} <= said


CORE = ("config", "lines", "message", "model", "wire")
"""The packages that a harness can reach; what the others get wrong needs sockets, files, processes or the clock."""


def answering(plant: Plant) -> list[str]:
    """The harnesses that answer for the file with the bug: more than one for a table that both sides read."""
    return [name for name in NAMES if plant.path in run.harness(name).PARTS]


def test_each_planted_bug_of_the_core_is_asked_of_a_harness() -> None:
    core = [plant for plant in all_plants() if Path(plant.path).parts[2] in CORE]
    assert [plant.name for plant in core if not answering(plant)] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_harness_answers_for_is_there(name: str) -> None:
    assert [part for part in run.harness(name).PARTS if not (ROOT / part).is_file()] == []


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("plant", [plant for plant in all_plants() if answering(plant)], ids=lambda plant: plant.name)
def test_a_harness_finds_each_planted_bug_of_its_parts(plant: Plant, count: Count, tmp_path: Path) -> None:
    tree, environment = planted(plant, tmp_path)
    runs = count("executions in which a harness must find a planted bug", 50_000, FULL)
    # Where several answer for the file, each is asked a little first, so that one that cannot see it costs little.
    names = answering(plant)
    asked = [(name, part) for part in sorted({min(runs, 10_000), runs}) for name in names]
    said = ""
    for name, part in asked if len(names) > 1 else [(names[0], runs)]:
        command = [sys.executable, "fuzz/run.py", name, "--runs", str(part)]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        said += done.stdout
        if done.returncode == 1 and f"{name}: broken by input" in done.stdout:
            return
        assert done.returncode == 0, done.stderr
    raise AssertionError(said)
