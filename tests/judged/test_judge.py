"""The judge itself: it finds what was split, lost, doubled or changed, and shares no code with what it judges."""

import ast
from pathlib import Path

import pytest

from tests.judged.judge import Habits, told_apart

HERE = Path(__file__).parent
JUDGE = ("judge.py", "talk.py", "receivers.py")
TOP = (
    b"Received: from client.example ([192.0.2.1])\r\n\tby mx.tidewaiter.test with ESMTP id 0a1b\r\n"
    b"\tfor <rcpt@inside.test>; Tue, 24 Nov 2026 10:00:00 +0000\r\n"
)
SENT = b"Subject: one\r\n\r\nfirst\r\n.\r\nFrom: smuggled@outside.example\r\n\r\nsmuggled\r\n"


@pytest.mark.parametrize("name", JUDGE)
def test_the_judge_imports_nothing_of_what_it_judges(name: str) -> None:
    for node in ast.walk(ast.parse((HERE / name).read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            assert not [each for each in names if each.partition(".")[0] == "tidewaiter"]


def test_the_one_message_sent_is_right_whatever_ends_its_lines() -> None:
    assert told_apart([b"Return-Path: <a@b>\n" + (TOP + SENT).replace(b"\r\n", b"\n")], [SENT]) == []


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ([TOP + SENT[:20], SENT[27:]], ["nobody sent this", "smuggled", "missing"]),
        ([], ["missing"]),
        ([TOP + SENT, TOP + SENT], ["nobody sent this"]),
        ([TOP + TOP + SENT], ["smuggled", "missing"]),
        ([TOP + SENT.replace(b"first", b"First")], ["nobody sent this", "missing"]),
    ],
    ids=["split", "lost", "doubled", "passed twice", "changed"],
)
def test_what_is_wrong_is_said(held: list[bytes], words: list[str]) -> None:
    assert [each.partition(":")[0].partition(",")[0] for each in told_apart(held, [SENT])] == words


def test_where_blanks_are_set_anew_every_visible_byte_still_counts() -> None:
    folding = Habits(blank=True)
    assert told_apart([TOP + SENT.replace(b"\r\n.", b"\r\n\r\n.")], [SENT], folding) == []
    assert told_apart([TOP + SENT.replace(b"\r\n.", b"\r\n")], [SENT], folding) != []
