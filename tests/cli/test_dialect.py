"""`tidewaiter dialect`: rows listed and shown, and what can be smuggled said with its exit code."""

from __future__ import annotations

import json
import shutil

import pytest

from tidewaiter.cli import main
from tidewaiter.cli.exit import Exit
from tidewaiter.knowledge.dialects import dialects


def test_every_row_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialect", "list"]) == Exit.GOOD
    listed = capsys.readouterr().out
    assert main(["dialect", "list", "--format", "json"]) == Exit.GOOD
    data = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in data] == list(dialects())
    assert all(row["id"] in listed for row in data)


@pytest.mark.parametrize("name", ["strict", *dialects()])
@pytest.mark.parametrize("form", ["text", "json", "dot"])
def test_every_row_can_be_shown(name: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialect", "show", name, "--format", form]) == Exit.GOOD
    shown = capsys.readouterr().out
    assert name in shown
    if form == "json":
        assert json.loads(shown)["id"] == name
    if form == "dot":
        assert shown.startswith("digraph")
        assert shown.count("{") == shown.count("}")


@pytest.mark.skipif(not shutil.which("dot"), reason="needs Graphviz")
def test_a_machine_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialect", "show", "strict", "--format", "svg"]) == Exit.GOOD
    assert "</svg>" in capsys.readouterr().out


def test_without_graphviz_one_line_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["dialect", "show", "strict", "--format", "svg"]) == Exit.USAGE
    assert "--format dot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        (["curl-7.88", "aiosmtpd-1.4.4"], Exit.BAD, ["content:  LF .", "sent as:  LF . CR LF . CR LF", "accept 250"]),
        (["ours", "aiosmtpd-1.4.4"], Exit.GOOD, ["SAFE for every input"]),
        (["ours-note", "--via", "postfix-3.7-no", "aiosmtpd-1.4.4"], Exit.GOOD, ["SAFE for every input"]),
        (["ours-bdat", "haraka-3.3.3"], Exit.GOOD, ["SAFE for every input"]),
        (["strict", "hmailserver-5.7"], Exit.BAD, ["unsafe behind any writer"]),
        (["curl-7.88", "curl-7.88"], Exit.USAGE, []),
        (["nobody", "aiosmtpd-1.4.4"], Exit.USAGE, []),
    ],
)
def test_the_answer_and_the_exit_code_agree(
    path: list[str], code: Exit, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dialect", "smuggle", *path]) == code
    said = capsys.readouterr()
    assert [word for word in words if word not in said.out] == []
    assert bool(said.err) == (code is Exit.USAGE)


def test_a_program_reads_the_attack_as_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dialect", "smuggle", "curl-7.88", "aiosmtpd-1.4.4", "--format", "json"]) == Exit.BAD
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "attack"
    assert answer["attack"]["wire_bytes"] == "\n.\r\n.\r\n"
    assert answer["attack"]["split_by"] == "aiosmtpd-1.4.4"
