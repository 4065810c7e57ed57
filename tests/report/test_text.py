"""Is a demonstration written so that a person can read it, in both languages, in a narrow and in a wide terminal?"""

import io
import json
from dataclasses import replace

import msgspec
import pytest
from rich.console import Console, RenderableType

from docs.generate.demonstration import SHOWN
from tidewaiter.report import data, text
from tidewaiter.report.demonstration import Demonstration, Invitation
from tidewaiter.report.invitation import invitation
from tidewaiter.report.not_covered import not_covered
from tidewaiter.report.text import UNBROKEN
from tidewaiter.smuggling.proof import NOT_COVERED

THERE = Invitation(
    "/srv/x", 4025, 4026, 4027, "rcpt@inside.test", "rcpt@maildir.test", ("/x/a", "/x/b", "/x/c"), "/x/gateway.log"
)


@pytest.fixture
def shown() -> Demonstration:
    return msgspec.json.decode(SHOWN.read_bytes(), type=Demonstration)


def written(value: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=colour, color_system="truecolor" if colour else None).print(value)
    return file.getvalue()


def speak(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", language)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("width", [80, 120])
def test_every_vector_has_a_line_of_its_own_that_is_not_broken(
    shown: Demonstration, width: int, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(language, monkeypatch)
    lines = written(text.demonstration(shown), width).splitlines()
    assert max(map(len, lines)) <= width
    first_words = [line.split()[0] for line in lines if line.split()]
    for name in {trial.vector for trial in shown.trials}:
        assert first_words.count(name) == 1, name


@pytest.mark.parametrize("language", ["en", "es"])
def test_nothing_but_names_is_the_same_in_both_languages(
    shown: Demonstration, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(language, monkeypatch)
    said = written(text.demonstration(shown))
    assert ("every promise held" in said) == (language == "en")
    assert ("se cumplió cada promesa" in said) == (language == "es")


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_end_of_a_terminal_shows_the_two_numbers_and_the_judgement(
    shown: Demonstration, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    speak(language, monkeypatch)
    without, guarded, held = written(text.demonstration(shown)).splitlines()[-4:-1]
    assert f" {shown.split_alone} " in without
    assert " 0 " in guarded
    assert "✓" in held


def test_a_broken_promise_is_told_in_words_and_in_red(shown: Demonstration, monkeypatch: pytest.MonkeyPatch) -> None:
    speak("en", monkeypatch)
    first = shown.trials[0]
    trial = replace(first, guarded=replace(first.guarded, delivered=2, forged=1), broken=("it was split",))
    broken = replace(shown, trials=(trial, *shown.trials[1:]), broken=("inbound, it was split",))
    said = written(text.demonstration(broken))
    assert "✗ inbound, it was split" in said
    assert "✗ 1 promise broken" in said
    assert "every promise held" not in said
    assert "2 ✗" in next(line for line in said.splitlines() if line.startswith(first.vector + " "))
    assert "\x1b[1;31m✗ inbound" in written(text.demonstration(broken), colour=True)


def test_every_row_that_was_composed_is_named(shown: Demonstration) -> None:
    said = written(text.proof(shown.proof)).replace(UNBROKEN, "-").split()
    for row in (*shown.proof.safe, *shown.proof.within_size, *shown.proof.unsafe):
        assert row in said


def test_what_is_not_covered_is_what_the_proof_says(monkeypatch: pytest.MonkeyPatch) -> None:
    speak("en", monkeypatch)
    assert not_covered() == tuple(map(str, NOT_COVERED))


def test_a_program_reads_the_same_as_was_shown(shown: Demonstration) -> None:
    said = data.demonstration(shown)
    assert msgspec.json.decode(said, type=Demonstration) == shown
    assert json.loads(said)["held"] is True
    assert json.loads(data.demonstration(replace(shown, broken=("x",))))["held"] is False


@pytest.mark.parametrize("language", ["en", "es"])
def test_commands_to_copy_stand_on_a_line_each(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    speak(language, monkeypatch)
    file = io.StringIO()
    Console(file=file, width=80, soft_wrap=True).print(invitation(THERE))
    lines = [line.strip() for line in file.getvalue().splitlines()]
    assert "swaks --server 127.0.0.1 --port 4025 --from you@outside.example --to rcpt@inside.test" in lines
    assert sum(line.startswith("printf ") and line.endswith("-T -") for line in lines) == 3
    assert "/x/b/new" in lines
