"""Where a row's reader ends content, found fast: its machine unrolled into rows of 256 links.

A refused message may hold 64 KiB of windows, which an attacker chooses: a byte costs one look-up, whatever the row.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

from tidewaiter.lines.machine import Splitter, State
from tidewaiter.lines.symbol import BYTES, symbols
from tidewaiter.model.dialect import Then

_CLASSES = symbols(bytes(range(256)))

Links = list[Any]
"""For each byte the links of the state that follows, or None where the content ends; the last item is the state."""


class Found(NamedTuple):
    """An end of content."""

    content_stop: int
    """Behind the content: at the dot of the end, or where the program answered at once."""
    stop: int
    """Behind the end."""
    then: Then


@dataclass(frozen=True)
class Ends:
    """One row's reader, unrolled; edges of reads are not looked at."""

    splitter: Splitter
    first: Links

    def find(self, wire: bytes, start: int = 0) -> Found | None:
        """Find the end of the content that starts at `start`."""
        links = self.first
        for byte in memoryview(wire)[start:]:
            start += 1
            after = links[byte]
            if after is None:
                return self._found(links, wire, start)
            links = after
        return None

    def _found(self, links: Links, wire: bytes, stop: int) -> Found:
        read = self.splitter.feed(links[-1], _CLASSES[wire[stop - 1]])
        assert read.end is not None  # None in the links means an end
        content_stop = wire.rfind(b".", 0, stop) if read.state.tails else stop
        return Found(content_stop, stop, read.end)


def ends(splitter: Splitter) -> Ends:
    """Unroll a compiled reader."""
    links: dict[State, Links] = {splitter.start: []}
    queue = deque(links)
    while queue:
        state = queue.popleft()
        after: list[Links | None] = []
        for symbol in BYTES:
            read = splitter.feed(state, symbol)
            if read.end is None and read.state not in links:
                links[read.state] = []
                queue.append(read.state)
            after.append(None if read.end else links[read.state])
        links[state] += [after[symbol] for symbol in _CLASSES]
        links[state].append(state)
    return Ends(splitter, links[splitter.start])
