"""One message as it is read: content for those who deliver it, oddities and raw windows for those who judge it.

Oddities are listed up to the first that is refused; behind it only the true end is looked for.
What is listed and what the windows hold is decided by offsets, never by how the wire was cut:
`test_slicing_never_changes_the_verdict`.
"""

from dataclasses import dataclass
from typing import Final

from tidewaiter.lines.evidence import Evidence
from tidewaiter.lines.lengths import Lengths
from tidewaiter.lines.scan import CHUNK_START, CRLF, DATA_START, ODD_BYTE, ODD_KIND, State, Step, flush, rules_for, step
from tidewaiter.model.oddity import Oddity, OddityKind, Window
from tidewaiter.model.position import Position, Positions

LISTED: Final = 64
"""Oddities listed of one message; beyond them the report says "at least"."""


@dataclass(init=False, slots=True)
class Piece:
    """What one block gave."""

    content: Final[bytes]
    """Unstuffed and repaired: what the next hop will see."""
    used: Final[int]
    """Bytes of the block that belonged to the message."""
    ended: Final[bool]

    # Written out because the one of `dataclass` is not compiled, nor is a NamedTuple's.
    def __init__(self, content: bytes, used: int, *, ended: bool) -> None:
        """Keep all three."""
        self.content = content
        self.used = used
        self.ended = ended


class Reader:
    """The strict reader with its memory: DATA, or with `counted` the content of BDAT chunks."""

    __slots__ = ("_counted", "_evidence", "_lengths", "_odd", "_positions", "_rules", "_state", "offset", "refused")

    def __init__(self, positions: Positions, *, counted: bool = False) -> None:
        """Start behind the CR LF of the DATA command, or with the first octet of the first chunk."""
        self._positions = positions
        self._rules = rules_for(positions)
        self._counted = counted
        self._state = CHUNK_START if counted else DATA_START
        self._lengths = Lengths(stuffed=not counted)
        self._evidence = Evidence()
        self._odd: list[Oddity] = []
        self.offset = 0
        """Wire bytes read so far."""
        self.refused: Oddity | None = None
        """The first oddity that is refused; the answer comes after the true end."""

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """List what was odd, in the order of the wire."""
        if not self._odd and not self._lengths.long:
            return ()
        found = [Oddity(OddityKind.LONG_LINE, start) for start in self._lengths.long]
        return tuple(sorted(self._odd + found, key=lambda oddity: oddity.offset))

    @property
    def windows(self) -> tuple[Window, ...]:
        """Raw bytes around the oddities, for the smuggling evidence alone."""
        return self._evidence.windows()

    @property
    def at_least(self) -> bool:
        """There was more than is listed."""
        # Behind a refusal nothing is looked at, so what was not kept could be anything.
        unseen = self.refused is not None and self._evidence.cut
        return self._evidence.full or unseen or len(self._odd) == LISTED

    def feed(self, block: bytes) -> Piece:
        """Read the next block; what follows `used` bytes of it, once `ended`, is not the message's."""
        before = self._state
        read = step(before, block, self._rules, counted=self._counted)
        self._note(before, block if read.used == len(block) else block[: read.used], read)
        return Piece(b"" if self.refused else read.content, read.used, ended=read.ended)

    def finish(self) -> bytes:
        """End counted content; give what was held back for a next byte, repaired."""
        before = self._state
        read = flush(before, self._rules)
        self._note(before, b"", read)
        return b"" if self.refused else read.content

    def _note(self, before: State, block: bytes, read: Step) -> None:
        start = self.offset
        self.offset += len(block)
        self._state = read.state
        if self.refused is None:
            data = before.held + block
            self._judge(data, start - len(before.held), len(data) - len(read.state.held.removeprefix(CRLF)), read)
        self._evidence.feed(block, start)

    def _judge(self, data: bytes, base: int, stop: int, read: Step) -> None:
        """List what is odd in `data` up to `stop`, and stop at the first oddity that is refused."""
        match = self._rules.refuses.search(data, 0, stop) if read.dirty and self._rules.refuses else None
        if match:
            stop = match.end()
            self.refused = Oddity(ODD_KIND[match.group()], base + match.start())
        self._lengths.feed(data, base, stop)
        if self._positions.long_line is Position.REFUSE and self._lengths.long:
            stop = self._lengths.certain - base
            self.refused = Oddity(OddityKind.LONG_LINE, self._lengths.long[0])
            self._state = read.state._replace(refused=True)
        if read.dirty:
            self._list(data, base, stop)
        if self.refused:
            self._evidence.open_rest(base + stop - 1)

    def _list(self, data: bytes, base: int, stop: int) -> None:
        for match in ODD_BYTE.finditer(data, 0, stop):
            if len(self._odd) == LISTED:
                return
            odd = Oddity(ODD_KIND[match.group()], base + match.start())
            self._odd.append(odd)
            self._evidence.open(odd.offset)
