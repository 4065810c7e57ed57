"""An SMTP reply as a value that cannot hold a second line.

Its lines are printable ASCII and nothing else, which is checked when it is made: whatever a next hop or a lookup put
into one, what we send to a client, write to a log or show on a page stays on its line.
"""

import re
from dataclasses import dataclass
from typing import Final, Self

LINE_LIMIT: Final = 512
"""RFC 5321 §4.5.3.1.5: "The maximum total length of a reply line including the reply code and the <CRLF> is 512"."""
TEXT_LIMIT: Final = LINE_LIMIT - len("250-5.100.100 \r\n")

# The whole of what may be sent, tested on what will be sent: one code, printable lines, CR LF behind each and nowhere
# else. Everything that a reply cannot do to a client, a log or a page follows from this line.
_WIRE: Final = re.compile(r"(?:([2-5][0-9]{2})-[ -~]{0,506}\r\n(?=\1))*[2-5][0-9]{2} [ -~]{0,506}\r\n")
_UNPRINTABLE: Final = re.compile(r"[^ -~]")
_ENHANCED: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


class ReplyError(ValueError):
    """A reply was made that may not be sent: this is our bug, never the peer's."""


@dataclass(init=False, unsafe_hash=True, slots=True)
class Reply:
    """A reply: its code, its enhanced status code, its lines."""

    code: Final[int]
    enhanced: Final[str]
    """`class.subject.detail` (RFC 3463 §2); empty where RFC 2034 §4 has none: greeting, EHLO and HELO, 3xx."""
    lines: Final[tuple[str, ...]]
    wire: Final[bytes]
    """The reply as it is sent, each line ended by CR LF."""

    # Written out because the one of `dataclass` is not compiled, and each message has replies of its own.
    def __init__(self, code: int, enhanced: str, lines: tuple[str, ...]) -> None:
        """Check, and write once, what may be sent many times.

        Raises ReplyError for anything that is not one reply of printable lines, and for an enhanced status code of
        another class than the reply's.
        """
        space = f"{enhanced} " if enhanced else ""
        wire = "".join([f"{code}-{space}{line}\r\n" for line in lines[:-1]]) if len(lines) > 1 else ""
        if lines:
            wire += f"{code} {space}{lines[-1]}\r\n"
        if not _WIRE.fullmatch(wire) or len(lines) != wire.count("\n"):
            raise ReplyError((code, enhanced, lines))
        if enhanced and not (_ENHANCED.fullmatch(enhanced) and enhanced[0] == wire[0]):
            raise ReplyError((code, enhanced, lines))
        self.code = code
        self.enhanced = enhanced
        self.lines = lines
        self.wire = wire.encode("ascii")

    @classmethod
    def of(cls, code: int, enhanced: str, *lines: str) -> Self:
        """Make a reply of text from anywhere: what is not printable becomes `?`, what is too long is cut."""
        return cls(code, enhanced, tuple([_UNPRINTABLE.sub("?", line[:TEXT_LIMIT]) for line in lines]))

    def with_enhanced(self) -> Self:
        """Give a final reply that has no enhanced status code the undefined one of its class (RFC 3463 §3.1)."""
        kind = self.code // 100
        if self.enhanced or kind == _INTERMEDIATE:
            return self
        return type(self)(self.code, f"{kind}.0.0", self.lines)

    @property
    def positive(self) -> bool:
        """Go on: 2xx, or 3xx which asks for more (RFC 5321 §4.2.1)."""
        return self.code < _NEGATIVE

    @property
    def permanent(self) -> bool:
        """Do not come again: 5xx."""
        return self.code >= _PERMANENT

    def __str__(self) -> str:
        """Write it on one line, for a log."""
        head = f"{self.code} {self.enhanced}" if self.enhanced else str(self.code)
        text = " / ".join(self.lines)
        return f"{head} {text}" if text else head


_INTERMEDIATE: Final = 3
_NEGATIVE: Final = 400
_PERMANENT: Final = 500
