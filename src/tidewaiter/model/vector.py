"""A vector: bytes with a name and the claim they test, and what must come of them, typed by hand.

Nothing here is computed by our reader or writer: what is expected was worked out from the standard and from
`Positions`, so that a bug in our code cannot excuse itself.

Every vector stands between two honest messages on one connection: the first one proves that the session was sound,
the last one that nothing was left behind.
"""

from dataclasses import dataclass
from typing import Literal

Side = Literal["client", "next hop"]
"""Who sends the bytes: a client to our server, or a next hop to our client."""

Placed = Literal["note", "repair", "refuse", "strangers"]
"""Where the protective settings stand: all of them at one position, or at the defaults for strangers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What must come of one content in one position."""

    reply: str
    """How the reply to the true end begins: "250", "550 5.6.0"."""
    delivered: bytes | None = None
    """The content that the next hop must hold when it has undone the dot-stuffing, without the `Received` that we
    prepend; None means that nothing may be delivered.  Where it does not end in CR LF (a last BDAT chunk without one)
    a next hop that takes DATA gets that CR LF besides."""
    closed: bool = False
    """The connection is closed behind the reply."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What must come of one content, by position."""

    note: Outcome
    repair: Outcome
    refuse: Outcome
    strangers: Outcome


@dataclass(frozen=True, slots=True)
class ContentVector:
    """Bytes placed as the content of one message.

    As DATA the wire is `content`, then ". CR LF"; what `content` says in the middle must not end it, and it ends in
    CR LF (or is empty), so that this is the true end.  As BDAT the wire is `content` counted, in one chunk or several.
    """

    name: str
    claim: str
    content: bytes
    bdat: Outcomes
    data: Outcomes | None = None
    """None where the content can only be counted: behind 354 it would mean something else."""
    known: tuple[str, ...] = ()
    """CVE numbers and programs that got it wrong."""


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes that one side sends, and what the other must then have said before the next step begins."""

    send: bytes = b""
    expect: tuple[str, ...] = ()
    """How each reply begins, one for each reply (side "client"), or each command line of ours (side "next hop").
    An empty tuple means silence: not one byte may come."""
    tls: bool = False
    """A TLS handshake follows the expected lines."""
    together: bool = False
    """All of `send` is on the wire before the first of it can be answered, so it may not be cut at a line's end:
    cut there, a reply would come between, and the rest would be in order."""
    closed: bool = False
    """Our side closes the connection behind what is expected."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that must have reached the next hop, and in this order."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    """As in `Outcome.delivered`."""


@dataclass(frozen=True, slots=True)
class DialogueVector:
    """Steps in a session.

    Side "client": the session has been greeted and EHLO was answered, and no transaction is open; what `needs` names
    was offered.  Side "next hop": from the greeting on; a message of ours waits to be sent.
    """

    name: str
    claim: str
    side: Side
    steps: tuple[Step, ...]
    deliveries: tuple[Delivery, ...] = ()
    """Every message that may be delivered, no other."""
    positions: tuple[Placed, ...] = ("note", "repair", "refuse", "strangers")
    """Where this must come of it; another vector says what comes of it elsewhere."""
    needs: tuple[str, ...] = ()
    """EHLO keywords that our side must have offered, or that our side must want of the next hop."""
    size_limit: int | None = None
    """Octets of the listener's message size limit, where the vector is about passing it."""
    early: bool = False
    """The first step's bytes are on the wire before the other side could greet; no EHLO was said."""
    known: tuple[str, ...] = ()


Vector = ContentVector | DialogueVector
