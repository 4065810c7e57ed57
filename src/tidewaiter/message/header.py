"""How long is the header section, and how often was this message received already?

The section ends at the first empty line (RFC 5322 §2.1), however the content was cut.
"""

import re
from typing import Final

from tidewaiter.lines.scan import CRLF

_EMPTY_LINE: Final = CRLF + CRLF
# RFC 5322 §4.5 lets obsolete mail have white space before the colon; a loop must not hide behind it.
_RECEIVED: Final = re.compile(rb"\r\n(?i:received)[ \t]*:")


class HeaderSection:
    """The header section of one message as its content arrives."""

    __slots__ = ("_blocks", "_last", "_limit", "_open", "size")

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` bytes, and know of more only that it is more."""
        self._blocks: list[bytes] = []
        # As if an empty line could begin at once: a message may have no header section at all.
        self._last = CRLF
        self._limit = limit
        self._open = True
        self.size = 0
        """Bytes, without the empty line behind it."""

    @property
    def too_big(self) -> bool:
        """Tell whether it is longer than the limit."""
        return self.size > self._limit

    @property
    def received(self) -> int:
        """Count the `Received` fields."""
        return len(_RECEIVED.findall(CRLF + b"".join(self._blocks)[: self.size]))

    def feed(self, content: bytes) -> None:
        """Go on with the next piece; behind the empty line nothing is looked at."""
        if not self._open:
            return
        data = self._last + content
        at = data.find(_EMPTY_LINE)
        if at < 0:
            self.size += len(content)
        else:
            # The empty line may have begun in an earlier piece, whose bytes were counted as the section's.
            self.size += at + len(CRLF) - len(self._last)
            self._open = False
        self._last = data[-3:]
        self._blocks.append(content)
        if self.size > self._limit:
            self._open = False
            self._blocks.clear()
