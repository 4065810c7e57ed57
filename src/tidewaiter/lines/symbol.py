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


BYTES: Final = tuple(symbol for symbol in Symbol if symbol is not Symbol.EDGE)
REPRESENTATIVE: Final = {
    Symbol.CR: b"\r", Symbol.LF: b"\n", Symbol.DOT: b".", Symbol.NUL: b"\0", Symbol.SP: b" ", Symbol.OTHER: b"x",
    Symbol.EDGE: b"",
}  # fmt: skip
VISIBLE: Final = {
    Symbol.CR: "CR", Symbol.LF: "LF", Symbol.DOT: ".", Symbol.NUL: "NUL", Symbol.SP: "SP", Symbol.OTHER: "x",
    Symbol.EDGE: "EDGE",
}  # fmt: skip
NAMED: Final = {name: symbol for symbol, name in VISIBLE.items()}

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
