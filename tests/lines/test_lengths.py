"""Long lines: found by leaps, they are those that counting octet by octet finds, whatever the blocks."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidewaiter.lines.lengths import LINE_LIMIT, LISTED, Lengths

LINES = st.lists(
    st.builds(
        lambda start, length, end: start + b"x" * length + end,
        st.sampled_from([b"", b".", b"..", b"\r", b"\n"]),
        st.sampled_from([0, 1, 996, 997, 998, 999, 1000, 2000]),
        st.sampled_from([b"", b"\r", b"\n", b"\r\r"]),
    ),
    max_size=6,
)
BLOCKS = st.lists(st.sampled_from([1, 2, 500, 998, 999, 1000, 1001, 4096]), min_size=1, max_size=4)


def counted(wire: bytes, *, stuffed: bool) -> list[tuple[int, int]]:
    """Where each long line starts, and behind which octet it was one."""
    found, start = [], 0
    for line in wire.split(b"\r\n"):
        limit = LINE_LIMIT + (stuffed and line.startswith(b"."))
        if len(line) > limit:
            found.append((start, start + limit + 1))
        start += len(line) + 2
    return found


def told(wire: bytes, blocks: list[int], *, stuffed: bool) -> Lengths:
    """Feed it as the reader does: a CR at the end of a block is judged with the octet behind it."""
    lengths, held, at, turn = Lengths(stuffed=stuffed), b"", 0, 0
    while at < len(wire):
        block = wire[at : at + blocks[turn % len(blocks)]]
        at, turn = at + len(block), turn + 1
        data = held + block
        held = b"\r" if data.endswith(b"\r") and at < len(wire) else b""
        lengths.feed(data, at - len(data), len(data) - len(held))
    return lengths


@example(lines=[b"x" * 998], blocks=[4096], stuffed=False)
@example(lines=[b"x" * 999], blocks=[1], stuffed=False)
@example(lines=[b"." + b"x" * 998], blocks=[999], stuffed=True)
@given(lines=LINES, blocks=BLOCKS, stuffed=st.booleans())
def test_long_lines_are_those_that_counting_finds(lines: list[bytes], blocks: list[int], *, stuffed: bool) -> None:
    wire = b"\r\n".join(lines)
    expected = counted(wire, stuffed=stuffed)
    lengths = told(wire, blocks, stuffed=stuffed)
    assert lengths.long == [start for start, _ in expected]
    assert lengths.certain == (expected[0][1] if expected else 0)


@pytest.mark.parametrize("block", [100, 1001, 100_000])
def test_no_more_than_so_many_are_listed(block: int) -> None:
    wire = b"\r\n".join([b"x" * 999] * (LISTED + 2))
    assert told(wire, [block], stuffed=True).long == [1001 * at for at in range(LISTED)]
