"""Gateways with one fault each, as values: what the proof is given to refute.

Each is `Ours` with another writer, or with another eye for the end, in its place; nothing is patched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidewaiter.lines.writer import Writer
from tidewaiter.model.position import Position, Positions
from tidewaiter.smuggling.ours import RECEIVED, Block, Ours, State, Writing

if TYPE_CHECKING:
    from collections.abc import Callable

REPAIR: Final = Positions(bare_lf=Position.REPAIR, bare_cr=Position.REPAIR, nul=Position.REPAIR)


class Honest:
    """Our writer, for a fault to be put around; it is compiled, so that it has no subclasses."""

    def __init__(self, state: bytes) -> None:
        self.writer = Writer(state)

    @property
    def state(self) -> bytes:
        """What it remembers."""
        return self.writer.state

    def write(self, content: bytes) -> bytes:
        """Write the next piece of content."""
        return self.writer.write(content)

    def finish(self) -> bytes:
        """End the message."""
        return self.writer.finish()


class BareCr(Honest):
    """A space is written as a CR."""

    def write(self, content: bytes) -> bytes:
        return super().write(content).replace(b" ", b"\r")


class BareLf(Honest):
    """An LF stands where a space should."""

    def write(self, content: bytes) -> bytes:
        return super().write(content).replace(b" ", b"\n")


class Nul(Honest):
    """A space is written as a NUL."""

    def write(self, content: bytes) -> bytes:
        return super().write(content).replace(b" ", b"\0")


class Unstuffed(Honest):
    """No dot is stuffed."""

    def write(self, content: bytes) -> bytes:
        super().write(content)
        return content


class ForgetsAtEdges(Honest):
    """Whether a line has just ended is forgotten from one block to the next."""

    def write(self, content: bytes) -> bytes:
        super().write(content)
        return content.replace(b"\r\n.", b"\r\n..")


class StuffsOnce(Honest):
    """Of the dots in a block the first alone is stuffed: right for as long as each block is a byte."""

    def write(self, content: bytes) -> bytes:
        before = self.state
        super().write(content)
        return (before + content).replace(b"\r\n.", b"\r\n..", 1)[len(before) :]


class StuffsTwice(Honest):
    """A dot that opens a block of one byte is stuffed, wherever it stands."""

    def write(self, content: bytes) -> bytes:
        written = super().write(content)
        return b".." if content == b"." else written


class SecondEnd(Honest):
    """The end is written twice."""

    def finish(self) -> bytes:
        return super().finish() + b".\r\n"


class NoEnd(Honest):
    """The last line is ended, and the message is not."""

    def finish(self) -> bytes:
        return super().finish().removesuffix(b".\r\n")


class EndInALine(Honest):
    """The end is written whether or not the last line has ended."""

    def finish(self) -> bytes:
        return b".\r\n"


class OneByte(Honest):
    """One byte above 127 is written as LF, as a careless conversion between encodings would."""

    def write(self, content: bytes) -> bytes:
        return super().write(content).replace(b"\x85", b"\n")


@dataclass(frozen=True)
class WritesWith(Ours):
    """Our reader, and another writer behind it."""

    by: Callable[[bytes], Writing] = Honest

    def writer(self, state: State) -> tuple[Writing, bytes]:
        """Give the other writer as it stands there."""
        if state.writing is not None:
            return self.by(state.writing), b""
        writer = self.by(b"\r\n")
        return writer, Writer().write(RECEIVED)


class NeverEnds(Ours):
    """No end is seen, so that what follows is taken for content."""

    def pass_on(self, state: State, block: bytes) -> Block:
        """Read on, whatever came."""
        return super().pass_on(state, block)._replace(ended=False)


class ForgetsItsEnd(Ours):
    """Behind content that was refused no end is seen."""

    def pass_on(self, state: State, block: bytes) -> Block:
        """Read on, where the message is lost anyway."""
        passed = super().pass_on(state, block)
        return passed._replace(ended=passed.ended and not passed.state.reading.refused)
