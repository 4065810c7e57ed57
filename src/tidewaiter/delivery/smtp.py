"""One transaction at a next hop that speaks SMTP or LMTP.

The envelope can be said more than once: the connection may be taken away while the client is silent, or may turn out
to be dead when it comes from the pool.
Then it is repeated, and a next hop that answers differently makes the whole transaction 451, because the client has
been told otherwise.
Once the first byte of the body has left there is no second try, and from the last byte on there is no giving up.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tidewaiter.config.settings import Xclient
from tidewaiter.delivery.connection import Connection
from tidewaiter.delivery.delivery import Answer, Errand, Origin, Outcome
from tidewaiter.delivery.outgoing import Outgoing
from tidewaiter.delivery.pool import Pool
from tidewaiter.delivery.resetting import RESETTABLE, Resetting
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store.spool import Spool
from tidewaiter.wire import Replied, Verb

LOST: Final = Reply(451, "4.4.2", ("The connection to the next hop was lost, come again",))
CHANGED: Final = Reply(451, "4.5.0", ("The next hop changed its mind, come again",))
NO_XCLIENT: Final = Reply(451, "4.3.5", ("The next hop does not let us say who you are",))
NO_EIGHT_BIT: Final = Reply(550, "5.6.3", ("The next hop does not take 8BITMIME",))
NO_UTF8: Final = Reply(550, "5.6.7", ("The next hop does not take SMTPUTF8",))

CLOSING: Final = 421


class SmtpDelivery:
    """One transaction, with a connection or, for a while, without."""

    __slots__ = (
        "_accepted",
        "_asked",
        "_connection",
        "_errand",
        "_mail",
        "_origin",
        "_outgoing",
        "_pool",
        "_recipient",
        "_refusal",
        "_retried",
        "_then",
        "ended",
    )

    def __init__(self, pool: Pool, mail: Mail, origin: Origin) -> None:
        """Begin without a connection."""
        self._pool = pool
        self._mail = mail
        self._origin = origin
        self._connection: Connection | None = None
        self._accepted: list[Address] = []
        self._recipient: Address | None = None
        """Being asked for."""
        self._then: Callable[[Answer], None] = _nobody
        self._asked: deque[Address] = deque()
        """Said, and not answered yet."""
        self._refusal: Reply | None = None
        self._outgoing: Outgoing | None = None
        self._errand: Errand | None = None
        self._retried = False
        self.ended = False
        """The last byte has left."""

    # What the transaction calls.

    def rcpt(self, recipient: Address, then: Callable[[Answer], None]) -> None:
        """Ask for one recipient."""
        self._recipient = recipient
        self._then = then
        self._go()

    def send(self, prefix: bytes, spool: Spool, errand: Errand) -> None:
        """Hand over the message."""
        self._errand = errand
        self._outgoing = Outgoing(prefix, spool)
        self._go()

    def abandon(self) -> None:
        """Give it up: RSET, or a cut where content has begun, which the next hop throws away."""
        self._recipient = self._errand = None
        self._then = _nobody
        self._pool.busy(self)
        if self._connection is None:
            self._pool.withdraw(self)
        else:
            self.rest()

    # What the pool and the connection call.

    def granted(self, connection: Connection) -> None:
        """Go on with this connection, on which nothing has been asked yet."""
        self._connection = connection
        self._asked.clear()
        self._open(connection)

    def denied(self, reply: Reply) -> None:
        """Do without."""
        self._fail(reply, down=True)

    def rest(self) -> None:
        """Give the connection back as it was found."""
        connection, self._connection = self._connection, None
        assert connection is not None, "only who has a connection is told to rest"
        if connection.client.state in RESETTABLE:
            Resetting(self._pool, connection).start()
        else:
            self._pool.release(connection)

    def replied(self, replied: Replied) -> None:
        """Act on one reply."""
        _ON_REPLY[replied.verb](self, replied.reply)

    def lost(self, _reason: str) -> None:
        """Do without the connection: begin anew where nothing of the body has left."""
        connection, self._connection = self._connection, None
        assert connection is not None, "only who holds a connection hears of its loss"
        self._asked.clear()  # else the retry waits for replies to what was asked on this one
        self._pool.busy(self)
        self._pool.drop(connection)
        if self._recipient is None and self._errand is None:
            return
        begun = self._outgoing is not None and self._outgoing.begun
        if begun or self._retried:
            self._fail(LOST, down=True)
        else:
            self._retried = True
            self._pool.ask(self)

    def writable(self) -> None:
        """Write more of the content."""
        if self._outgoing is not None:
            self._outgoing.writable()

    # What is said, and what is made of the replies.

    def _go(self) -> None:
        connection = self._connection
        if connection is None:
            self._pool.ask(self)
            return
        self._pool.busy(self)
        if self._recipient is not None:
            self._say(connection, (self._recipient,))
        else:
            self._start_content(connection)

    def _open(self, connection: Connection) -> None:
        """Say from whom the mail comes, as far as the next hop wants to know, then the envelope."""
        if connection.origin is self._origin:
            self._say_envelope(connection)
            return
        xclient = self._pool.terms.xclient
        told = self._origin.told(connection.client.offers.xclient) if xclient is not Xclient.OFF else {}
        connection.origin = self._origin
        if told == connection.told:
            if xclient is Xclient.ON and not told:
                self._cut(NO_XCLIENT)
            else:
                self._say_envelope(connection)
        elif told:
            connection.told = told
            connection.client.xclient(told)
            connection.expect(self._pool.target.timeouts.greeting)
        else:
            # It told of another client, and no longer takes XCLIENT: it would take this mail for the other's.
            self._cut(NO_XCLIENT)

    def _introduced(self, reply: Reply) -> None:
        assert self._connection is not None
        if reply.positive:
            self._connection.client.ehlo()
            self._connection.flush()
        else:
            self._cut(NO_XCLIENT)

    def _greeted(self, reply: Reply) -> None:
        assert self._connection is not None
        if reply.positive:
            self._say_envelope(self._connection)
        else:
            self._cut(LOST)

    def _say_envelope(self, connection: Connection) -> None:
        offers = connection.client.offers
        recipient = self._recipient
        utf8 = self._mail.utf8 or (recipient is not None and not recipient.is_ascii)
        if self._mail.eight_bit and not offers.eight_bit:
            self._fail(NO_EIGHT_BIT)
        elif utf8 and not offers.utf8:
            self._fail(NO_UTF8)
        else:
            self._refusal = None
            connection.client.mail(self._mail)
            self._say(connection, (*self._accepted, recipient) if recipient is not None else self._accepted)

    def _say(self, connection: Connection, recipients: Sequence[Address]) -> None:
        self._asked.extend(recipients)
        for recipient in recipients:
            connection.client.rcpt(recipient)
        connection.expect(self._pool.target.timeouts.rcpt)

    def _mail_replied(self, reply: Reply) -> None:
        if not reply.positive:
            self._refusal = CHANGED if self._accepted else reply

    def _rcpt_replied(self, reply: Reply) -> None:
        self._asked.popleft()
        new = not self._asked and self._recipient is not None
        if not new and not reply.positive:
            self._refusal = self._refusal or CHANGED
        if self._asked:
            return
        if new:
            self._answer(self._refusal or reply)
        elif self._refusal is not None:
            self._fail(self._refusal)
        else:
            assert self._connection is not None
            self._start_content(self._connection)

    def _answer(self, reply: Reply) -> None:
        """Answer for the new recipient; the next hop keeps the envelope while the client makes up its mind."""
        connection, recipient = self._connection, self._recipient
        assert connection is not None
        assert recipient is not None
        if self._refusal is not None or reply.code == CLOSING:
            self._fail(reply, down=not reply.permanent)
            return
        if reply.positive:
            self._accepted.append(recipient)
        connection.settle()
        self._recipient = None
        self._pool.silent(self)
        then, self._then = self._then, _nobody
        then(Answer(reply))

    def _start_content(self, connection: Connection) -> None:
        outgoing = self._outgoing
        assert outgoing is not None
        timeouts = self._pool.target.timeouts
        if connection.client.offers.chunking:
            connection.client.bdat(outgoing.size)
            outgoing.start(connection, timeouts, self._ending, self._content_failed)
        else:
            connection.client.data()
            connection.expect(timeouts.data)

    def _data_replied(self, reply: Reply) -> None:
        if reply.positive:
            assert self._connection is not None
            assert self._outgoing is not None
            timeouts = self._pool.target.timeouts
            self._outgoing.start(self._connection, timeouts, self._ending, self._content_failed)
        else:
            self._fail(reply)

    def _ending(self) -> None:
        self.ended = True
        assert self._errand is not None
        self._errand.ending()

    def _content_failed(self, reply: Reply) -> None:
        """Our own spool cannot be read: cut the connection, so that what was sent does not look whole."""
        self._cut(reply)

    def _end_replied(self, reply: Reply) -> None:
        errand, self._errand = self._errand, None
        self._outgoing = None
        if self._connection is not None:
            self._connection.settle()
            self.rest()
        if errand is not None:
            errand.outcome(Outcome(said_to_client(reply), str(reply)))

    # How it fails.

    def _cut(self, reply: Reply) -> None:
        """Fail, and let nobody use this connection again."""
        connection, self._connection = self._connection, None
        assert connection is not None
        connection.abort()
        self._pool.drop(connection)
        self._fail(reply, down=True)

    def _fail(self, reply: Reply, *, down: bool = False) -> None:
        """Answer whoever waits; the next hop is left without a trace of it."""
        if self._connection is not None:
            self._connection.settle()
            self.rest()
        recipient, self._recipient = self._recipient, None
        errand, self._errand = self._errand, None
        if recipient is not None:
            self._then(Answer(said_to_client(reply), down=down))
        elif errand is not None:
            errand.outcome(Outcome(said_to_client(reply), str(reply), doubtful=self.ended))


def said_to_client(reply: Reply) -> Reply:
    """Pass a next hop's reply on, but for 421: it would end a connection on which nothing is wrong."""
    return Reply.of(LOST.code, LOST.enhanced, *reply.lines) if reply.code == CLOSING else reply


def _nobody(_: Answer) -> None:
    """Nobody has asked, or nobody wants to know any more."""


_ON_REPLY: Final[Mapping[Verb, Callable[[SmtpDelivery, Reply], None]]] = {
    Verb.XCLIENT: SmtpDelivery._introduced,
    Verb.EHLO: SmtpDelivery._greeted,
    Verb.HELO: SmtpDelivery._greeted,
    Verb.LHLO: SmtpDelivery._greeted,
    Verb.MAIL: SmtpDelivery._mail_replied,
    Verb.RCPT: SmtpDelivery._rcpt_replied,
    Verb.DATA: SmtpDelivery._data_replied,
    Verb.END: SmtpDelivery._end_replied,
}
