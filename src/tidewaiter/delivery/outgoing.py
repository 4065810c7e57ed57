"""A message on its way out: our own header field, then the spooled content, never faster than the next hop reads.

What lies in memory goes out in one write, its end with it: an end that is written alone waits 40 ms for a delayed ACK.
What lies in a file is read one block ahead of what is being written.
"""

from collections.abc import Callable
from typing import Final

from tidewaiter.config.settings import Timeouts
from tidewaiter.delivery.connection import Connection
from tidewaiter.model.reply import Reply
from tidewaiter.store.spool import Spool
from tidewaiter.wire import State

UNREADABLE: Final = Reply(451, "4.3.0", ("The message could not be read back from the spool",))


class Outgoing:
    """One message for one connection."""

    __slots__ = (
        "_connection",
        "_ending",
        "_failed",
        "_next",
        "_offset",
        "_prefix",
        "_spool",
        "_timeouts",
        "begun",
    )

    def __init__(self, prefix: bytes, spool: Spool) -> None:
        """Keep what is to be sent."""
        self._prefix = prefix
        self._spool = spool
        self._offset = 0
        self._next: bytes | None = None
        self.begun = False
        """A byte of the body has left: no second try."""

    @property
    def seven_bit(self) -> bool:
        """It holds no octet above 127, so it may go where 8BITMIME is not offered."""
        return self._spool.seven_bit and self._prefix.isascii()

    @property
    def size(self) -> int:
        """Octets altogether, as BDAT counts them."""
        return len(self._prefix) + self._spool.size

    def start(
        self,
        connection: Connection,
        timeouts: Timeouts,
        ending: Callable[[], None],
        failed: Callable[[Reply], None],
    ) -> None:
        """Write; `ending` is called before the last byte leaves, `failed` if the spool cannot be read."""
        self.begun = True
        self._connection = connection
        self._timeouts = timeouts
        self._ending = ending
        self._failed = failed
        connection.client.content(self._prefix)
        if self._spool.in_memory:
            self._write(b"".join(self._spool.blocks))
        else:
            self._read()

    def writable(self) -> None:
        """Go on: what was written has gone."""
        self._connection.expect(self._timeouts.block)
        if self._next is not None:
            self._write(self._next)

    def _read(self) -> None:
        self._spool.read(self._offset, self._have)

    def _have(self, block: bytes | Exception) -> None:
        self._connection.run(self._take, block)

    def _take(self, block: bytes | Exception) -> None:
        if not self._connection.alive:
            return
        if isinstance(block, Exception) or not block:
            self._failed(UNREADABLE)
        elif self._connection.stuffed:
            self._next = block
        else:
            self._write(block)

    def _write(self, block: bytes) -> None:
        self._next = None
        self._offset += len(block)
        client = self._connection.client
        client.content(block)
        if self._offset < self._spool.size:
            self._connection.expect(self._timeouts.block)
            self._read()
            return
        # With BDAT the last byte of content is the end: what is said to be ending has not been flushed yet.
        self._ending()
        if client.state is State.CONTENT:
            client.end()
        self._connection.expect(self._timeouts.end)
