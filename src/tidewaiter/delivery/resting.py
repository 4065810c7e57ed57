"""Who holds a connection that lies idle in its pool? All that can be heard of it is that the next hop ended it."""

from collections.abc import Callable

from tidewaiter.delivery.connection import Connection
from tidewaiter.model.reply import Reply
from tidewaiter.wire import Replied


class Resting:
    """One connection's holder while nobody uses it."""

    __slots__ = ("_connection", "_forget")

    def __init__(self, connection: Connection, forget: Callable[[Connection], None]) -> None:
        """Call `forget` when it is gone."""
        self._connection = connection
        self._forget = forget

    def replied(self, _replied: Replied) -> None:
        """Nothing was asked."""

    def early(self, _reply: Reply) -> None:
        """Nothing was sent."""

    def lost(self, _reason: str) -> None:
        """Have it counted out."""
        self._forget(self._connection)

    def writable(self) -> None:
        """Nothing is to be written."""
