"""What a listener says of itself and how much it lets a client do: one value shared by all its connections."""

from dataclasses import dataclass, field, replace
from typing import Final

from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, EnvelopePosition, Positions
from tidewaiter.model.reply import Reply
from tidewaiter.wire.offers import Offers

MEBIBYTE: Final = 1024 * 1024
PIPELINED: Final = 16 * 1024
DEFAULT_OFFERS: Final = Offers(pipelining=True, eight_bit=True, utf8=True, chunking=True)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of each thing one client may ask for; every default says why."""

    line: int = 1000
    """Octets of a command line with its CR LF. RFC 5321 §4.5.3.1.4 wants 512, and SIZE, 8BITMIME and SMTPUTF8 add 53
    for MAIL; long VERP senders need more. It bounds what is held of an unfinished line."""
    size: int = 50 * MEBIBYTE
    """Octets of content, unstuffed (RFC 1870 §3)."""
    recipients: int = 1000
    """Accepted recipients of one transaction; RFC 5321 §4.5.3.1.8 wants at least 100. The next ones get 452 4.5.3, and
    are not counted: who has a long list says all of it. As many may be refused for now by the application since the
    last accepted message, then 421: else the next hop's time is spent on nothing."""
    errors: int = 20
    """Permanent refusals (5xx) since the last accepted message, then 421: it slows the guessing of recipients."""
    idle_commands: int = 100
    """Commands that bring no message nearer (RSET, NOOP, EHLO, tiny chunks …) since the last one, then 421."""
    pipelined: int = PIPELINED
    """Octets kept while an answer is awaited; beyond them `Server.reading` is false. Some 400 RCPT commands."""


@dataclass(frozen=True, slots=True)
class Service:
    """A listener's voice. Make a new one when the offers change; connections keep the one they began with."""

    hostname: str
    offers: Offers = DEFAULT_OFFERS
    """STARTTLS is offered until it is used. SIZE becomes the smaller of what is given here and `limits.size`."""
    limits: Limits = Limits()
    data: Positions = STRANGERS_DATA
    bdat: Positions = STRANGERS_BDAT
    envelope: EnvelopePosition = EnvelopePosition.REPAIR
    adds_host: str = ""
    """Added to a sender that has no domain, as in `MAIL FROM:<root>`; empty for strangers, who are refused."""
    banner: str = "Tidewaiter"
    """What the greeting says behind ESMTP: programs that watch servers look for a word there."""

    size: int = field(init=False)
    """Octets of content that are taken, which is what SIZE offers."""
    greeting: Reply = field(init=False)
    helo: Reply = field(init=False)
    ehlo: Reply = field(init=False)
    ehlo_in_tls: Reply = field(init=False)
    bye: Reply = field(init=False)
    too_many_errors: Reply = field(init=False)
    too_many_commands: Reply = field(init=False)

    def __post_init__(self) -> None:
        """Write what names the host once, not once a connection."""
        size = min(self.offers.size or self.limits.size, self.limits.size)
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "offers", replace(self.offers, size=size))
        plain = self.offers.keywords()
        in_tls = tuple(keyword for keyword in plain if keyword != "STARTTLS")
        for name, reply in (
            ("greeting", Reply(220, "", (f"{self.hostname} ESMTP {self.banner}",))),
            ("helo", Reply(250, "", (self.hostname,))),
            ("ehlo", Reply(250, "", (self.hostname, *plain))),
            ("ehlo_in_tls", Reply(250, "", (self.hostname, *in_tls))),
            ("bye", Reply(221, "2.0.0", (f"{self.hostname} Bye",))),
            ("too_many_errors", self.closing("4.7.0", "Too many errors")),
            ("too_many_commands", self.closing("4.7.0", "Too many commands without a message")),
        ):
            object.__setattr__(self, name, reply)

    def closing(self, enhanced: str, text: str) -> Reply:
        """Make a 421, which may answer any command (RFC 5321 §3.8)."""
        return Reply.of(421, enhanced, f"{self.hostname} {text}")
