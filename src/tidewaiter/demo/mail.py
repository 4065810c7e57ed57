"""A message as somebody hands it over, and as it must be written on the wire (RFC 5321 §4.5.2)."""

from dataclasses import dataclass, replace
from typing import Final

from tidewaiter.demo.configuration import INSIDE

END: Final = b".\r\n"


@dataclass(frozen=True, slots=True)
class Mail:
    """Envelope and content."""

    sender: str
    recipient: str
    content: bytes

    def holding(self, content: bytes) -> "Mail":
        """Give the same envelope around another content."""
        return replace(self, content=content)


SMUGGLED: Final = "smuggled@outside.example"
"""Whom the vectors name as the sender of what they hide."""
STRANGER: Final = Mail("honest@outside.example", f"rcpt@{INSIDE}", b"")
USER: Final = Mail(f"user@{INSIDE}", "rcpt@elsewhere.example", b"")


def stuffed(content: bytes) -> bytes:
    """Double the dot that begins a line.

    RFC 5321 §4.5.2: "If it is a period, one additional period is inserted at the beginning of the line."
    """
    return (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]


def unstuffed(wire: bytes) -> bytes:
    """Undo that: what the sender of `wire` meant.

    RFC 5321 §4.5.2: "If the first character is a period and there are other characters on the line, the first
    character is deleted."
    """
    return (b"\r\n" + wire).replace(b"\r\n.", b"\r\n")[2:]
