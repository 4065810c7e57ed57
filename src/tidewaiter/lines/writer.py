"""The one writer: every byte that we send to a next hop as DATA, and every command, is written here anew.

RFC 5321 §4.5.2: "Before sending a line of mail text, the SMTP client checks the first character of the line.
If it is a period, one additional period is inserted at the beginning of the line."
Content comes from the strict reader, so the only line end in it that can stand before a dot is CR LF.
"""

from typing import Final

from tidewaiter.lines.scan import CRLF

_FORBIDDEN: Final = b"\r\n\0"


class ContentError(ValueError):
    """What was to be written as one line holds a byte that would end it or hide its end."""


class Writer:
    """Content in, DATA out: dots stuffed, the last line ended, then the one end.

    `state` is the last bytes of the content that matter for the next: CR LF (at the start of a line), CR, or none.
    """

    __slots__ = ("state",)

    def __init__(self, state: bytes = CRLF) -> None:
        """Start a message, or go on after `state`."""
        self.state = state

    def write(self, content: bytes) -> bytes:
        """Write the next piece of content, however it was cut."""
        if not content:
            return b""
        data = self.state + content
        before = len(self.state)
        self.state = CRLF if data.endswith(CRLF) else b"\r" if data.endswith(b"\r") else b""
        # Without this line, content that opens a line with a dot could spell the end: a second message follows.
        return data.replace(b"\r\n.", b"\r\n..")[before:]

    def finish(self) -> bytes:
        """End the last line where it is not ended, then end the message."""
        return b".\r\n" if self.state == CRLF else b"\r\n.\r\n"


def command(text: bytes) -> bytes:
    """Write one command line.

    Raises ContentError for CR, LF or NUL: with one, an address could carry a second command to the next hop.
    """
    for byte in _FORBIDDEN:
        if byte in text:
            raise ContentError(f"a command line cannot hold {bytes([byte])!r}")
    return text + CRLF
