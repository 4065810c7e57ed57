"""Whether every peer has a name that says which program it is, and a reason when it cannot run here."""

import ast
import os
from pathlib import Path

import pytest

from tests.peers import PEERS, PeerError, needs, why_not
from tests.peers.__main__ import prepare
from tests.peers.registry import Program, program

JUDGE = sorted(path for path in Path(__file__).parent.rglob("*.py") if not path.name.startswith("test_"))


@pytest.mark.parametrize("path", JUDGE, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_judge_imports_nothing_of_what_it_judges(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            assert not [name for name in names if name.partition(".")[0] == "tidewaiter"]


@pytest.fixture
def asked_anew() -> None:
    needs.namespaces.cache_clear()
    needs.environments.cache_clear()


@pytest.mark.parametrize("name", sorted({name for names in PEERS.values() for name in names}))
def test_every_peer_is_a_setting_of_one_program(name: str) -> None:
    assert program(name).version


def test_a_peer_that_is_not_there_is_an_error() -> None:
    with pytest.raises(PeerError, match="no peer called 'qmail'"):
        why_not("qmail")


def test_without_root_a_mail_server_says_why_it_is_left_out(asked_anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "needs root" in why_not("postfix-3.7-no")
    assert why_not("aiosmtpd-1.4.4") == ""
    needs.namespaces.cache_clear()


def test_where_mounting_is_forbidden_the_refusal_is_quoted(asked_anew: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "NAMESPACES", ("sh", "-c", "echo Operation not permitted >&2; exit 1"))
    monkeypatch.setattr(needs, "DEBIAN", ())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "Operation not permitted" in why_not("exim-4.96")
    needs.namespaces.cache_clear()


def test_what_is_left_out_is_said_and_what_fails_is_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise PeerError("the disk is full")

    assert prepare("left", Program("1", fail, lambda: "needs root"))
    assert not prepare("broken", Program("1", fail, str))
    said = capsys.readouterr().out
    assert "left out: needs root" in said
    assert "failed: the disk is full" in said
