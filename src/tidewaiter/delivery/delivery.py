"""What every way of delivering has in common: the questions, and the answers as values."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store.spool import Spool
from tidewaiter.wire import Offers


@dataclass(frozen=True, slots=True)
class Origin:
    """From whom a transaction comes, as far as a next hop wants to know (XCLIENT)."""

    address: str
    """The client's IP address as text."""
    port: int
    hello: str
    """The name behind HELO or EHLO."""
    protocol: str
    """SMTP or ESMTP: what XCLIENT's PROTO takes."""

    def told(self, wanted: frozenset[str]) -> dict[str, str]:
        """Give the attributes of XCLIENT that a next hop wants; nobody asks DNS, so the name is never known."""
        if not wanted:
            return {}
        known = {
            "NAME": "",
            "ADDR": self.address,
            "PORT": str(self.port),
            "PROTO": self.protocol,
            "HELO": self.hello,
        }
        return {name: value for name, value in known.items() if name in wanted}


class Answer(NamedTuple):
    """What a next hop said to a recipient."""

    reply: Reply
    down: bool = False
    """It is the hop that failed and not the recipient: another hop may be tried."""


class Outcome(NamedTuple):
    """What became of a message."""

    reply: Reply
    """What the client is to hear."""
    hop_reply: str = ""
    """What the next hop said at the end, for the log."""
    doubtful: bool = False
    """The final dot has left and no reply came: the next hop may have it, so it may come twice."""


class Errand(Protocol):
    """Whoever sends: the transaction."""

    def ending(self) -> None:
        """Hear that the last byte is about to leave: from here on the message may be delivered."""

    def outcome(self, outcome: Outcome) -> None:
        """Hear what became of it; the last call."""


class Delivery(Protocol):
    """One transaction at one next hop."""

    @property
    def ended(self) -> bool:
        """The last byte has left, so that abandoning would double it."""

    def rcpt(self, recipient: Address, then: Callable[[Answer], None]) -> None:
        """Ask for one recipient, with one question open at a time."""

    def send(self, prefix: bytes, spool: Spool, errand: Errand) -> None:
        """Hand over `prefix` and the spooled content for the recipients that were accepted."""

    def abandon(self) -> None:
        """Give it up; no call comes back."""


class Hop(Protocol):
    """A next hop that a route names."""

    name: str
    """As the configuration has it."""
    one_recipient: bool
    """It answers for each recipient apart at the end, so a transaction has one (LMTP, Maildir)."""

    @property
    def offers(self) -> Offers | None:
        """What it last offered; None while nobody knows."""

    async def learn(self) -> None:
        """Ask what it offers; come back when that is known, or cannot be known now."""

    def deliver(self, mail: Mail, origin: Origin) -> Delivery:
        """Begin a transaction; nothing is sent before the first recipient."""

    def close(self) -> None:
        """Let go of what is idle, and of the rest when it comes back."""
