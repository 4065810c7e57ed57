"""What a server knows of its client, and every way into and out of a transaction.

`enter` is the only way from one state to another, and outside `TRANSACTION` it leaves no envelope behind: a second
message cannot find the first one's sender or recipients, whatever failed in between (promise 5).
"""

from typing import TYPE_CHECKING, Final

from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.model.position import EnvelopePosition
from tidewaiter.model.reply import Reply
from tidewaiter.wire.events import Close, Event, Reset
from tidewaiter.wire.offers import Offers
from tidewaiter.wire.service import Service
from tidewaiter.wire.states import LAST_OF_GROUP, TRANSACTION, State, Verb

if TYPE_CHECKING:
    from tidewaiter.model.address import Address
    from tidewaiter.wire.body import Body

NOTHING: Final = Offers(enhanced=False)
"""What may be used before EHLO, and behind HELO."""


class Session:
    """The state of one connection; `Server` reads and answers for it."""

    __slots__ = (
        "_at",
        "_errors",
        "_events",
        "_excess",
        "_idle",
        "_out",
        "_unread",
        "body",
        "hello",
        "mail",
        "offers",
        "recipients",
        "service",
        "state",
        "tls",
        "verb",
    )

    def __init__(self, service: Service, *, tls: bool) -> None:
        """Begin before the greeting; with `tls` the connection is inside TLS from its first byte (RFC 8314 §3)."""
        self.service = service
        self.tls = tls
        self.state = State.OPENING
        self.hello = ""
        """The name behind HELO or EHLO, safe for a header."""
        self.verb: Verb | None = None
        """Which of the three it was."""
        self.offers = NOTHING
        """What this client was offered by the reply to it."""
        self.mail: Mail | None = None
        self.recipients: list[Address] = []
        self.body: Body | None = None
        self._unread = b""
        self._at = 0
        self._out: list[bytes] = []
        self._events: list[Event] = []
        # Counted since the last accepted message: 5xx, commands without purpose, recipients refused for now.
        self._errors = self._idle = self._excess = 0

    def output(self) -> bytes:
        """Take what is to be sent: the replies to a whole group at once."""
        said = b"".join(self._out)
        self._out.clear()
        return said

    @property
    def protocol(self) -> str:
        """The `with` protocol of a Received header (RFC 3848, RFC 6531 §4.3); HELO in TLS has no name of its own."""
        if self.verb is Verb.HELO:
            return "SMTP"
        name = "UTF8SMTP" if self.mail is not None and self.mail.utf8 else "ESMTP"
        return name + "S" if self.tls else name

    @property
    def extended(self) -> bool:
        """Whether it said EHLO: behind HELO there are no extensions."""
        return self.verb is not Verb.HELO

    @property
    def loose(self) -> bool:
        """Whether a path that is written oddly, but has one reading, is taken."""
        return self.service.envelope is EnvelopePosition.REPAIR

    @property
    def envelope(self) -> Envelope:
        """The transaction's envelope as it was accepted so far; there is one in the states of `TRANSACTION` only."""
        assert self.mail is not None
        return Envelope(self.mail, tuple(self.recipients))

    def forget(self) -> None:
        """Unlearn who the client said it was: behind the handshake nothing said before it is believed (promise 6)."""
        self.hello = ""
        self.verb = None
        self.offers = NOTHING

    def enter(self, state: State) -> None:
        """Go on in `state`; outside a transaction there is no envelope and no content."""
        self.state = state
        if state not in TRANSACTION:
            self.mail = None
            self.recipients = []
            self.body = None

    def give_up(self, state: State, reply: Reply) -> None:
        """Go on in `state`, and tell the application if `reply` thus ends a transaction that it knows of."""
        if self.mail is not None and state not in TRANSACTION:
            self._events.append(Reset(reply))
        self.enter(state)

    def say(self, reply: Reply) -> None:
        """Send a reply, and count it if it is a permanent refusal."""
        self._out.append(reply.wire)
        if reply.code >= 500:
            self._errors += 1

    def police(self) -> None:
        """End the connection of a client that asks for too much that brings no mail."""
        limits = self.service.limits
        if self._errors >= limits.errors or self._excess > limits.recipients:
            self.hang_up(self.service.too_many_errors)
        elif self._idle >= limits.idle_commands:
            self.hang_up(self.service.too_many_commands)

    def hang_up(self, reply: Reply) -> None:
        """Say why, and close."""
        if self.state is not State.CLOSED:
            self._out.append(reply.wire)
            self.end(reply)

    def end(self, reply: Reply | None) -> None:
        """Close: what the client sent beyond this point is not looked at."""
        if self.state is not State.CLOSED:
            self.enter(State.CLOSED)
            self._unread = b""
            self._at = 0
            self._events.append(Close(reply))

    def ends_group(self, verb: Verb) -> bool:
        """Whether a group had to end with `verb`: if the client sent on, nothing of that may be executed."""
        return not self.offers.pipelining or verb in LAST_OF_GROUP
