"""Bytes in a message that no honest sender writes, and where they stood on the wire."""

from dataclasses import dataclass
from enum import Enum


class OddityKind(Enum):
    """What is odd; the value is the name of its setting in `Positions`."""

    BARE_LF = "bare_lf"
    BARE_CR = "bare_cr"
    NUL = "nul"
    LONG_LINE = "long_line"
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class Oddity:
    """One odd byte, or the start of one odd line."""

    kind: OddityKind
    offset: int
    """Bytes from the first byte of the content, as it came over the wire; for a header, as it would be written."""


@dataclass(frozen=True, slots=True)
class Window:
    """Raw wire bytes around an oddity: the only thing that smuggling evidence is taken from."""

    offset: int
    raw: bytes
    cut: bool = False
    """The content went on behind it."""
