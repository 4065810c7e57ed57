"""How does a next hop learn whose mail comes next? By XCLIENT, then by EHLO with the client's own name.

The rules it keeps:

- An envelope follows only where it cannot be taken for another's: what was told before is told anew, or refused.
- A refusal that is about our right to tell is no fault of the client's; any other is about the client, and its answer.
- Behind a second introduction that fails the mail is worth a connection of its own.
"""

from typing import Final, Protocol

from tidewaiter.config.settings import Xclient
from tidewaiter.delivery import meaning
from tidewaiter.delivery.connection import Connection, Holder
from tidewaiter.model.client import Client
from tidewaiter.model.reply import Reply
from tidewaiter.wire import Replied, Verb
from tidewaiter.wire.xclient import NOT_LOOKED_UP


class Introduced(Holder, Protocol):
    """Whose mail it is: the delivery, which holds the connection behind the introduction."""

    origin: Client

    def introduced(self) -> None:
        """Hear that mail of `origin` may follow now."""

    def not_introduced(self, said: Reply, reply: Reply, *, about_us: bool, second: bool) -> None:
        """Hear what the hop said, and what the client is to hear; `second` if another was told of before."""

    def expect(self, connection: Connection, seconds: float) -> None:
        """Wait for a reply."""


class Introduction:
    """One client's, on one connection."""

    __slots__ = ("_connection", "_delivery", "_second")

    def __init__(self, connection: Connection, delivery: Introduced) -> None:
        """Take the connection over until it is done."""
        self._connection = connection
        self._delivery = delivery
        self._second: Final = bool(connection.told)
        """Another client was told of before."""

    def start(self, wanted: Xclient, seconds: float) -> None:
        """Tell what this hop wants to know, unless that is what it knows; each reply within `seconds`."""
        connection, origin = self._connection, self._delivery.origin
        told = attributes(origin, connection.client.offers.xclient) if wanted is not Xclient.OFF else {}
        connection.origin = origin
        if told and told != connection.told:
            connection.told = told
            connection.holder = self
            connection.client.xclient(told)
            self._delivery.expect(connection, seconds)
        elif wanted is Xclient.ON and not told:
            self._delivery.not_introduced(meaning.NO_XCLIENT, meaning.NO_XCLIENT, about_us=True, second=self._second)
        else:
            self._delivery.introduced()

    def replied(self, replied: Replied) -> None:
        """Go on from XCLIENT to EHLO, and from EHLO to the envelope."""
        reply, introducing = replied.reply, replied.verb is Verb.XCLIENT
        if not reply.positive:
            about_us = meaning.about_xclient(reply) if introducing else meaning.about_our_hello(reply)
            self._done()
            heard = meaning.NO_XCLIENT if about_us else reply
            self._delivery.not_introduced(reply, heard, about_us=about_us, second=self._second)
        elif introducing:
            self._connection.client.ehlo(self._delivery.origin.hello)
            self._connection.flush()
        else:
            self._done()
            self._delivery.introduced()

    def early(self, reply: Reply) -> None:
        """There is no content yet."""
        self._delivery.early(reply)

    def lost(self, reason: str) -> None:
        """Say so."""
        self._delivery.lost(reason)

    def writable(self) -> None:
        """Nothing more is to be written."""

    def _done(self) -> None:
        self._connection.holder = self._delivery


def attributes(client: Client, wanted: frozenset[str]) -> dict[str, str]:
    """Give the attributes of XCLIENT that a next hop wants; the names are not looked up, and it hears that."""
    if not wanted:
        return {}
    known = {
        "NAME": NOT_LOOKED_UP,
        "REVERSE_NAME": NOT_LOOKED_UP,
        "ADDR": client.address,
        "PORT": str(client.port),
        "PROTO": client.protocol,
        "HELO": client.hello,
    }
    return {name: value for name, value in known.items() if name in wanted}
