"""Is every planted bug caught, by an assertion, and does the runner itself tell the truth?"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.plants import Plant, PlantError, all_plants, outcomes

PROMISES = range(1, 12)
PLANTED = range(1, 9)
"""Those that three plants or more must break."""

NOTHING = Plant(
    name="nothing",
    promise=1,
    path="src/tidewaiter/i18n/__init__.py",
    old="English, or Spanish.",
    new="English or Spanish.",
    attack="none: only words changed",
    test="tests/cli/test_frame.py::test_no_parser_takes_abbreviations",
)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("plant", all_plants(), ids=lambda plant: plant.name)
def test_a_planted_bug_is_caught_by_an_assertion(plant: Plant, tmp_path: Path) -> None:
    ends = outcomes(plant, tmp_path)
    assert "assertion" in ends.values(), f"{plant.attack}\n{ends}"


@pytest.mark.parametrize("plant", all_plants(), ids=lambda plant: plant.name)
def test_a_plant_fits_the_code_of_today(plant: Plant, tmp_path: Path) -> None:
    copy = tmp_path / plant.path
    copy.parent.mkdir(parents=True)
    copy.write_bytes((Path(__file__).parents[2] / plant.path).read_bytes())
    plant.put_into(copy.parents[len(Path(plant.path).parts) - 1])
    assert plant.promise in PROMISES
    assert plant.attack


def test_each_promise_has_three_plants_or_more() -> None:
    planted = Counter(plant.promise for plant in all_plants())
    assert {promise: planted[promise] for promise in PLANTED if planted[promise] < 3} == {}


@pytest.mark.slow
def test_a_plant_that_changes_nothing_is_seen_to_survive(tmp_path: Path) -> None:
    assert outcomes(NOTHING, tmp_path) == {NOTHING.test: "passed"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("new", "word"),
    [
        ('English."""\nraise RuntimeError\n"""', "not collected"),
        ('English."""\nassert False, "an invariant of the code"\n"""', "not collected"),
    ],
)
def test_a_crash_is_not_counted_as_caught(new: str, word: str, tmp_path: Path) -> None:
    [end] = outcomes(replace(NOTHING, new=new), tmp_path).values()
    assert end.startswith(word)


@pytest.mark.slow
def test_an_invariant_of_the_code_that_breaks_is_not_an_assertion_of_the_test(tmp_path: Path) -> None:
    plant = replace(
        NOTHING,
        path="src/tidewaiter/cli/__init__.py",
        old='    """The whole command line, in the language spoken now."""\n',
        new="    assert not __name__\n",
    )
    [end] = outcomes(plant, tmp_path).values()
    assert end.startswith("call: ")


@pytest.mark.parametrize("old", ["no such text", "e"])
def test_a_plant_must_fit_exactly_once(old: str, tmp_path: Path) -> None:
    file = tmp_path / "src/x.py"
    file.parent.mkdir()
    file.write_text("see the reef", encoding="utf-8")
    with pytest.raises(PlantError):
        replace(NOTHING, path="src/x.py", old=old).put_into(tmp_path)
