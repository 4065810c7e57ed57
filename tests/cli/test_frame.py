"""Does a user of the command line see an answer or one line, in their language, and a code they can rely on?"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidewaiter import cli
from tidewaiter.cli import Exit, UsageError, build_parser, main
from tidewaiter.cli.parser import Parser

HEAVY = {"sqlalchemy", "alembic", "uvloop", "structlog", "aalpy", "tidewaiter.gateway", "tidewaiter.store"}


@pytest.fixture(autouse=True)
def _own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


def run_of(monkeypatch: pytest.MonkeyPatch, outcome: BaseException | Exit) -> None:
    """Make `completion` end in `outcome`."""

    def run(_args: argparse.Namespace) -> Exit:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(cli.verbs, "register_all", lambda verbs: verbs.add_parser("do").set_defaults(run=run))


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from parsers(verb)


@pytest.mark.parametrize("outcome", list(Exit))
def test_the_code_of_a_verb_is_the_code_of_the_process(monkeypatch: pytest.MonkeyPatch, outcome: Exit) -> None:
    run_of(monkeypatch, outcome)
    assert main(["do"]) == outcome


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (UsageError("no such row"), "tidewaiter: no such row\n"),
        (FileNotFoundError(2, "as the system says", "mx.toml"), "tidewaiter: mx.toml: No such file or directory\n"),
        (OSError("busy"), "tidewaiter: busy\n"),
    ],
)
def test_a_mistake_of_the_user_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, line: str
) -> None:
    run_of(monkeypatch, error)
    assert main(["do"]) == Exit.USAGE
    assert capsys.readouterr() == ("", line)


def test_a_fault_of_ours_is_one_line_that_names_a_private_file_with_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run_of(monkeypatch, ZeroDivisionError("secret"))
    assert main(["do"]) == Exit.OURS
    [line] = capsys.readouterr().err.splitlines()
    [file] = tmp_path.iterdir()
    assert str(file) in line
    assert "secret" not in line
    assert "ZeroDivisionError: secret" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_control_c_ends_as_a_shell_expects(monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(monkeypatch, KeyboardInterrupt())
    assert main(["do"]) == 130


def test_a_reader_that_left_is_no_fault() -> None:
    command = f"{Path(sys.executable).with_name('tidewaiter')} completion bash | true"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, check=True)
    assert done.stderr == b""


def test_an_answer_that_nobody_hears_is_not_good() -> None:
    """`tidewaiter dialect smuggle … | true`: whoever looks at the exit code alone must not read safe."""
    attack = [str(Path(sys.executable).with_name("tidewaiter")), "dialect", "smuggle", "curl-7.88", "aiosmtpd-1.4.4"]
    listening, speaking = os.pipe()
    os.close(listening)
    with os.fdopen(speaking, "wb") as unheard:
        done = subprocess.run(attack, stdout=unheard, stderr=subprocess.PIPE, check=False)
    assert done.returncode in (Exit.BAD, 141)  # 141 where Python does not buffer what it prints
    assert done.stderr == b""


def test_a_verb_that_nobody_hears_to_its_end_has_not_said_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_reader_left", lambda: None)
    run_of(monkeypatch, BrokenPipeError())
    assert main(["do"]) == 141


@pytest.mark.parametrize(
    ("argv", "meant"),
    [(["completoin", "bash"], "completion"), (["completion", "bahs"], "bash"), (["--lang", "e"], "es")],
)
def test_a_slip_is_answered_with_what_was_meant(
    capsys: pytest.CaptureFixture[str], argv: list[str], meant: str
) -> None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    assert left.value.code == Exit.USAGE
    [line] = capsys.readouterr().err.splitlines()
    assert f"Did you mean '{meant}'?" in line


@pytest.mark.parametrize("argv", [["--lang", "es", "--help"], ["completion", "--lang", "es", "--help"]])
def test_the_language_is_chosen_before_or_after_the_verb(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(argv)
    assert capsys.readouterr().out.startswith("uso: ")


def test_the_language_is_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LANGUAGE")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "es_MX.UTF-8")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert capsys.readouterr().out.startswith("uso: ")


def test_help_does_not_wait_for_what_only_a_verb_needs() -> None:
    code = "import sys; from tidewaiter.cli import build_parser; build_parser().format_help(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY & set(done.stdout.split()) == set()


def test_every_verb_and_every_option_is_described() -> None:
    for parser in parsers(build_parser()):
        for action in parser._actions:
            assert action.help or isinstance(action, argparse._SubParsersAction), (parser.prog, action.dest)
            if isinstance(action, argparse._SubParsersAction):
                assert {choice.dest for choice in action._choices_actions} == set(action.choices)


def test_no_parser_takes_abbreviations() -> None:
    assert [parser.prog for parser in parsers(build_parser()) if parser.allow_abbrev] == []
    assert all(isinstance(parser, Parser) for parser in parsers(build_parser()))
