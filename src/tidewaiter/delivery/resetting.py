"""How is a connection brought back to where it was before a transaction that was given up?

By RSET, and it is nobody's until the reply has come: a transaction that began before would be the one that is reset.
"""

from typing import Final

from tidewaiter.delivery.connection import Connection
from tidewaiter.delivery.pool import Pool
from tidewaiter.model.reply import Reply
from tidewaiter.wire import Replied, Verb

RESET_SECONDS: Final = 30.0
"""For the reply to RSET, at most: nobody waits for it, and another connection is soon opened."""


class Resetting:
    """Brings a connection back to where it was before the transaction, then back to its pool."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool, connection: Connection) -> None:
        """Take the connection over."""
        self._pool = pool
        self._connection = connection

    def start(self) -> None:
        """Send RSET, which takes any transaction back."""
        self._connection.holder = self
        self._connection.client.rset()
        self._connection.expect(min(self._pool.target.timeouts.mail, RESET_SECONDS))

    def replied(self, replied: Replied) -> None:
        """Hear the reply to RSET, and those to commands before it."""
        if replied.verb is Verb.RSET:
            self._connection.settle()
            if not replied.reply.positive:
                self._pool.news.troubled(Verb.RSET, str(replied.reply))
            self._pool.release(self._connection)

    def early(self, _reply: Reply) -> None:
        """There is no content: count it out all the same."""
        self._pool.drop(self._connection)

    def lost(self, reason: str) -> None:
        """Count it out."""
        self._pool.news.troubled(Verb.RSET, reason)
        self._pool.drop(self._connection)

    def writable(self) -> None:
        """Nothing more is to be written."""
