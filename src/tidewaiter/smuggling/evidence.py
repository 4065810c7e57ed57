"""What an odd message would have done elsewhere: which known programs would have read how many messages in it.

It is taken from the reader's raw windows, after the reply, off the loop; of what is beyond them it knows nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tidewaiter.model.dialect import Dialect
from tidewaiter.model.oddity import Window
from tidewaiter.smuggling.reading import TRANSACTIONS, SeenTransaction, read

SMUGGLED: Final = "smuggled-message"
SHOWN: Final = 256
"""Bytes of one piece of a peer's text shown in evidence."""


@dataclass(frozen=True, slots=True)
class Smuggled:
    """One message that somebody would have delivered, and who."""

    offset: int
    """Where its content starts, in bytes from the start of the content that carried it."""
    reverse_path: bytes
    forward_paths: tuple[bytes, ...]
    header_from: bytes
    """Its From field, as it would have been delivered."""
    readers: tuple[str, ...]
    """The rows that would have read it so."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the windows of one message show."""

    smuggled: tuple[Smuggled, ...]
    messages: tuple[tuple[str, int], ...]
    """For each row that would have read more than one message, or ended this one too early, how many it read."""
    cut: bool = False
    """A window in which somebody would have done so was cut, or not read to its end: there may be more of it."""


def examine(windows: Iterable[Window], rows: Iterable[Dialect]) -> Evidence:
    """Run every row over every window; a message that several rows see is told once."""
    found: dict[tuple[int, bytes, tuple[bytes, ...], bytes], list[str]] = {}
    counts: dict[str, int] = {}
    cut = False
    readers = [row for row in rows if row.reader]
    for window in joined(windows):
        # What stands before the window is an ordinary byte as far as a row can tell, unless the content begins in it.
        before = b"x" if window.offset else b""
        wire = before + window.raw
        for row in readers:
            first, *others = read(row, wire)
            if first.end is not None and (window.cut or first.span.end < len(wire) - len(b".\r\n")):
                counts[row.id] = counts.get(row.id, 1) + len(others)
                cut = cut or window.cut or len(others) + 1 == TRANSACTIONS
            for each in others:
                key = _key(window.offset - len(before), wire, each)
                found.setdefault(key, []).append(row.id)
    return Evidence(
        tuple(Smuggled(*key, tuple(dict.fromkeys(who))) for key, who in sorted(found.items())),
        tuple(counts.items()),
        cut,
    )


def joined(windows: Iterable[Window]) -> list[Window]:
    """Make one of those that follow each other at once: a smuggled message may reach from one into the next."""
    whole: list[Window] = []
    for each in windows:
        if whole and whole[-1].offset + len(whole[-1].raw) == each.offset:
            before = whole.pop()
            whole.append(Window(before.offset, before.raw + each.raw, each.cut))
        else:
            whole.append(each)
    return whole


def _key(base: int, wire: bytes, each: SeenTransaction) -> tuple[int, bytes, tuple[bytes, ...], bytes]:
    return base + each.span.start, each.reverse_path, each.forward_paths, header_from(each.span.of(wire))


def header_from(content: bytes) -> bytes:
    """Take the From field out of content whose lines may end in anything; empty where there is none."""
    for line in content.replace(b"\r", b"\n").split(b"\n"):
        if line[:5].lower() == b"from:":
            return line[5:].strip()
    return b""


def printable(raw: bytes) -> str:
    """Write a peer's bytes so that they can add no line and no colour to a log or a page."""
    shown = raw[:SHOWN].decode("ascii", "backslashreplace")
    text = "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in shown)
    return text + ("…" if len(raw) > SHOWN else "")
