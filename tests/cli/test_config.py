import json
from pathlib import Path

import pytest

from tests.config.test_parsing import ISSUE
from tidewaiter.cli import main
from tidewaiter.config import parse


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "tw.toml"
    found.write_bytes(ISSUE)
    return found


def test_a_good_file_is_called_good(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", str(file)]) == 0
    assert capsys.readouterr().out == f"{file}: no mistakes\n"


def test_mistakes_are_named_by_file_line_and_key(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(ISSUE.replace(b"role", b"rolle"))
    assert main(["config", "check", str(file)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{file}:6: listener[0].role: is missing",
        f"{file}:8: listener[0].rolle: unknown key; did you mean role?",
    ]
    assert main(["config", "check", "--format", "json", str(file)]) == 1
    assert json.loads(capsys.readouterr().out)[1] == {
        "file": str(file),
        "line": 8,
        "key": "listener[0].rolle",
        "message": "unknown key; did you mean role?",
    }


def test_what_is_shown_means_the_same(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", str(file)]) == 0
    shown = capsys.readouterr().out
    assert parse(shown.encode(), "/elsewhere/tw.toml") == parse(ISSUE, str(file))
    assert "message_size" in shown, "the defaults too"


def test_a_bad_file_is_not_shown_and_not_run(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(ISSUE.replace(b"inside.test", b"*"))
    assert main(["config", "show", str(file)]) == 1
    assert main(["run", "--config", str(file)]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.count("makes inbound listeners an open relay") == 2
    assert not (file.parent / "state").exists(), "nothing was made for it"


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.toml"
    for argv in (
        ["config", "check", str(missing)],
        ["config", "show", str(missing)],
        ["run", "--config", str(missing)],
    ):
        assert main(argv) == 2
        assert "No such file or directory" in capsys.readouterr().err


def test_the_name_of_a_file_forges_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "a\nb\x1b\udcff.toml"
    good.write_bytes(ISSUE)
    assert main(["config", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}/a\\nb\\u001b\\udcff.toml: no mistakes\n"
    for argv in (["config", "check"], ["config", "show"], ["run", "--config"]):
        assert main([*argv, str(tmp_path / "missing\nb\x1b")]) == 2
        assert "missing\\nb\\u001b: " in capsys.readouterr().err


def test_what_is_shown_commands_no_terminal(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_bytes(ISSUE.replace(b'"state"', b'"a\\u009b\\u202eb\\n"'))
    assert main(["config", "show", str(file)]) == 0
    assert all(map(str.isprintable, capsys.readouterr().out.splitlines()))
