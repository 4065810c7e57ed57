"""The examiner: what an odd message would have done elsewhere is told, and no flood of them is waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tidewaiter.gateway.mail.examiner import WAITING, Examiner, Question, answer
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lines.reader import Reader
from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, Positions
from tidewaiter.store.records import Finding

ROWS = tuple(dialects().values())
SMUGGLED = (
    b"Subject: x\r\n\r\nHi.\n.\r\n"
    b"MAIL FROM:<x@y.test>\r\nRCPT TO:<c@inside.test>\r\nDATA\r\nFrom: boss\r\n\r\nx\r\n.\r\n"
)


def question(content: bytes, positions: Positions = STRANGERS_DATA) -> Question:
    reader = Reader(positions)
    reader.feed(content)
    return Question.about(reader.oddities, reader.windows, at_least=reader.at_least)


@asynccontextmanager
async def examiner() -> AsyncIterator[Examiner]:
    made = Examiner(asyncio.get_running_loop())
    try:
        yield made
    finally:
        await made.close()


def test_a_smuggled_message_is_shown_as_it_would_have_been_delivered() -> None:
    [finding] = answer(question(SMUGGLED), ROWS)
    assert finding.rule == "smuggled-message"
    reading = next(reading for reading in finding.readings if "aiosmtpd-1.4.4" in reading.programs)
    assert (reading.messages, reading.recipients, reading.from_) == (2, ("<c@inside.test>",), "boss")
    assert reading.reverse_path == "<x@y.test>"


def test_an_odd_byte_that_fools_nobody_is_told_by_its_kind() -> None:
    [finding] = answer(question(b"Subject: x\r\n\r\na\0b\r\n.\r\n"), ROWS)
    assert (finding.rule, finding.offset) == ("nul", 15)
    assert all(reading.messages == 1 for reading in finding.readings)


@pytest.mark.parametrize("filler", [b"x" * 70 + b"\r\n", b"x\n"])
@pytest.mark.parametrize("kib", [1, 3, 50])
def test_no_filler_hides_what_is_smuggled_behind_a_first_odd_byte(filler: bytes, kib: int) -> None:
    decoy = b"Subject: x\r\n\r\na\nb\r\n" + filler * (kib * 1024 // len(filler))
    [finding] = answer(question(decoy + SMUGGLED), ROWS)
    assert finding.rule == "smuggled-message"
    assert {"<c@inside.test>"} == {path for reading in finding.readings for path in reading.recipients}


def test_more_filler_than_is_kept_is_not_taken_for_all_there_was() -> None:
    [finding] = answer(question(b"a\nb\r\n" + b"x" * 70_000 + SMUGGLED), ROWS)
    assert finding.at_least


def test_what_is_examined_is_bounded_whatever_was_sent() -> None:
    asked = question(b"\n.\n" * 100_000 + b"\r\n.\r\n")
    assert sum(len(window.raw) for window in asked.windows) == 64 * 1024


def test_where_more_was_odd_than_is_listed_it_says_at_least() -> None:
    [finding] = answer(question(b"\n.\n" * 100_000 + b"\r\n.\r\n", STRANGERS_BDAT), ROWS)
    assert finding.at_least
    told = answer(question(SMUGGLED[:17] + SMUGGLED[17:-5] * 200, STRANGERS_BDAT), ROWS)
    assert told[0].at_least
    [finding] = answer(question(b"\n" * 10 + b"\r\n.\r\n", STRANGERS_BDAT), ROWS)
    assert not finding.at_least


async def test_a_flood_of_odd_messages_is_told_by_the_first_of_them() -> None:
    told: list[tuple[Finding, ...]] = []
    async with examiner() as made:
        for _ in range(WAITING + 10):
            made.ask(question(SMUGGLED), told.append)
        assert told == [(Finding(rule="bare-lf", offset=17),)] * 10
        while len(told) < WAITING + 10:
            await asyncio.sleep(0.01)
    assert all(findings[0].rule == "smuggled-message" for findings in told[10:])


async def test_who_leaves_tells_what_waits_without_readings() -> None:
    told: list[tuple[Finding, ...]] = []
    async with examiner() as made:
        made.ask(question(SMUGGLED), told.append)
    assert told == [(Finding(rule="bare-lf", offset=17),)]


def test_who_would_only_have_ended_it_early_has_seen_one_message() -> None:
    [finding] = answer(question(b"Subject: x\r\n\r\na\n.\r\nb\r\n.\r\n"), ROWS)
    assert finding.rule == "bare-lf"
    assert [(reading.messages, reading.recipients) for reading in finding.readings] == [(1, ())]
    assert "aiosmtpd-1.4.4" in finding.readings[0].programs
