"""Which words does it take to tell a learned machine from the real one?

A search over all words to depth 4 never meets CR LF . CR LF, and with less than this list Exim came out with 8 and
then 13 states; it has 15.  So each hypothesis is tried with: the catalogue; every access word, followed by the
catalogue and by every word of length 3; every transition, followed by short endings, also behind an ordinary byte;
and random words made of line ends and dots.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from random import Random
from typing import Final

from tidewaiter.lines.symbol import BYTES, Symbol, Word, symbols

_ENDS: Final = (b"\r\n", b"\n", b"\r")

ENDINGS: Final[tuple[Word, ...]] = tuple(
    symbols(ending)
    for ending in (
        *(b"." + after for after in (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b" \r\n", b"\0\r\n", b".\r\n")),
        *(before + b"." + after for before, after in product(_ENDS, _ENDS)),
        *(b"\r\r\n." + after for after in (b"\r\n", b"\r\r\n")),
        *(b"\n\r." + after for after in (b"\n\r", b"\r\n")),
        *(before + b"." for before in (b"\r\n", b"\n", b"\r")),
        *(b"\r\n" + odd + b".\r\n" for odd in (b"\0", b" ")),
        *(b"\r\n." + odd + b"\r\n" for odd in (b"\0", b" ")),
    )
)
"""The short endings."""

CATALOGUE: Final[tuple[Word, ...]] = tuple(
    symbols(before + ending)
    for before in (b"", b"x", b"x\r\n", b"x\n", b"x\r")
    for ending in (
        *(one + b"." + other for one, other in product((*_ENDS, b"\r\r\n", b"\n\r", b"\n\n"), (*_ENDS, b"\r\r\n"))),
        b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n .\r\n", b"\r\n. \r\n", b"\r\n..\r\n", b"\n..\n", b"\r\n.x\r\n.\r\n",
    )
)  # fmt: skip
"""Every sequence that is known to have ended a message somewhere, and its near relations, behind five beginnings."""

_PIECES: Final = (b"\r\n", b"\n", b"\r", b".", b".", b".\r\n", b".\n", b"x", b" ", b"\0", b"\r\n.", b"\n.")
_RANDOM: Final = 400
SEED: Final = 5321
"""Random words are the same in every run, so that a machine learned twice is learned alike."""


def chance() -> Iterator[Word]:
    """Give random words, made of line ends and dots rather than of single bytes."""
    rng = Random(SEED)  # noqa: S311 - no secret
    for _ in range(_RANDOM):
        yield symbols(b"".join(rng.choices(_PIECES, k=rng.randrange(3, 9))))


def trials(access: Iterable[Word]) -> list[Word]:
    """Give every word to try a hypothesis with, whose states have these access words, shortest first."""
    access = list(access)
    words = {*CATALOGUE, *chance()}
    threes = list(product(BYTES, repeat=3))
    for word in access:
        words |= {word + ending for ending in (*CATALOGUE, *threes)}
        for symbol, ending in product(BYTES, ENDINGS):
            words |= {(*word, symbol, *ending), (*word, symbol, Symbol.OTHER, *ending)}
    return sorted(words, key=lambda word: (len(word), word))
