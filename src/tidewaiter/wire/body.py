"""Content as it comes in, by DATA or by BDAT: read strictly, counted, and refused where it must be."""

from typing import Final, Self

from tidewaiter.lines.reader import Reader
from tidewaiter.model.position import Positions
from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies

_NEVER: Final = -1
"""DATA has no count: only its end ends it."""


class Body:
    """The content of one message on its way in."""

    __slots__ = ("_limit", "_size", "last", "left", "reader")

    def __init__(self, reader: Reader, limit: int) -> None:
        """Start with nothing; `limit` counts octets of content (RFC 1870 §3)."""
        self.reader = reader
        self.last = False
        """What is being read is the end of the message: DATA always, BDAT with LAST."""
        self._limit = limit
        self._size = 0
        self.left = _NEVER

    @classmethod
    def of_data(cls, positions: Positions, limit: int) -> Self:
        """Begin behind 354."""
        body = cls(Reader(positions), limit)
        body.last = True
        return body

    @classmethod
    def of_chunks(cls, positions: Positions, limit: int) -> Self:
        """Begin with the first BDAT, whose count `open_chunk` takes."""
        return cls(Reader(positions, counted=True), limit)

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
        self._size += len(content)
        return (b"" if self._size > self._limit else content), used, ended

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
    def refusal(self) -> Reply | None:
        """Why this content may not be accepted, whatever the application thinks of it."""
        if self.reader.refused is not None:
            return replies.ODD_CONTENT[self.reader.refused.kind]
        return replies.TOO_BIG if self._size > self._limit else None
