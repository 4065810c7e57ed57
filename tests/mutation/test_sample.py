"""Are mutants drawn alike by the same seed, each one small change, and is what a test makes of one told truly?"""

import ast
from itertools import islice
from pathlib import Path

import pytest

from tests.mutation import ROOT, sample
from tests.mutation.draw import Mutant, drawn


def test_a_seed_draws_the_same_mutants_and_each_is_one_small_change() -> None:
    one, again, other = (list(islice(drawn(["net"], 6, seed)["net"][1], 6)) for seed in (1, 1, 2))
    assert one == again
    assert one != other
    assert len({mutant.name for mutant in one}) == 6
    for mutant in one:
        whole = (ROOT / mutant.path).read_text(encoding="utf-8")
        assert mutant.old in whole
        assert whole != mutant.code
        assert whole.splitlines()[mutant.first - 1].strip() in whole
        ast.parse(mutant.code)


SAYS = "def test_says_no() -> None:\n    from tidewaiter.net import there\n    {}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "ended"),
    [
        ("assert there.ONE == 1", "assertion"),
        ("assert there.TWO", "exception"),
        ("assert there.ONE", "survived"),
        ("import time; time.sleep(99)", "timeout"),
    ],
)
def test_how_a_mutant_ended_is_told_by_what_a_test_said(
    statement: str, ended: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "KEPT", tmp_path)
    monkeypatch.setattr(sample, "SECONDS", 40.0)
    monkeypatch.setattr(sample, "_is_refused", lambda *_: False)
    tree = sample._copied()
    (tree / "src/tidewaiter/net/there.py").write_text("ONE = 1\n", encoding="utf-8")
    (tree / "tests/net/test_there.py").write_text(SAYS.format(statement), encoding="utf-8")
    mutant = Mutant("src/tidewaiter/net/there.py", 1, 1, "ONE = 1", "ONE = 2", "ONE = 2\n")
    assert sample._tried(mutant, ["tests/net/test_there.py"]) == ended
    assert (tree / mutant.path).read_text(encoding="utf-8") == "ONE = 1\n"


@pytest.mark.slow
def test_a_mutant_that_no_test_walks_is_said_to_be_that_and_one_that_mypy_refuses_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample, "KEPT", tmp_path)
    path, old = "src/tidewaiter/net/there.py", "ONE: int = 1\n"
    (sample._copied() / path).write_text(old, encoding="utf-8")
    said = [sample._tried(Mutant(path, 1, 1, old, new, new), []) for new in ("ONE: int = 2\n", "ONE: int = None\n")]
    assert said == ["unwalked", "types"]
