"""The catalogue of vectors is well made: what it types is what its own rules say, judged without any code of ours."""

import re

import pytest

from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.vector import ContentVector, DialogueVector, Outcome, Outcomes

CONTENT = {name: vector for name, vector in vectors().items() if isinstance(vector, ContentVector)}
DIALOGUES = {name: vector for name, vector in vectors().items() if isinstance(vector, DialogueVector)}

BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
KEPT_BADLY = re.compile(rb"(?:\r(?!\n)|(?<!\r)\n|\0)(?:[\r\n\0. ]|\Z)")


def long(content: bytes, *, stuffed: bool) -> bool:
    return any(len(line.removeprefix(b"." * stuffed)) > 998 for line in content.split(b"\r\n"))


def outcomes(vector: ContentVector) -> list[Outcomes]:
    return [found for found in (vector.data, vector.bdat) if found]


@pytest.mark.parametrize("name", CONTENT)
def test_a_repaired_delivery_holds_no_bare_newline_and_no_nul(name: str) -> None:
    for found in outcomes(CONTENT[name]):
        assert found.repair.delivered is not None
        assert not BARE.search(found.repair.delivered)


@pytest.mark.parametrize("name", CONTENT)
def test_a_noted_delivery_keeps_an_odd_byte_only_before_an_ordinary_one(name: str) -> None:
    for found in outcomes(CONTENT[name]):
        assert found.note.delivered is not None
        assert not KEPT_BADLY.search(found.note.delivered)


@pytest.mark.parametrize("name", CONTENT)
def test_what_is_odd_is_refused_and_what_is_honest_is_not(name: str) -> None:
    vector = CONTENT[name]
    refusal = Outcome("550 5.6.0", None, closed=True)
    bare = bool(BARE.search(vector.content))
    assert (vector.bdat.refuse == refusal) is (bare or long(vector.content, stuffed=False))
    if vector.data:
        assert (vector.data.refuse == refusal) is (bare or long(vector.content, stuffed=True))


@pytest.mark.parametrize("name", CONTENT)
def test_strangers_meet_the_defaults(name: str) -> None:
    vector = CONTENT[name]
    if vector.data:
        assert vector.data.strangers == (vector.data.refuse if BARE.search(vector.content) else vector.data.note)
    assert vector.bdat.strangers == (vector.bdat.refuse if b"\0" in vector.content else vector.bdat.repair)


@pytest.mark.parametrize("name", CONTENT)
def test_content_of_data_does_not_hold_the_true_end_and_stops_at_a_line_s_start(name: str) -> None:
    vector = CONTENT[name]
    if vector.data:
        assert b"\r\n.\r\n" not in b"\r\n" + vector.content
        assert (b"\r\n" + vector.content).endswith(b"\r\n")


@pytest.mark.parametrize("name", CONTENT)
def test_every_outcome_is_a_delivery_with_250_or_a_refusal_without_one(name: str) -> None:
    for found in outcomes(CONTENT[name]):
        for outcome in (found.note, found.repair, found.refuse, found.strangers):
            assert (outcome.reply == "250") is (outcome.delivered is not None)
            assert outcome.closed is (outcome.delivered is None)


@pytest.mark.parametrize("name", DIALOGUES)
def test_a_dialogue_ends_with_something_to_judge(name: str) -> None:
    last = DIALOGUES[name].steps[-1]
    assert last.expect or last.closed
    assert all(not step.closed for step in DIALOGUES[name].steps[:-1])


SEQUENCES = {
    "LF . LF": b"\n.\n", "LF . CR LF": b"\n.\r\n", "CR LF . LF": b"\r\n.\n", "CR . CR": b"\r.\r", "CR . LF": b"\r.\n",
    "CR . CR LF": b"\r.\r\n", "LF . CR": b"\n.\r", "CR LF . CR": b"\r\n.\r", "CR LF . CR CR LF": b"\r\n.\r\r\n",
    "CR CR LF . CR CR LF": b"\r\r\n.\r\r\n", "CR LF NUL . CR LF": b"\r\n\0.\r\n", "CR LF . NUL CR LF": b"\r\n.\0\r\n",
    "CR LF . SP CR LF": b"\r\n. \r\n", "CR LF SP . CR LF": b"\r\n .\r\n", "LF CR . LF CR": b"\n\r.\n\r",
    "CR LF . VT CR LF": b"\r\n.\v\r\n", "NEL": b"\x85.\x85",
}  # fmt: skip
"""Every sequence that was ever taken, or tried, for an end."""


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_every_sequence_stands_before_a_whole_transaction(sequence: str) -> None:
    attack = SEQUENCES[sequence] + b"MAIL FROM:<smuggled@outside.example>\r\nRCPT TO:<rcpt@inside.test>\r\nDATA\r\n"
    assert any(attack in vector.content for vector in CONTENT.values())


def test_every_attack_can_be_known_by_its_own_from() -> None:
    smuggled = [vector.content for vector in CONTENT.values() if b"MAIL FROM:" in vector.content]
    assert len(smuggled) > 50
    assert all(b"\r\nFrom: smuggled@outside.example\r\n" in content for content in smuggled)
    assert not any(
        b"From: smuggled@outside.example" in delivery.content.split(b"\r\n\r\n")[0]
        for vector in DIALOGUES.values()
        for delivery in vector.deliveries
    )
