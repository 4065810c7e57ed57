"""What one program would have made of these bytes: its transactions, one after another.

The row's machine says where content ends; the command lines behind a false end are read as that program splits lines.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tidewaiter.lines.ends import Ends, ends
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.pattern import word
from tidewaiter.lines.stages import pipeline
from tidewaiter.lines.symbol import REPRESENTATIVE, Symbol, spell, symbols
from tidewaiter.model.dialect import Dialect, ReaderDialect, Then
from tidewaiter.model.span import Span

TRANSACTIONS: Final = 32
"""Transactions read of one piece of wire; an attacker decides how many there are."""
_FORGETS: Final = (b"RSET", b"EHLO", b"HELO", b"LHLO")


@dataclass(frozen=True, slots=True)
class SeenTransaction:
    """One message as that program would have seen it."""

    reverse_path: bytes
    """As it stood behind `MAIL FROM:`; empty for the message that the wire begins in."""
    forward_paths: tuple[bytes, ...]
    span: Span
    """Where its content stood, without the end."""
    end: Then | None
    """None where the wire stops before an end."""


class _Envelope:
    """What a server keeps between two commands."""

    def __init__(self) -> None:
        self.reverse_path: bytes | None = None
        self.forward_paths: tuple[bytes, ...] = ()

    def obey(self, line: bytes) -> bool:
        """Take one command; True for a DATA that is accepted."""
        verb, path = line[:4].upper(), line.partition(b":")[2].strip()
        if verb in _FORGETS:
            self.forget()
        elif verb == b"MAIL" and self.reverse_path is None:
            self.reverse_path = path
        elif verb == b"RCPT" and self.reverse_path is not None:
            self.forward_paths += (path,)
        return verb == b"DATA" and bool(self.forward_paths)

    def forget(self) -> None:
        self.reverse_path, self.forward_paths = None, ()


def read(dialect: Dialect, wire: bytes) -> tuple[SeenTransaction, ...]:
    """Read `wire`, which begins where content begins, as `dialect` does.

    Raises ValueError for a row that says nothing of how it reads.
    """
    if dialect.reader is None:
        message = f"{dialect.id} says nothing of how it reads"
        raise ValueError(message)
    content = _ends(dialect.reader)
    envelope = _Envelope()
    start: int | None = 0
    found: list[SeenTransaction] = []
    while start is not None and len(found) < TRANSACTIONS:
        end = content.find(wire, start)
        span = Span(start, end.content_stop if end else len(wire))
        found.append(
            SeenTransaction(envelope.reverse_path or b"", envelope.forward_paths, span, end.then if end else None)
        )
        if end is None or end.then.goes_on == "close":
            break
        if end.then.goes_on == "content":
            start = end.stop
            continue
        if not end.then.envelope_kept:
            envelope.forget()
        start = _commands(dialect.reader, wire, end.stop, envelope)
    return tuple(found)


@lru_cache(maxsize=256)
def _ends(reader: ReaderDialect) -> Ends:
    return ends(Splitter(reader))


def _commands(reader: ReaderDialect, wire: bytes, start: int, envelope: _Envelope) -> int | None:
    """Obey commands until DATA is accepted; where its content begins, None when there is none."""
    line_end = _line_end(reader.lines)
    # One search a line, and never again over what was searched: an attacker may send 64 KiB of empty lines.
    while found := line_end.search(wire, start):
        line, start = wire[start : found.start()], found.end()
        if line[:4].upper() == b"QUIT":
            return None
        if envelope.obey(line):
            return start
    return None


@lru_cache(maxsize=256)
def _line_end(lines: tuple[str, ...]) -> re.Pattern[bytes]:
    ends = sorted((spell(word(each)) for each in lines), key=len, reverse=True)
    return re.compile(b"|".join(re.escape(end) for end in ends))


def delivered(dialect: Dialect, wire: bytes) -> bytes:
    """Turn content on the wire into content as the program of `dialect` keeps it."""
    stages = pipeline(dialect.reader.change if dialect.reader else (), scaled=False)
    states, out = stages.feed(stages.start, symbols(wire))
    # No stage moves, adds or drops an ordinary byte, so those that came out are those that went in, in their order.
    ordinary = iter(wire.translate(None, b"\r\n.\0 "))
    return b"".join(
        bytes([next(ordinary)]) if symbol is Symbol.OTHER else REPRESENTATIVE[symbol]
        for symbol in out + stages.finish(states)
    )
