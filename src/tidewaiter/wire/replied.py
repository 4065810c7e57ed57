"""Replies as they are read from a server: strict about CR LF, multi-line, bounded."""

import re
from functools import lru_cache
from typing import Final

from tidewaiter.lines.scan import take_line
from tidewaiter.model.reply import Reply

LINE_LIMIT: Final = 2048
"""RFC 5321 §4.5.3.1.5 says 512; real servers explain themselves at greater length."""
LINES: Final = 128
"""Lines of one reply: no EHLO reply is near it, and a server cannot make us hold more."""

_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED: Final = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)")


class ReplyReader:
    """Bytes in, replies out, one at a time."""

    __slots__ = ("_at", "_code", "_lines", "_unread", "broken")

    def __init__(self) -> None:
        """Start with nothing read."""
        self._unread = b""
        self._at = 0
        self._code = b""
        self._lines: list[str] = []
        self.broken = ""
        """Why the server is not to be believed any more; empty while it is."""

    def feed(self, data: bytes) -> None:
        """Take what came."""
        self._unread = self._unread[self._at :] + data
        self._at = 0

    @property
    def empty(self) -> bool:
        """Nothing is left of what came, not even half a reply."""
        return self._at == len(self._unread) and not self._lines

    def next_reply(self) -> Reply | None:
        """Return the next whole reply; None for want of more bytes, or because of `broken`."""
        while not self.broken:
            text, end, odd, _ = take_line(self._unread, self._at, LINE_LIMIT)
            if end == self._at:
                return None
            if odd is not None:
                self.broken = "a reply line is malformed"
                return None
            self._at = end
            if not self._lines and (reply := _parse_single(text)) is not None:
                return reply
            if self._take_part(text):
                lines, self._lines = self._lines, []
                return _make(int(self._code), lines)
        return None

    def _take_part(self, text: bytes) -> bool:
        """Take one line of several, and say whether it was the last."""
        found = _LINE.fullmatch(text)
        if found is None:
            self.broken = "a reply line is malformed"
        elif self._lines and found[1] != self._code:
            # RFC 5321 §4.2.1 wants one code on all lines; a server that changes it says two things at once.
            self.broken = "a reply changes its code"
        elif len(self._lines) == LINES:
            self.broken = "a reply has too many lines"
        else:
            self._code = found[1]
            self._lines.append((found[3] or b"").decode("ascii", "replace"))
            return found[2] != b"-"
        return False


@lru_cache(maxsize=256)
def _parse_single(text: bytes) -> Reply | None:
    """Read a reply of one line; None if it is not one.

    A next hop says the same few things all day, so what it said is kept: 256 lines of at most 2 KiB.
    """
    found = _LINE.fullmatch(text)
    if found is None or found[2] == b"-":
        return None
    return _make(int(found[1]), [(found[3] or b"").decode("ascii", "replace")])


def _make(code: int, lines: list[str]) -> Reply:
    """Make the value: the enhanced status code of the first line is that of the reply (RFC 2034 §4)."""
    found = _ENHANCED.match(lines[0])
    if found is None or found[1][0] != str(code)[0]:
        return Reply.of(code, "", *lines)
    prefix = found[1]
    return Reply.of(code, prefix, *[line.removeprefix(prefix).removeprefix(" ") for line in lines])
