"""What the server core tells its application, in the order in which the client said it.

An event that is `Asking` is always the last of its list: nothing behind it is interpreted until `Server.answer`.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tidewaiter.lines.reader import Reader
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.model.reply import Reply


class MailFrom(NamedTuple):
    """A transaction is asked for. Answer it: 250, or a refusal, which leaves no transaction."""

    mail: Mail


class RcptTo(NamedTuple):
    """A recipient is asked for. Answer it: 250, or a refusal, which leaves the others as they were."""

    recipient: Address


class ContentStart(NamedTuple):
    """Content wants to come. Answer it: `replies.GO_AHEAD`, or a refusal, which ends the transaction.

    With `chunked` (BDAT) the client does not wait for 354: GO_AHEAD is not sent, a refusal is sent behind the chunk.
    """

    chunked: bool


class Content(NamedTuple):
    """Content as the next hop will see it: unstuffed, repaired, cut anywhere."""

    content: bytes


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """A chunk that is not the last is complete. Answer it: 250, or a refusal, which ends the transaction."""


class MessageEnd(NamedTuple):
    """The one true end. Answer it: one reply, or with LMTP one for each recipient; the transaction is over then."""

    envelope: Envelope
    reader: Reader
    """Its oddities, evidence and offset: what was met on the way."""


class MessageRefused(NamedTuple):
    """The core itself refused the content (an oddity, its size); the reply is on its way, the transaction is over."""

    envelope: Envelope
    reader: Reader
    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """The transaction was given up by the client, or by its breach of the order of commands."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """Send the output, begin the handshake with the next byte, then call `Server.started_tls`."""


class Close(NamedTuple):
    """Send the output, then close: always the last event of a connection. It ends a transaction too."""

    reply: Reply | None
    """Why: 221 after QUIT, 421, 500, 554; None where nothing could be said any more."""


Asking = MailFrom | RcptTo | ContentStart | ChunkEnd | MessageEnd
Event = Asking | Content | MessageRefused | Reset | StartTls | Close
