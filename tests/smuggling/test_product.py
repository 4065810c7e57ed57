"""The product: attacks are shortest and real, and safe means that a search finds none."""

from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.smuggling.rows import (
    CAREFUL,
    CLEAN,
    CLOSING,
    DISCARDING,
    EDGY,
    LAX,
    LOOSE,
    MANUFACTURING,
    PASSING,
    STAYING,
    reader,
    writer,
)
from tidewaiter.lines.ends import ends
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.stages import RefusedError
from tidewaiter.lines.symbol import BYTES, spell, symbols, visible
from tidewaiter.model.dialect import STRICT, Dialect, Unknown
from tidewaiter.smuggling.path import written
from tidewaiter.smuggling.product import OVERSIZE, Answer, smuggle, source


@pytest.mark.parametrize(
    ("sender", "receiver", "content", "wire"),
    [
        (PASSING, LAX, "LF .", "LF . CR LF . CR LF"),
        (PASSING, LOOSE, "LF .", "LF . CR LF . CR LF"),
        (PASSING, CLEAN, "CR .", "CR . CR LF . CR LF"),
        (MANUFACTURING, STRICT, "CR .", "CR LF . CR LF . CR LF"),
        (writer("unstuffed"), STRICT, ".", ". CR LF . CR LF"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.id,
)
def test_the_shortest_attack_is_found(sender: Dialect, receiver: Dialect, content: str, wire: str) -> None:
    answer = smuggle(sender, (), receiver)
    assert answer.verdict == "attack"
    assert answer.attack is not None
    assert visible(tuple(move for move in answer.attack.content if move != OVERSIZE)) == content
    assert visible(answer.attack.wire) == wire


@pytest.mark.parametrize(
    ("sender", "receiver"),
    [(CAREFUL, LAX), (CAREFUL, LOOSE), (CAREFUL, CLEAN), (PASSING, STRICT), (STRICT, STRICT), (CAREFUL, DISCARDING)],
    ids=lambda row: row.id,
)
def test_a_safe_pair_is_safe_for_every_content_to_length_6(sender: Dialect, receiver: Dialect) -> None:
    assert smuggle(sender, (), receiver).verdict == "safe"
    assert receiver.reader is not None
    reads = ends(Splitter(receiver.reader))
    for length in range(6):
        for content in product(BYTES, repeat=length):
            wire = spell(written(source(sender), content))
            found = reads.find(wire)
            assert found is not None
            assert found.stop >= len(wire) - 1


def test_a_reader_that_closes_cannot_be_given_a_second_message() -> None:
    assert smuggle(PASSING, (), reader("both", "CR LF . CR LF")).verdict == "safe"
    attack = smuggle(PASSING, (), CLOSING).attack
    assert attack is not None
    assert attack.then is None, "it never sees the standard's end, so it swallows the next message"


def test_an_end_after_a_rejection_is_an_attack() -> None:
    attack = smuggle(PASSING, (), DISCARDING).attack
    assert attack is not None
    assert OVERSIZE in attack.content
    assert attack.then is not None
    assert not attack.then.accepted


def test_a_reader_that_reads_on_behind_its_refusal_swallows_the_next_message() -> None:
    attack = smuggle(STRICT, (), STAYING).attack
    assert attack is not None
    assert attack.content == (OVERSIZE,)
    assert attack.then is None
    assert smuggle(STRICT, (), STAYING, limits=False).verdict == "safe"


def test_a_reader_that_ends_where_a_read_begins_is_unsafe_behind_the_standard_itself() -> None:
    assert smuggle(STRICT, (), EDGY).verdict == "attack"


def test_a_reader_that_waits_for_the_end_of_a_read_has_it_behind_the_last_byte() -> None:
    waiting = reader("waiting", "CR LF . CR LF EDGE")
    assert smuggle(STRICT, (), waiting).verdict == "safe"
    assert smuggle(STRICT, (), reader("hasty", "LF . CR LF EDGE", "LF EDGE . CR LF EDGE")).verdict == "safe"
    assert smuggle(PASSING, (), reader("hasty", "LF . CR LF EDGE")).verdict == "attack"


def test_a_relay_that_splits_is_the_hop_that_is_named() -> None:
    relay = Dialect("relay", "relay", (), reader=LAX.reader, writer=CAREFUL.writer)
    attack = smuggle(PASSING, (relay,), STRICT).attack
    assert attack is not None
    assert attack.hop == 0
    assert visible(attack.wire) == "LF . CR LF . CR LF", "what the relay was sent, not what it sends on"
    assert smuggle(CAREFUL, (relay,), LAX).verdict == "safe"


def test_a_relay_can_manufacture_the_end_for_a_strict_reader() -> None:
    relay = Dialect("relay", "relay", (), reader=STRICT.reader, writer=MANUFACTURING.writer)
    attack = smuggle(PASSING, (relay,), STRICT).attack
    assert attack is not None
    assert attack.hop == 1
    assert visible(attack.wire) == "CR LF . CR LF . CR LF"
    assert STRICT.reader is not None
    assert ends(Splitter(STRICT.reader)).find(spell(attack.wire)) is not None


def test_an_unknown_field_is_each_of_its_values() -> None:
    """Promise 9: where one value would be an attack, or none is known, the answer is not safe."""
    both = Dialect(
        "both", "both", (), reader=LAX.reader, unknown=(Unknown("reader", ("a", "b")),), alternatives=(LAX, STRICT)
    )
    neither = Dialect("neither", "neither", (), reader=LAX.reader, unknown=(Unknown("reader"),))
    assert smuggle(PASSING, (), both).verdict == "could not tell"
    assert smuggle(CAREFUL, (), both).verdict == "safe"
    assert smuggle(CAREFUL, (), neither).verdict == "could not tell"


WRITING = (
    "LF -> CR LF", "CR LF -> CR LF; CR -> SP", "CR LF -> CR LF; LF -> SP", "stuff after CR LF", "stuff after LF",
    "CR* LF -> LF", "CR LF -> CR LF; CR -> CR LF", "NUL -> nothing", "refuse NUL", "NUL -> LF",
)  # fmt: skip
READING = (
    "CR LF . CR LF", "LF . CR LF", "LF . LF", "LF . CR* LF", "CR . CR", "CR LF . CR CR LF", "(CR | LF) . (CR | LF)",
)  # fmt: skip
STAGES = st.lists(st.sampled_from(WRITING), max_size=4)
ENDS = st.lists(st.sampled_from(READING), min_size=1, max_size=3, unique=True)


def shortest(sender: Dialect, receiver: Dialect, most: int) -> int | None:
    """How long a shortest attack is, by trying every content; None where none has `most` bytes or fewer."""
    assert receiver.reader is not None
    reads, writes = ends(Splitter(receiver.reader)), source(sender)
    for length in range(most + 1):
        for content in product(BYTES, repeat=length):
            try:
                wire = spell(written(writes, content))
            except RefusedError:
                continue
            found = reads.find(wire)
            if found is None or found.stop < len(wire) - 1:
                return length
    return None


def length_of(answer: Answer) -> int | None:
    return len(answer.attack.content) if answer.attack else None


@pytest.mark.parametrize(
    ("stages", "on", "content"),
    [
        # LF . LF is met first: CR and LF are tried before NUL, and then it splits within what is written.
        (["CR LF -> CR LF; CR -> SP", "stuff after CR LF", "NUL -> nothing"], ["LF . LF", "CR LF . CR LF"], "NUL ."),
        (["CR CR -> CR LF . CR LF; CR -> CR"], ["CR LF . CR LF"], "."),
    ],
)
def test_an_attack_that_the_end_alone_makes_is_met_before_a_longer_one(
    stages: list[str], on: list[str], content: str
) -> None:
    sender, receiver = writer("w", *stages), reader("r", *on)
    attack = smuggle(sender, (), receiver).attack
    assert attack is not None
    assert visible(tuple(move for move in attack.content if move != OVERSIZE)) == content
    assert len(attack.content) == shortest(sender, receiver, 3)


@settings(max_examples=60, deadline=None)
@given(STAGES, ENDS)
def test_the_walk_agrees_with_trying_every_content_to_length_4(stages: list[str], on: list[str]) -> None:
    sender, receiver = writer("w", *stages), reader("r", *on)
    told = length_of(smuggle(sender, (), receiver))
    assert shortest(sender, receiver, 4) == (told if told is not None and told <= 4 else None)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_the_walk_agrees_with_trying_every_content_whatever_two_stages_and_two_ends_there_are() -> None:
    rows = [writer("w", *stages) for count in range(3) for stages in product(WRITING, repeat=count)]
    readers = [reader("r", *on) for count in (1, 2) for on in combinations(READING, count)]
    for sender, receiver in product(rows, readers):
        told = length_of(smuggle(sender, (), receiver))
        found = shortest(sender, receiver, 4)
        assert found == (told if told is not None and told <= 4 else None), (sender.writer, receiver.reader)


def test_what_the_attack_says_is_on_the_wire_does_split() -> None:
    attack = smuggle(PASSING, (), LAX).attack
    assert attack is not None
    assert LAX.reader is not None
    found = ends(Splitter(LAX.reader)).find(spell(attack.wire))
    assert found is not None
    assert found.stop < len(attack.wire) - 1
    assert symbols(spell(attack.wire)) == attack.wire


def test_a_program_that_only_passes_on_is_no_first_writer() -> None:
    assert STRICT.writer is not None
    passing = Dialect("passes-on", "x", (), reader=STRICT.reader, writer=replace(STRICT.writer, passes_on=True))
    with pytest.raises(ValueError, match="can be a relay"):
        smuggle(passing, (), STRICT)
    assert smuggle(STRICT, (passing,), STRICT).verdict in ("safe", "attack")
