"""One client's connection: bytes between its transport and `wire.Server`, events to its transaction.

It keeps three rules.
Replies go out together, when there is nothing left to interpret.
Nothing is read while the client leaves replies unread, while the spool is behind, or while much waits behind a question.
A connection that we end is half-closed first, and what the client still sends is thrown away for a while: else its
unread bytes would make the kernel take our last reply back.
"""

import asyncio
import ssl
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, cast

from tidewaiter.gateway.listening import Listening
from tidewaiter.gateway.transaction import Transaction
from tidewaiter.model.reply import Reply
from tidewaiter.net.deadline import Deadline
from tidewaiter.wire import (
    ChunkEnd,
    Close,
    Content,
    ContentStart,
    Event,
    MailFrom,
    MessageEnd,
    MessageRefused,
    RcptTo,
    Reset,
    Server,
    StartTls,
    replies,
)

LINGER_SECONDS: Final = 5.0
LINGER_BYTES: Final = 1024 * 1024
"""What is thrown away behind our last reply; who sends more does not read it anyway."""


class Session(asyncio.Protocol):
    """The driver of one `wire.Server`."""

    __slots__ = (
        "_closing",
        "_deadline",
        "_listening",
        "_paused",
        "_stuck",
        "_thrown",
        "_transaction",
        "_transport",
        "client",
        "server",
    )

    def __init__(self, listening: Listening) -> None:
        """Wait for the connection."""
        self._listening = listening
        self._transaction: Transaction | None = None
        self._paused = False
        self._stuck = False
        self._closing = False
        self._thrown = 0
