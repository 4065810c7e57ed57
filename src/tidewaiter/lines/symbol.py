"""Classes of bytes: the alphabet of every machine."""

from enum import IntEnum
from typing import Final


class Symbol(IntEnum):
    """A class of bytes that readers and writers tell apart, or the edge of a read."""

    CR = 0
    LF = 1
    DOT = 2
    NUL = 3
    SP = 4
    OTHER = 5
    EDGE = 6
    """The end of what one read returned: no byte, but some programs behave differently there."""
    # Finer than any row is: what tells a header field from another line, for those who write the header section.
    HT = 7
    COLON = 8
    BEYOND = 9
    """A byte that no name holds: a control, or one beyond ASCII."""
    MORE = 10
    """`>`, which stands before `From` in some files of mailboxes."""
    F = 11
    R = 12
    O = 13  # noqa: E741 - the letter
    M = 14


BYTES: Final = (Symbol.CR, Symbol.LF, Symbol.DOT, Symbol.NUL, Symbol.SP, Symbol.OTHER)
FINE: Final = (
    *BYTES, Symbol.HT, Symbol.COLON, Symbol.BEYOND, Symbol.MORE, Symbol.F, Symbol.R, Symbol.O, Symbol.M,
)  # fmt: skip
REPRESENTATIVE: Final = {
    Symbol.CR: b"\r", Symbol.LF: b"\n", Symbol.DOT: b".", Symbol.NUL: b"\0", Symbol.SP: b" ", Symbol.OTHER: b"x",
    Symbol.EDGE: b"", Symbol.HT: b"\t", Symbol.COLON: b":", Symbol.BEYOND: b"\xff", Symbol.MORE: b">", Symbol.F: b"F",
    Symbol.R: b"r", Symbol.O: b"o", Symbol.M: b"m",
}  # fmt: skip
VISIBLE: Final = {
    Symbol.CR: "CR", Symbol.LF: "LF", Symbol.DOT: ".", Symbol.NUL: "NUL", Symbol.SP: "SP", Symbol.OTHER: "x",
    Symbol.EDGE: "EDGE", Symbol.HT: "HT", Symbol.COLON: ":", Symbol.BEYOND: "FF", Symbol.MORE: ">", Symbol.F: "F",
    Symbol.R: "r", Symbol.O: "o", Symbol.M: "m",
}  # fmt: skip
NAMED: Final = {VISIBLE[symbol]: symbol for symbol in (*BYTES, Symbol.EDGE)}
"""By the words that rows are written in."""

Word = tuple[Symbol, ...]

_SYMBOL_OF: Final = [Symbol.OTHER] * 256
for _symbol in BYTES:
    _SYMBOL_OF[REPRESENTATIVE[_symbol][0]] = _symbol


def symbols(data: bytes) -> Word:
    """Classify each byte of `data`."""
    return tuple(_SYMBOL_OF[byte] for byte in data)


def spell(word: Word) -> bytes:
    """Write a word as bytes, one representative for each class."""
    return b"".join(REPRESENTATIVE[symbol] for symbol in word)


def visible(word: Word) -> str:
    """Write a word so that a person can read it: `LF . CR LF`."""
    return " ".join(VISIBLE[symbol] for symbol in word)
