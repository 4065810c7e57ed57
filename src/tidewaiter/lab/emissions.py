"""What becomes of each content, as a row's words say, and where a sender makes something else of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Final

from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.stages import RefusedError, pipeline
from tidewaiter.lines.symbol import BYTES, Word, spell, symbols
from tidewaiter.model.dialect import Dialect
from tidewaiter.smuggling.path import Relay, written

LENGTH: Final = 5
"""Longer than any memory that a writer has been seen to have."""
LEAST: Final = 3
"""With shorter contents CR LF . is not among them, so that nothing is seen of how a dot is stuffed behind a line."""
END: Final = b"\r\n.\r\n"

Emissions = Mapping[Word, bytes | None]
"""What became of each content: the bytes of DATA behind 354, or None where nothing was sent."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A content of which sender and row make different things; None is: nothing is sent."""

    content: Word
    sender: bytes | None
    row: bytes | None


def contents(length: int = LENGTH) -> Iterator[Word]:
    """Give every content up to `length` bytes, one byte for each class, shortest first."""
    for size in range(length + 1):
        yield from product(BYTES, repeat=size)


def mismatches(sent: Emissions, said: Emissions) -> list[Mismatch]:
    """Compare what a sender sent with what its row says, shortest content first."""
    return [Mismatch(word, wire, said[word]) for word, wire in sent.items() if wire != said[word]]


def said_by(row: Dialect, words: Iterable[Word]) -> Emissions:
    """Write each content as the row says."""
    assert row.writer
    writes = emitter(row.writer, scaled=False)
    return {word: _spelled(partial(written, writes, word)) for word in words}


def said_by_relay(row: Dialect, words: Iterable[Word]) -> Emissions:
    """Read each word as DATA and write it anew, as the row says: the bodies, without words that its reader ends early.

    A message that its reader refuses is one of which nothing is sent.
    """
    assert row.reader
    assert row.writer
    reads, writes = Splitter(row.reader), emitter(row.writer, scaled=False)
    relay = Relay(reads, pipeline(row.reader.change, scaled=False), writes)
    said: dict[Word, bytes | None] = {}
    for word in words:
        wire = symbols(message(0, word))
        accepted = _accepts(reads, wire)
        if accepted is not None:
            whole = _spelled(partial(relay.passed_on, wire)) if accepted else None
            said[word] = whole and body(whole)
    return said


def refused_by_relay(row: Dialect, words: Iterable[Word]) -> list[Word]:
    """Give the words of which its reader takes no message."""
    assert row.reader
    reads = Splitter(row.reader)
    return [word for word in words if _accepts(reads, symbols(message(0, word))) is False]


def _accepts(reads: Splitter, wire: Word) -> bool | None:
    """Whether the reader takes this message at its last byte; None where it ends elsewhere."""
    state = reads.start
    for place, symbol in enumerate(wire, 1):
        read = reads.feed(state, symbol)
        if read.end:
            refused = read.end.goes_on == "close" or not read.end.accepted
            return False if refused else (True if place == len(wire) else None)
        state = read.state
    return None


def _spelled(write: Callable[[], Word]) -> bytes | None:
    try:
        return spell(write())
    except RefusedError:
        return None


def message(number: int, word: Word) -> bytes:
    """Give a message with its end, whose body is `word`."""
    return b"Subject: number %d\r\n\r\n%b%b" % (number, spell(word), END)


def body(wire: bytes) -> bytes:
    """Give what comes behind the header."""
    return wire.partition(b"\r\n\r\n")[2]
