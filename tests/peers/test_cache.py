"""Whether a tree is built once, and a half-built one is never used."""

import multiprocessing
from pathlib import Path

import pytest

from tests.peers.cache import PeerError, tree
from tests.peers.commands import run


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEWAITER_PEERS", str(tmp_path))


def build(folder: Path) -> None:
    (folder / "built").write_text("whole")
    with (folder.parents[1] / "builds").open("a") as file:
        file.write("built\n")


def fetch() -> None:
    tree("program", "recipe", build)


def test_a_tree_is_built_once(tmp_path: Path) -> None:
    first, second = tree("program", "recipe", build), tree("program", "recipe", build)
    assert first == second
    assert (first / "built").read_text() == "whole"
    assert (tmp_path / "builds").read_text().splitlines() == ["built"]


def test_another_recipe_is_another_tree() -> None:
    assert tree("program", "recipe", build) != tree("program", "another", build)


def test_a_build_that_fails_leaves_nothing_that_is_taken_for_a_tree(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise PeerError("the network is gone")

    with pytest.raises(PeerError, match="network"):
        tree("program", "recipe", fail)
    assert list((tmp_path / "trees").iterdir()) == []
    assert (tree("program", "recipe", build) / "built").exists()


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    ready = tree("program", "recipe", build)
    ready.rename(ready.with_name(f".{ready.name}.killed"))
    assert tree("program", "recipe", build) == ready
    assert list((tmp_path / "trees").iterdir()) == [ready]


@pytest.mark.slow
def test_runs_that_start_at_once_build_one_tree(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=fetch) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert (tmp_path / "builds").read_text().splitlines() == ["built"]


def test_a_failing_command_says_its_last_words() -> None:
    with pytest.raises(PeerError, match="ended with 3: no space"):
        run(["sh", "-c", "echo no space >&2; exit 3"])


def test_a_command_reads_its_input_whole() -> None:
    assert run(["cat"], stdin=b"a\r\n\0" * 50_000) == b"a\r\n\0" * 50_000
