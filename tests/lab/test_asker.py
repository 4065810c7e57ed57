"""A server that closes, tarpits or varies ends in a clear could not tell (promise 9); an odd one is understood."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.lab.odd import Choosy, Closing, HangingUp, Repeating, Staying, Tarpit, Terse, serving, varying
from tests.lab.played import PLAYED, SIZE, played
from tidewaiter.lab.asker import Asker, Manner, manner
from tidewaiter.lab.expected import expected
from tidewaiter.lab.learner import learn
from tidewaiter.lab.learning import asker_for
from tidewaiter.lab.meaning import Meaning
from tidewaiter.lab.modes import BODY, MODES
from tidewaiter.lab.target import Target, UntoldError, Way
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.symbol import spell, symbols

STRICT_WORDS = {
    b"": "content",
    b"x\r\n.\r\n": "ended",
    b"\n.\n": "content",
    b"\r\n.\r": "content",
}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (Closing, "closed behind nothing"),
        (Tarpit, "no reply"),
        (Choosy, "RCPT|MAIL was answered: 550 5.1.1 no such user"),
    ],
)
def test_a_server_that_cannot_be_asked_is_named_with_the_reason(line: type, why: str) -> None:
    with serving(line) as (runner, target), pytest.raises(UntoldError, match=why):
        runner.run(manner(target))


def test_a_server_that_varies_is_said_to() -> None:
    with serving(varying()) as (runner, target):
        how = runner.run(manner(target))
        with pytest.raises(UntoldError, match="the server varies"):
            learn(Asker(target, how, BODY.opening(0)), runner)


@pytest.mark.parametrize("line", [Terse, Repeating])
def test_an_odd_server_is_understood(line: type) -> None:
    with serving(line) as (runner, target):
        how = runner.run(manner(target))
        asker = Asker(target, how, BODY.opening(0))
        for word, said in STRICT_WORDS.items():
            assert runner.run(asker.say(symbols(word))) == said


@pytest.mark.parametrize("line", [Repeating, Staying])
def test_a_refusal_said_twice_or_only_behind_a_second_end_is_one_refusal(line: type) -> None:
    reader = PLAYED["refuses a bare LF at the end"]
    with serving(line, reader) as (runner, target):
        asker = Asker(target, runner.run(manner(target)), BODY.opening(0))
        assert runner.run(asker.say(symbols(b"x\nx"))) == "rejects"
        assert runner.run(asker.say(symbols(b"x\r\nx"))) == "content"


def test_a_server_that_reads_on_behind_its_refusal_is_seen_to() -> None:
    """Python's smtpd past its size limit: the next client's commands are content of this one's second message."""
    reader, mode = PLAYED["stays in DATA past its size limit"], MODES["over the size limit"]
    words = {
        b"": "rejects and stays",
        b"x\r\n.\n": "rejects and stays",
        b"x\r\n.\r\n": "rejected, content again",
        b"\r\n.\r\n.\r\n": "rejected, content again",
        b"\r\n.\r\n\r\n.\r\n": "ended and rejected",
    }
    table = expected(Splitter(reader), mode, "pipelined")
    assert {word: table.says(symbols(word)) for word in words} == words
    with played(reader) as (runner, target):
        how = runner.run(manner(target))
        asker = asker_for(replace(target, silence=1.0), how, mode)
        said = runner.run(asker.say_all(map(symbols, words), lambda _: None))
    assert {spell(word): answer for word, answer in said.items()} == words


@pytest.mark.parametrize(
    ("name", "word", "said"),
    [
        ("refuses a bare LF at the end", b"x\nx", "rejects"),
        ("refuses an odd end and reads on", b"x\n.\n", "ended and rejected"),
        ("closes on a bare CR or LF", b"x\nx", "closed"),
        ("strict", b"x\nx", "content"),
    ],
)
def test_a_row_is_expected_to_say_what_its_program_is_heard_to_say(name: str, word: bytes, said: str) -> None:
    assert expected(Splitter(PLAYED[name]), BODY, "pipelined").says(symbols(word)) == said


@pytest.mark.parametrize(("way", "at_once"), [("pipelined", 12), ("synchronised", 12), ("paced", 48)])
def test_who_mostly_waits_asks_more_side_by_side(way: Way, at_once: int) -> None:
    how = Manner(way, Meaning((250, 221), 502), None)
    assert asker_for(Target("127.0.0.1", 25, "me@mine.test"), how, BODY).target.side_by_side == at_once


def test_what_a_server_offers_is_its_limit_whatever_else_was_named() -> None:
    with played(PLAYED["strict"]) as (runner, target):
        assert runner.run(manner(replace(target, limit=7))).limit == SIZE


def test_a_close_behind_a_bare_cr_does_not_hide_the_line_end_that_follows() -> None:
    with played(PLAYED["closes on a bare CR or LF"]) as (runner, target):
        asker = Asker(target, runner.run(manner(target)), BODY.opening(0))
        assert runner.run(asker.say(symbols(b"x\r"))) == "closed"
        assert runner.run(asker.say(symbols(b"x\r\n"))) == "content"


def test_an_end_is_seen_although_the_server_hangs_up_on_what_follows() -> None:
    with serving(HangingUp) as (runner, target):
        asker = Asker(target, runner.run(manner(target)), BODY.opening(0))
        assert runner.run(asker.say(symbols(b"\r\n.\r\n\0\r\n"))) == "ended"


def test_what_has_been_asked_is_not_asked_again_and_nothing_is_asked_behind_an_end() -> None:
    with played(PLAYED["strict"]) as (runner, target):
        asker = Asker(target, runner.run(manner(target)), BODY.opening(0))
        for word in (b"\r\n.\r\n", b"\r\n.\r\n", b"\r\n.\r\nx", b"\r\n.\r\n.\r\n"):
            assert runner.run(asker.say(symbols(word))) == "ended"
        assert asker.asked == 1


def test_a_server_that_drops_what_is_buffered_behind_an_end_is_asked_at_a_pace() -> None:
    with played(PLAYED["drops what is buffered behind an end"]) as (runner, target):
        assert runner.run(manner(target)).way == "paced"
        with pytest.raises(UntoldError, match=re.escape("an honest message was answered (500,)")):
            runner.run(manner(target, "pipelined"))
