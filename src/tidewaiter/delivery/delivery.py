"""What every way of delivering has in common: the questions, and the answers as values."""

from collections.abc import Callable, Sequence
from math import inf
from typing import Final, Protocol

from tidewaiter.model.address import Address
from tidewaiter.model.client import Client
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store.spool import Spool
from tidewaiter.wire import Offers


class Patience:
    """How long one next hop may take to answer for a recipient, in seconds; then another is asked, or the client."""

    __slots__ = ("answer", "opening")

    def __init__(self, answer: float, opening: float) -> None:
        """Keep both."""
        self.answer: Final = answer
        """For its answer, whatever it takes to get it."""
        self.opening: Final = opening
        """For a connection, where the hop holds none: less where another hop could be asked."""


NO_HURRY: Final = Patience(inf, inf)

CLIENT: Final = "client"
SENDER: Final = "sender"


class Answer:
    """What a next hop said to a recipient."""

    __slots__ = ("about", "down", "reply")

    def __init__(self, reply: Reply, *, down: bool = False, about: str = "") -> None:
        """Keep all three."""
        self.reply: Final = reply
        self.about: Final = about
        """`CLIENT` or `SENDER` where it was said of them, at XCLIENT or MAIL, and not of the recipient."""
        self.down: Final = down
        """It is the hop that failed and not the recipient: another hop may be tried."""


class Outcome:
    """What became of a message."""

    __slots__ = ("doubtful", "hop_reply", "reply")

    def __init__(self, reply: Reply, hop_reply: str = "", *, doubtful: bool = False) -> None:
        """Keep all three."""
        self.reply: Final = reply
        """What the client is to hear."""
        self.hop_reply: Final = hop_reply
        """What the next hop said at the end, for the log."""
        self.doubtful: Final = doubtful
        """The final dot has left and no reply came: the next hop may have it, so it may come twice."""


class OutcomeObserver(Protocol):
    """Whoever sends: the transaction."""

    def ending(self) -> None:
        """Hear that the last byte is about to leave: from here on the message may be delivered."""

    def outcome(self, outcome: Outcome) -> None:
        """Hear what became of it; the last call."""


class Delivery(Protocol):
    """One transaction at one next hop."""

    def rcpt(self, recipient: Address, patience: Patience, then: Callable[[Answer], None]) -> None:
        """Ask for one recipient, with one question open at a time."""

    def send(self, prefix: bytes, spool: Spool, observer: OutcomeObserver) -> None:
        """Hand over `prefix` and the spooled content for the recipients that were accepted."""

    def abandon(self, *, late: bool = False) -> None:
        """Give it up; no call comes back. With `late` it is the next hop that does not answer, which is told."""


class Hop(Protocol):
    """A next hop that a route names."""

    name: str
    """As the configuration has it."""
    one_recipient: bool
    """It answers for each recipient apart at the end, so a transaction has one (LMTP, Maildir)."""

    @property
    def offers(self) -> Offers | None:
        """What it last offered; None while nobody knows."""

    def takes(self, extension: str) -> bool | None:
        """Tell whether it takes what a field of `Offers` names: it has said so lately, it has not, or nobody knows."""

    async def learn(self) -> None:
        """Ask what it offers; come back when that is known, or cannot be known now."""

    def deliver(
        self, mail: Mail, client: Client, accepted: Sequence[Address], lacking: Callable[[str], Reply]
    ) -> Delivery:
        """Begin a transaction; nothing is sent before the first recipient.

        `accepted` is the list of whoever asks, which grows with each recipient that is taken: who is on it is named
        again where the envelope has to be repeated.
        `lacking` gives the reply where this hop does not take the extension that a field of `Offers` names.
        """

    def close(self) -> None:
        """Let go of what is idle, and of the rest when it comes back."""


def nobody(_: object) -> None:
    """Be whoever hears an answer that nobody wants any more: what holds us must not be held by what asks."""
