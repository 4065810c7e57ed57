"""What SMTP carries around a message: who sent it, who is to have it, and what it needs of the next hop."""

from dataclasses import dataclass
from typing import Final, Self

from tidewaiter.model.address import Address


@dataclass(init=False, unsafe_hash=True, slots=True)
class Mail:
    """What one MAIL command asked for (RFC 5321 §4.1.1.2)."""

    sender: Final[Address | None]
    """The reverse-path; None is the null sender `<>`."""
    size: Final[int | None]
    """Octets announced by SIZE (RFC 1870 §6.1), None if it was not given."""
    eight_bit: Final[bool]
    """BODY=8BITMIME was given (RFC 6152 §3)."""
    utf8: Final[bool]
    """SMTPUTF8 was given (RFC 6531 §3.4)."""

    # Written out because the one of `dataclass` is not compiled, and every message has one of these.
    def __init__(
        self, sender: Address | None, size: int | None = None, *, eight_bit: bool = False, utf8: bool = False
    ) -> None:
        """Keep all four."""
        self.sender = sender
        self.size = size
        self.eight_bit = eight_bit
        self.utf8 = utf8

    def grown(self, octets: int) -> Self:
        """Announce so many octets more, where any are announced."""
        if self.size is None:
            return self
        return type(self)(self.sender, self.size + octets, eight_bit=self.eight_bit, utf8=self.utf8)


@dataclass(init=False, unsafe_hash=True, slots=True)
class Envelope:
    """One transaction's envelope as it was accepted."""

    mail: Final[Mail]
    recipients: Final[tuple[Address, ...]]
    """Accepted forward-paths, in order."""

    def __init__(self, mail: Mail, recipients: tuple[Address, ...]) -> None:
        """Keep both."""
        self.mail = mail
        self.recipients = recipients
