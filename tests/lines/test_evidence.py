"""Evidence: which bytes around oddities are kept, whatever the blocks, against the rule said in other words."""

import random
from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from tidewaiter.lines.evidence import BEFORE, WINDOW_BYTES, WINDOWS, Evidence
from tidewaiter.model.oddity import Window

WIRE = random.Random(7).randbytes(200_000)  # noqa: S311 - any bytes that tell one offset from another
GAPS = st.lists(st.sampled_from([0, 1, 7, 8, 9, 1015, 1016, 1017, 1024, 1500]), max_size=100)
BLOCKS = st.lists(st.sampled_from([1, 5, 15, 16, 17, 900, 4096, 65_536]), min_size=1)


def kept(offsets: Iterable[int]) -> tuple[list[range], bool]:
    """Eight bytes before an oddity and what follows, a KiB in all; none twice, no more than 64 KiB; was there more?"""
    spans: list[range] = []
    more = False
    for offset in offsets:
        end = spans[-1].stop if spans else 0
        if offset >= end and len(spans) < WINDOWS:
            start = max(offset - BEFORE, end)
            spans.append(range(start, start + WINDOW_BYTES))
        else:
            more = more or offset >= end
    return spans, more


def watch(evidence: Evidence, offsets: Iterable[int], blocks: list[int]) -> None:
    """Feed the wire in blocks of these sizes, over and over; an oddity is told with the block that it lies in."""
    left, at, turn = sorted(offsets), 0, 0
    while at < len(WIRE):
        block = WIRE[at : at + blocks[turn % len(blocks)]]
        while left and left[0] < at + len(block):
            evidence.open(left.pop(0))
        evidence.feed(block, at)
        at, turn = at + len(block), turn + 1


def windows(spans: Iterable[range]) -> tuple[Window, ...]:
    return tuple(Window(span.start, WIRE[span.start : span.stop], span.stop < len(WIRE)) for span in spans)


def offsets_of(gaps: Iterable[int]) -> list[int]:
    offsets = [0]
    for gap in gaps:
        offsets.append(offsets[-1] + gap)
    return offsets[1:]


@example(gaps=[1], blocks=[4096])
@example(gaps=[1016, 1024], blocks=[4096])
@example(gaps=[1500] * 100, blocks=[900])
@given(gaps=GAPS, blocks=BLOCKS)
def test_what_is_around_each_oddity_is_kept_whatever_the_blocks(gaps: list[int], blocks: list[int]) -> None:
    offsets, evidence = offsets_of(gaps), Evidence()
    watch(evidence, offsets, blocks if sum(blocks) / len(blocks) >= 100 else [*blocks, 4096])
    assert evidence.windows() == windows(kept(offsets)[0])
    assert evidence.full is kept(offsets)[1]


@given(gaps=GAPS, then=st.sampled_from([0, 8, 1500, 70_000]))
def test_behind_a_refusal_all_room_that_is_left_is_kept(gaps: list[int], then: int) -> None:
    offsets, evidence = offsets_of(gaps), Evidence()
    for offset in offsets:
        evidence.open(offset)
    refused = (offsets[-1] if offsets else 0) + then
    evidence.open_rest(refused)
    evidence.feed(WIRE, 0)
    spans, _ = kept([*offsets, refused])
    spans[-1] = range(spans[-1].start, spans[-1].stop + (WINDOWS - len(spans)) * WINDOW_BYTES)
    assert evidence.windows() == windows(spans)
    assert evidence.cut is (spans[-1].stop < len(WIRE))
    evidence.open(spans[-1].stop)
    assert evidence.full is True
    assert len(evidence.windows()) == len(spans)


def test_a_window_that_the_content_just_fills_is_not_cut() -> None:
    evidence = Evidence()
    evidence.open(0)
    assert evidence.windows() == (Window(0, b""),)
    evidence.feed(WIRE[:WINDOW_BYTES], 0)
    assert (evidence.windows(), evidence.cut) == ((Window(0, WIRE[:WINDOW_BYTES]),), False)
    evidence.feed(b"x", WINDOW_BYTES)
    assert (evidence.windows(), evidence.cut) == ((Window(0, WIRE[:WINDOW_BYTES], cut=True),), True)
