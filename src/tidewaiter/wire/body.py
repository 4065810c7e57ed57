"""Content as it comes in, by DATA or by BDAT: read strictly, counted, and refused where it must be.

What is passed on is what will be written: `lines.header` sees to it that the header section ends where it seems to.
"""

from typing import Final, Self

from tidewaiter.lines.header import HeaderWriter
from tidewaiter.lines.reader import Reader
from tidewaiter.model.oddity import Oddity, OddityKind, Window
from tidewaiter.model.position import Position, Positions
from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies

_NEVER: Final = -1
"""DATA has no count: only its end ends it."""


class Body:
    """The content of one message on its way in."""

    __slots__ = ("_header", "_limit", "_refuses", "_size", "last", "left", "reader")

    def __init__(self, positions: Positions, limit: int, *, counted: bool) -> None:
        """Start with nothing; `limit` counts octets of content (RFC 1870 §3)."""
        self.reader = Reader(positions, counted=counted)
        self.last = False
        """What is being read is the end of the message: DATA always, BDAT with LAST."""
        self._header = HeaderWriter()
        self._refuses = positions.header is Position.REFUSE
        self._limit = limit
        self._size = 0
        self.left = _NEVER

    @classmethod
    def of_data(cls, positions: Positions, limit: int) -> Self:
        """Begin behind 354."""
        body = cls(positions, limit, counted=False)
        body.last = True
        return body

    @classmethod
    def of_chunks(cls, positions: Positions, limit: int) -> Self:
        """Begin with the first BDAT, whose count `open_chunk` takes."""
        return cls(positions, limit, counted=True)

    def open_chunk(self, count: int, *, last: bool) -> None:
        """Expect `count` octets more."""
        self.left = count
        self.last = last

    def read(self, block: bytes) -> tuple[bytes, int, bool]:
        """Return content to pass on, how much of `block` it took, and whether this was the end of it.

        Content beyond the limit, or behind a refused oddity, is not passed on: it is refused at the true end.
        """
        if self.left == _NEVER:
            content, used, ended = self._read_data(block)
        else:
            content, used, ended = self._read_chunk(block)
        # Counted as it came: what is written into the header section is in the budget of our own fields.
        self._size += len(content)
        if self._header.open:
            content = self._header.feed(content)
            if ended and self.last:
                content += self._header.finish()
        return (b"" if self._size > self._limit or self._header_refused else content), used, ended

    def _read_data(self, block: bytes) -> tuple[bytes, int, bool]:
        piece = self.reader.feed(block)
        return piece.content, piece.used, piece.ended

    def _read_chunk(self, block: bytes) -> tuple[bytes, int, bool]:
        # BDAT takes exactly its count (RFC 3030 §2): one octet more would hand content to the command reader,
        # one less would swallow a command.
        used = min(self.left, len(block))
        content = self.reader.feed(block[:used]).content
        self.left -= used
        if self.left == 0 and self.last:
            content += self.reader.finish()
        return content, used, self.left == 0

    @property
    def _header_refused(self) -> bool:
        return self._refuses and self._header.odd >= 0

    @property
    def odd(self) -> OddityKind | None:
        """The kind of oddity for which it is refused."""
        if self.reader.refused is not None:
            return self.reader.refused.kind
        return OddityKind.HEADER if self._header_refused else None

    @property
    def refusal(self) -> Reply | None:
        """Why this content may not be accepted, whatever the application thinks of it."""
        kind = self.odd
        if kind is not None:
            return replies.ODD_CONTENT[kind]
        return replies.TOO_BIG if self._size > self._limit else None

    # What was met on the way.

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """List what was odd, in the order of the wire."""
        found = self.reader.oddities
        # Behind a refusal of the reader nothing is passed on, so what the section would have been is not known.
        if self._header.odd < 0 or self.reader.refused is not None:
            return found
        mine = Oddity(OddityKind.HEADER, self._header.odd)
        return tuple(sorted((*found, mine), key=lambda oddity: oddity.offset))

    @property
    def windows(self) -> tuple[Window, ...]:
        """Raw bytes around the oddities that are bytes."""
        return self.reader.windows

    @property
    def at_least(self) -> bool:
        """There was more than is listed."""
        return self.reader.at_least

    @property
    def offset(self) -> int:
        """Wire bytes read so far."""
        return self.reader.offset
