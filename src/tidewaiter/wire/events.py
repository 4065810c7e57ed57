"""What the server core tells its application, in the order in which the client said it.

An event that is `Asking` is always the last of its list: nothing behind it is interpreted until `Server.answer`.

Each has its own `__init__`: the one that `dataclass` writes is not compiled, nor is a NamedTuple's, and events are most
of what is made for a message.
"""

from dataclasses import dataclass
from typing import Final

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire.body import Body


@dataclass(init=False, slots=True)
class MailFrom:
    """A transaction is asked for. Answer it: 250, or a refusal, which leaves no transaction."""

    mail: Final[Mail]

    def __init__(self, mail: Mail) -> None:
        """Ask."""
        self.mail = mail


@dataclass(init=False, slots=True)
class RcptTo:
    """A recipient is asked for. Answer it: 250, or a refusal, which leaves the others as they were."""

    recipient: Final[Address]

    def __init__(self, recipient: Address) -> None:
        """Ask."""
        self.recipient = recipient


@dataclass(init=False, slots=True)
class ContentStart:
    """Content wants to come. Answer it: `replies.GO_AHEAD`, or a refusal, which ends the transaction.

    With `chunked` (BDAT) the client does not wait for 354: GO_AHEAD is not sent, a refusal is sent behind the chunk.
    """

    chunked: Final[bool]

    def __init__(self, *, chunked: bool) -> None:
        """Ask."""
        self.chunked = chunked


@dataclass(init=False, slots=True)
class Content:
    """Content as the next hop will see it: unstuffed, repaired, cut anywhere."""

    content: Final[bytes]

    def __init__(self, content: bytes) -> None:
        """Hand it on."""
        self.content = content


@dataclass(init=False, slots=True)
class ChunkEnd:
    """A chunk that is not the last is complete. Answer it: 250, or a refusal, which ends the transaction."""


@dataclass(init=False, slots=True)
class MessageEnd:
    """The one true end. Answer it; the transaction is over then."""

    envelope: Final[Envelope]
    body: Final[Body]
    """Its oddities, evidence and offset: what was met on the way."""

    def __init__(self, envelope: Envelope, body: Body) -> None:
        """Ask."""
        self.envelope = envelope
        self.body = body


@dataclass(init=False, slots=True)
class MessageRefused:
    """The core itself refused the content (an oddity, its size); the reply is on its way, the transaction is over."""

    envelope: Final[Envelope]
    body: Final[Body]
    reply: Final[Reply]

    def __init__(self, envelope: Envelope, body: Body, reply: Reply) -> None:
        """Tell why."""
        self.envelope = envelope
        self.body = body
        self.reply = reply


@dataclass(init=False, slots=True)
class MailRefused:
    """The core itself refused a transaction (the form of MAIL, its place, its size); the reply is on its way."""

    argument: Final[bytes]
    """What the client wrote behind MAIL."""
    reply: Final[Reply]

    def __init__(self, argument: bytes, reply: Reply) -> None:
        """Tell why."""
        self.argument = argument
        self.reply = reply


@dataclass(init=False, slots=True)
class RcptRefused:
    """The core itself refused a recipient (its form, its place, one too many); the reply is on its way."""

    mail: Final[Mail | None]
    argument: Final[bytes]
    """What the client wrote behind RCPT."""
    reply: Final[Reply]

    def __init__(self, mail: Mail | None, argument: bytes, reply: Reply) -> None:
        """Tell why."""
        self.mail = mail
        self.argument = argument
        self.reply = reply


@dataclass(init=False, slots=True)
class Reset:
    """The transaction was given up by the client, or by its breach of the order of commands."""

    reply: Final[Reply]
    """What the client hears: positive behind RSET and its like."""

    def __init__(self, reply: Reply) -> None:
        """Tell why."""
        self.reply = reply


@dataclass(init=False, slots=True)
class StartTls:
    """Send the output, begin the handshake with the next byte, then call `Server.started_tls`."""


@dataclass(init=False, slots=True)
class Close:
    """Send the output, then close: always the last event of a connection. It ends a transaction too."""

    reply: Final[Reply | None]
    """Why: 221 after QUIT, 421, 500, 554; None where nothing could be said any more."""

    def __init__(self, reply: Reply | None) -> None:
        """Tell why."""
        self.reply = reply


Asking = MailFrom | RcptTo | ContentStart | ChunkEnd | MessageEnd
Event = Asking | Content | MessageRefused | MailRefused | RcptRefused | Reset | StartTls | Close
