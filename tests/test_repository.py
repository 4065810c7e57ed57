"""Does what git stores stay as it was written, whatever machine it is checked out on?"""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KNOWLEDGE = sorted((ROOT / "src/tidewaiter/knowledge").rglob("*.toml"))

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no checkout but a copy of it")


def attribute(name: str, path: str) -> str:
    command = ["git", "check-attr", name, "--", path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip().rpartition(": ")[2]


@pytest.mark.parametrize("path", ["fuzz/corpus/reader/crash-0", "tests/message/odd.eml"])
def test_git_repairs_no_line_end_in_bytes(path: str) -> None:
    assert attribute("text", path) == "unset"


@pytest.mark.parametrize("path", ["src/tidewaiter/knowledge/vectors.toml", "src/tidewaiter/knowledge/dialects/x.toml"])
def test_text_has_the_same_line_ends_everywhere(path: str) -> None:
    assert attribute("eol", path) == "lf"


@pytest.mark.parametrize("file", KNOWLEDGE, ids=lambda file: file.stem)
def test_odd_bytes_are_escapes_in_the_catalogue_and_the_rows(file: Path) -> None:
    text = file.read_bytes().decode()
    assert [letter for letter in set(text) if letter < " " and letter != "\n"] == []
