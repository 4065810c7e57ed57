"""The facts that are kept about mail: one record for each transaction, one for each refusal.

What became of a message is written when the client hears it. What other programs would have read in one with odd bytes
is found out afterwards, and added under the same id.
A record is encoded once, in the worker, as a line of JSON; that line is both the log line and
what the clerk stores. So its names are read by administrators, and a name once given stays.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

Outcome = Literal["delivered", "refused", "deferred", "abandoned", "doubtful"]
"""`delivered`: we said 250. `refused`: 5xx. `deferred`: 4xx, or the client left before the reply to its message.
`abandoned`: the client gave it up, by RSET, QUIT or the like, or left before it sent content.
`doubtful`: the next hop may have the message though we did not say 250, or to a client that had closed its half of
the connection and may not have heard it; so it may come twice."""


class Reading(Struct, frozen=True, kw_only=True):
    """How some programs would have read the message: what would have been delivered there."""

    programs: tuple[str, ...]
    """Ids of the dialect rows."""
    messages: int
    """How many messages they would have seen."""
    reverse_path: str = ""
    recipients: tuple[str, ...] = ()
    from_: str = field(name="from", default="")
    """The From field of the smuggled message."""


class Finding(Struct, frozen=True, kw_only=True):
    """A rule that fired, and the evidence."""

    rule: str
    offset: int
    """Bytes from the first byte of the content on the wire."""
    readings: tuple[Reading, ...] = ()
    at_least: bool = False
    """There was more that is odd than is counted and examined."""


class Transaction(Struct, frozen=True, kw_only=True, tag_field="event", tag="transaction"):
    """What became of one message, or of one that was begun: written once its outcome is known."""

    time: datetime
    """When the reply was sent, in UTC."""
    id: str
    """Ours; it is in the `Received` field and in our 250."""
    outcome: Outcome
    reply: str
    """Our reply to the client, its first line."""
    listener: str
    """Address and port the client connected to."""
    client: str
    """The client's IP address."""
    helo: str
    tls: str = ""
    """Protocol and cipher; empty without TLS."""
    reverse_path: str
    recipients: tuple[str, ...]
    """The accepted ones."""
    size: int
    """Bytes of content as received."""
    seconds: float
    """From MAIL to our reply."""
    next_hop: str = ""
    next_hop_reply: str = ""
    """Its reply to the final dot."""
    queue_id: str = ""
    """The id that the next hop gave it, as far as its reply tells."""
    oddities: dict[str, int] = {}
    """How many of each kind, by the kind's name."""
    findings: tuple[Finding, ...] = ()
    """Where there are oddities, what is known at once; `Findings` with the same id has what other programs read."""


class Findings(Struct, frozen=True, kw_only=True, tag_field="event", tag="findings"):
    """What was found out about an odd message behind the reply: it replaces the findings of its transaction."""

    time: datetime
    id: str
    """The transaction's."""
    findings: tuple[Finding, ...]


class Refusal(Struct, frozen=True, kw_only=True, tag_field="event", tag="refusal"):
    """A connection, command or recipient that we refused."""

    time: datetime
    id: str
    stage: Literal["connection", "command", "recipient"]
    reason: str
    """A short fixed word or two, never input: it becomes a label of a counter."""
    reply: str
    listener: str
    client: str
    helo: str = ""
    reverse_path: str = ""
    forward_path: str = ""
    next_hop: str = ""
    """The next hop that was asked, in whose place or with whose words we refused."""
    detail: str = ""
    """Of a TLS handshake: why it failed, as OpenSSL says it."""


Record = Transaction | Findings | Refusal
