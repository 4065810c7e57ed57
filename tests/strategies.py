"""What properties draw from: small alphabets, since random bytes almost never spell CR LF dot CR LF."""

from hypothesis import strategies as st

from tidewaiter.lines.symbol import BYTES, Symbol, Word
from tidewaiter.model.position import Position, Positions

PIECES = (
    b"\r\n",
    b"\r",
    b"\n",
    b".",
    b"\0",
    b" ",
    b"x",
    b"\r\n.",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r\n.\r",
    b"\xff\x80",
    b"y" * 333,
)
BYTE_POSITIONS = tuple(
    Positions(bare_lf=lf, bare_cr=cr, nul=nul) for lf in Position for cr in Position for nul in Position
)


def wires(longest: int = 14) -> st.SearchStrategy[bytes]:
    """Bytes in which line ends, dots and oddities meet often."""
    return st.lists(st.sampled_from(PIECES), max_size=longest).map(b"".join)


def words(longest: int = 8) -> st.SearchStrategy[Word]:
    """Words over the classes of bytes."""
    return st.lists(st.sampled_from(BYTES), max_size=longest).map(tuple)


def positions() -> st.SearchStrategy[Positions]:
    """Every position, that of long lines too."""
    long_line = st.sampled_from([Position.NOTE, Position.REFUSE])
    three = [st.sampled_from(Position)] * 3
    return st.builds(Positions, *three, long_line)


@st.composite
def cut(draw: st.DrawFn, wire: bytes) -> list[bytes]:
    """One way to cut `wire` into packets, empty ones among them."""
    cuts = sorted(draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    return [wire[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(wire)], strict=True)]


def bytewise(wire: bytes) -> list[bytes]:
    """Every byte a packet of its own."""
    return [wire[at : at + 1] for at in range(len(wire))]


NEWLINES = (Symbol.CR, Symbol.LF)
