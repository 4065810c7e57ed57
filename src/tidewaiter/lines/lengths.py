"""Which lines are longer than a line may be, found by leaps of a line's length and not line by line."""

from typing import Final

from tidewaiter.lines.scan import CRLF

LINE_LIMIT: Final = 998
"""RFC 5322 §2.1.1: "Each line of characters MUST be no more than 998 characters ... excluding the CRLF"."""
LISTED: Final = 64


class Lengths:
    """The lines over the limit, by the wire offset of their first byte."""

    __slots__ = ("_known", "_limit", "_start", "_stuffed", "certain", "long")

    def __init__(self, *, stuffed: bool) -> None:
        """Start at a line's first byte; `stuffed` lines may have one dot more, which is not counted."""
        self._stuffed = stuffed
        self._start = 0
        self._limit = LINE_LIMIT
        self._known = False
        self.long: list[int] = []
        self.certain = 0
        """Offset behind the byte that made the first long line one."""

    def feed(self, data: bytes, base: int, stop: int) -> None:
        """Go on with `data`, which begins at wire offset `base` and is judged up to `stop`."""
        start = self._start - base
        while True:
            if 0 <= start < stop:
                dotted = self._stuffed and data[start] == ord(b".")
                self._limit = LINE_LIMIT + dotted
            reach = start + self._limit + len(CRLF)
            # A leap: the last line end that the limit allows is as good as the next one.
            at = -1 if self._known else data.rfind(CRLF, max(start, 0), min(reach, stop))
            if at < 0 and not self._known and stop >= reach - 1:
                self._tell(base, start)
            if at < 0 and self._known:
                at = data.find(CRLF, max(start, 0), stop)
            if at < 0:
                break
            start, self._known = at + len(CRLF), False
        self._start = base + start

    def _tell(self, base: int, start: int) -> None:
        self._known = True
        if not self.long:
            self.certain = base + start + self._limit + 1
        if len(self.long) < LISTED:
            self.long.append(base + start)
