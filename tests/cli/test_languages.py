"""Does each verb say everything in Spanish that it says in English: its answers, and what was wrong with a question?"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from docs.generate.demonstration import SHOWN
from tests.cli.test_frame import parsers
from tests.cli.test_lab import ME, played
from tests.config.test_parsing import ISSUE
from tests.i18n.spanish import must_be_spanish
from tests.report.test_text import THERE, written
from tidewaiter.cli import build_parser, main
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.report import text
from tidewaiter.report.demonstration import Demonstration
from tidewaiter.report.invitation import invitation
from tidewaiter.report.not_covered import not_covered
from tidewaiter.report.text import UNBROKEN


def of_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    def say() -> str:
        with suppress(SystemExit):
            main(argv)
        heard = capsys.readouterr()
        return heard.out + heard.err

    return say


@pytest.mark.parametrize("program", [parser.prog for parser in parsers(build_parser())])
def test_every_help_page_is_spanish(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")

    def say() -> str:
        [found] = [each for each in parsers(build_parser()) if each.prog == program]
        return found.format_help()

    must_be_spanish(say, monkeypatch, "HOST:PORT", "curl -sS smtp://127.0.0.1:{port} --mail-from a@b.test")


@pytest.mark.parametrize("row", ["strict", *dialects()])
def test_every_row_is_shown_in_spanish(
    row: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    must_be_spanish(of_command(["dialect", "show", row], capsys), monkeypatch)


def test_the_list_of_rows_is_spanish(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    must_be_spanish(of_command(["dialect", "list"], capsys), monkeypatch)


@pytest.mark.parametrize(
    "argv",
    [
        "",
        "ruun",
        "--lang xx",
        "--version",
        "run",
        "run --config /nonexistent",
        "run --config /",
        "config",
        "config check",
        "config check /nonexistent",
        "config show /nonexistent",
        "demo --format xml",
        "demo --twice",
        "dialect",
        "dialect lisst",
        "dialect show",
        "dialect show exim-4.95",
        "dialect show nobody",
        "dialect show aiosmtpd-1.4.4 --format dot --side writer",
        "dialect show curl-7.88 --format dot --side reader",
        "dialect smuggle curl-7.88 nobody",
        "dialect smuggle curl-7.88 curl-7.88",
        "dialect smuggle aiosmtpd-1.4.4 strict",
        "dialect smuggle postfix-3.7-proxy-no strict",
        "dialect smuggle curl-7.88 --via curl-7.88 strict",
        "dialect smuggle cisco-esa-clean strict",
        "dialect smuggle curl-7.88 aiosmtpd-1.4.4",
        "dialect smuggle ours aiosmtpd-1.4.4",
        "dialect smuggle strict hmailserver-5.7",
        "dialect smuggle strict opensmtpd-6.8",
        "dialect smuggle strict smtp-server-3.21.6",
        "lab",
        "lab learn",
        "lab learn nowhere --recipient me@mine.test",
        "lab learn 127.0.0.1:1 --recipient me",
        "lab learn 127.0.0.1:1 --recipient me@mine.test",
        "lab learn localhost:1 --recipient me@mine.test --mode nowhere",
        "lab conform curl-7.88 127.0.0.1:1 --recipient me@mine.test",
        "lab conform strict 127.0.0.1:1 --recipient me@mine.test --side-by-side few",
        "lab writer aiosmtpd-1.4.4",
        "lab writer curl-7.88",
        "lab writer curl-7.88 --length 0 --command true",
        "lab writer postfix-3.7-no --length 0 --relay 127.0.0.1:1 --recipient me@mine.test",
        "completion",
        "completion bahs",
    ],
)
def test_every_answer_and_every_mistake_is_spanish(
    argv: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    must_be_spanish(of_command(argv.split(), capsys), monkeypatch, *argv.split())


def test_without_graphviz_it_is_said_in_spanish(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    must_be_spanish(of_command(["dialect", "show", "strict", "--format", "svg"], capsys), monkeypatch)


def test_a_good_configuration_is_called_good_in_spanish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tw.toml").write_bytes(ISSUE)
    must_be_spanish(of_command(["config", "check", str(tmp_path / "tw.toml")], capsys), monkeypatch)


@pytest.mark.slow
def test_a_live_server_is_told_of_in_spanish(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with played("aiosmtpd-1.4.4") as (address, _):
        argv = ["lab", "conform", "aiosmtpd-1.4.4", address, "--recipient", ME]
        must_be_spanish(of_command(argv, capsys), monkeypatch)


def test_a_demonstration_is_spanish(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = msgspec.json.decode(SHOWN.read_bytes(), type=Demonstration)
    vectors = sorted({trial.vector for trial in recorded.trials}, key=len, reverse=True)

    def say() -> str:
        shown = replace(recorded, proof=replace(recorded.proof, not_covered=not_covered()))
        return written(text.demonstration(shown), 1000).replace(UNBROKEN, "-")

    attack = "MAIL FROM:<forged@bank.example> RCPT TO:… DATA"
    must_be_spanish(say, monkeypatch, *vectors, attack, "Hello", recorded.sender)


def test_the_invitation_is_spanish_but_for_what_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def say() -> str:
        lines = written(invitation(THERE), 1000).splitlines()
        return "\n".join(line for line in lines if not line.strip().startswith(("swaks", "printf")))

    must_be_spanish(say, monkeypatch)
