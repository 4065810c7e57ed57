"""What SMTP carries around a message: who sent it, who is to have it, and what it needs of the next hop."""

from typing import NamedTuple

from tidewaiter.model.address import Address


class Mail(NamedTuple):
    """What one MAIL command asked for (RFC 5321 §4.1.1.2)."""

    sender: Address | None
    """The reverse-path; None is the null sender `<>`."""
    size: int | None = None
    """Octets announced by SIZE (RFC 1870 §6.1), None if it was not given."""
    eight_bit: bool = False
    """BODY=8BITMIME was given (RFC 6152 §3)."""
    utf8: bool = False
    """SMTPUTF8 was given (RFC 6531 §3.4)."""


class Envelope(NamedTuple):
    """One transaction's envelope as it was accepted."""

    mail: Mail
    recipients: tuple[Address, ...]
    """Accepted forward-paths, in order."""
