"""In which modes is a reader asked?  Each is the head of the content, sent before the tested word."""

from dataclasses import dataclass
from typing import Final

LINE: Final = b"x" * 70 + b"\r\n"
LARGEST: Final = 1 << 20
"""A size limit above this is not asked for: every one of some thousand questions would be as large, in bytes."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What stands before the tested word."""

    name: str
    head: bytes
    oversize: bool = False
    """The head goes on until it is larger than the server's limit."""
    in_header: bool = False
    """The word stands in the header, about whose syntax a server may complain, which is not what is asked."""

    def opening(self, limit: int) -> bytes:
        """Give the head as sent to a server with this size limit, in bytes."""
        # Exim and Sendmail count a line as they keep it, with LF alone.
        filling = LINE * (limit // (len(LINE) - 1) + 2) if self.oversize else b""
        return self.head + filling


BODY: Final = Mode("body", b"Subject: t\r\n\r\n")
MODES: Final = {
    mode.name: mode
    for mode in (
        BODY,
        Mode("header", b"Subject: t\r\n", in_header=True),
        Mode("first line", b"", in_header=True),
        Mode("first line ended in LF", b"Subject: t\n\n"),
        Mode("over the size limit", b"Subject: t\r\n\r\n", oversize=True),
    )
}
