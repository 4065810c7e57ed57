"""One transaction at a next hop that speaks SMTP or LMTP.

The envelope can be said more than once: the connection may be taken away while the client is silent, or may turn out
to be dead or frozen when it comes from the pool.
Then it is repeated, and a next hop that answers differently makes it 451: the client has been told otherwise.
Before the first byte of the body has left, what fails is tried once more, on a connection that was just opened; then
there is no second try, and from the last byte on there is no giving up.
What the next hop said is passed on as `meaning` has it: of the client's mail truly, of us never.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import Final

from tidewaiter.delivery import meaning
from tidewaiter.delivery.connection import Connection
from tidewaiter.delivery.delivery import CLIENT, NO_HURRY, SENDER, Answer, Outcome, OutcomeObserver, Patience, nobody
from tidewaiter.delivery.introduction import Introduction
from tidewaiter.delivery.outgoing import Outgoing
from tidewaiter.delivery.pool import Pool
from tidewaiter.delivery.resetting import Resetting
from tidewaiter.model.address import Address
from tidewaiter.model.client import Client
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store.spool import Spool
from tidewaiter.wire import Replied, Verb


class SmtpDelivery:
    """One transaction, with a connection or, for a while, without."""

    __slots__ = (
        "_about",
        "_accepted",
        "_asked",
        "_connection",
        "_ended",
        "_lacking",
        "_mail",
        "_observer",
        "_outgoing",
        "_pool",
        "_recipient",
        "_refusal",
        "_then",
        "_tries",
        "_until",
        "fresh",
        "origin",
        "patience",
    )

    def __init__(
        self, pool: Pool, mail: Mail, origin: Client, accepted: Sequence[Address], lacking: Callable[[str], Reply]
    ) -> None:
        """Begin without a connection; `lacking` gives the reply where an extension that the mail needs is missing."""
        self._pool = pool
        self._mail = mail
        self.origin = origin
        self._lacking = lacking
        self._connection: Connection | None = None
        self._about = ""  # or of whom the hop said no, before it heard of the recipient
        self._accepted = accepted
        self._recipient: Address | None = None
        """Being asked for."""
        self._then: Callable[[Answer], None] = nobody
        self._asked: deque[Address] = deque()
        """Said, and not answered yet."""
        self._refusal: Reply | None = None
        """What the hop said to MAIL, or to a recipient that it had accepted before."""
        self._outgoing: Outgoing | None = None
        self._observer: OutcomeObserver | None = None
        self._tries = 0
        """How often what is asked now has been tried already."""
        self._ended = False
        """The last byte has left, so that giving up would double it."""
        self.patience = NO_HURRY
        self._until = inf
        """Loop time at which the hop must have answered for the recipient."""
        self.fresh = False

    # What the transaction calls.

    def rcpt(self, recipient: Address, patience: Patience, then: Callable[[Answer], None]) -> None:
        """Ask for one recipient."""
        self._recipient = recipient
        self._then = then
        self._about = ""
        self.patience = patience
        self._until = self._pool.now + patience.answer
        self._go()

    def send(self, prefix: bytes, spool: Spool, observer: OutcomeObserver) -> None:
        """Hand over the message."""
        self._observer = observer
        self._outgoing = Outgoing(prefix, spool)
        self.patience = NO_HURRY
        self._until = inf
        self._go()

    def abandon(self, *, late: bool = False) -> None:
        """Give it up: RSET, or a cut where content has begun, which the next hop throws away."""
        if late and self._connection is not None:
            self._pool.news.troubled(self._connection.place, "no answer in time")
        self._recipient = self._observer = None
        self._then = nobody
        self._tries, self.fresh = 0, False
        self._pool.busy(self)
        if self._connection is None:
            self._pool.withdraw(self)
        else:
            self.rest()

    # What the pool and the connection call.

    def takes(self, connection: Connection) -> bool:
        """Tell whether it can be said truly on this connection whose mail this is, and that of nobody who erred."""
        return not connection.bound or self.origin.is_same(connection.origin)

    def granted(self, connection: Connection) -> None:
        """Go on with this connection, on which nothing has been asked yet."""
        self._connection = connection
        self._asked.clear()
        if self.origin.is_same(connection.origin):
            self._say_envelope(connection)
        else:
            Introduction(connection, self).start(self._pool.terms.xclient, self._pool.target.timeouts.greeting)

    def denied(self, reply: Reply) -> None:
        """Do without."""
        self._fail(reply, down=True)

    def rest(self) -> None:
        """Give the connection back as it was found."""
        connection, self._connection = self._connection, None
        assert connection is not None, "only who has a connection is told to rest"
        client = connection.client
        if client.idle:
            self._pool.release(connection)
        elif not client.resettable or client.outstanding or (connection.bound and self._pool.wanted):
            connection.abort()
            self._pool.drop(connection)
        else:
            self._pool.let_go(connection)
            Resetting(self._pool, connection).start()

    def replied(self, replied: Replied) -> None:
        """Act on one reply."""
        _ON_REPLY[replied.verb](self, replied.reply)

    def early(self, reply: Reply) -> None:
        """End here: the hop has answered before it had all."""
        self._pool.news.troubled("content", f"answered before the end: {reply}")
        self._drop()
        begun = self._outgoing is not None and self._outgoing.begun
        self._over(meaning.early_for_client(reply), str(reply), doubtful=reply.positive and begun)

    def lost(self, reason: str) -> None:
        """Do without the connection: begin anew where nothing of the body has left."""
        self._connection_failed(reason)
        self._pool.busy(self)
        if self._refusal is not None:
            self._fail(self._refusal, down=not self._refusal.permanent)
        elif self._recipient is not None or self._observer is not None:
            self._try_again(meaning.LOST)

    def writable(self) -> None:
        """Write more of the content."""
        if self._outgoing is not None:
            self._outgoing.writable()

    # From whom it comes.

    def introduced(self) -> None:
        """Say the envelope: the hop knows whose it is."""
        assert self._connection is not None
        self._say_envelope(self._connection)

    def not_introduced(self, said: Reply, reply: Reply, *, about_us: bool, second: bool) -> None:
        """Send no envelope: it would be taken for another's."""
        if about_us or second or self._recipient is None or said.code == meaning.CLOSING:
            self._pool.news.troubled(Verb.XCLIENT, str(said))
        if not about_us:
            self._about = CLIENT
        if second:
            self._drop()
            self._try_again(reply)
        else:
            self._cut(reply, down=about_us)

    def expect(self, connection: Connection, seconds: float) -> None:
        """Wait for a reply: what may be tried anew behind it has its share of what is left."""
        if self._until < inf:
            left = max(self._until - self._pool.now, 0.0)
            seconds = min(seconds, left / self._pool.addresses.shares(self._tries, used=connection.used))
        connection.expect(seconds)

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

    # The envelope.

    def _say_envelope(self, connection: Connection) -> None:
        recipient = self._recipient
        utf8 = self._mail.utf8 or (recipient is not None and not recipient.is_ascii)
        if utf8 and not connection.client.offers.utf8:
            self._without("utf8")
            return
        self._refusal = None
        connection.client.mail(self._mail)
        self._say(connection, (*self._accepted, recipient) if recipient is not None else self._accepted)

    def _without(self, extension: str) -> None:
        """Look for a connection that was offered this: a hop may be several servers, of which some do."""
        self.rest()
        self._try_again(self._lacking(extension))

    def _say(self, connection: Connection, recipients: Sequence[Address]) -> None:
        self._asked.extend(recipients)
        for recipient in recipients:
            if not (recipient.is_ascii or connection.client.offers.utf8):
                self._without("utf8")
                return
            connection.client.rcpt(recipient)
        self.expect(connection, self._pool.target.timeouts.rcpt)

    def _mail_replied(self, reply: Reply) -> None:
        if reply.code == meaning.CLOSING:
            self._closing(reply)
        elif not reply.positive:
            assert self._connection is not None
            self.origin = self._connection.err(self.origin)
            self._about = SENDER
            if self._accepted:
                self._changed(Verb.MAIL, reply)
                return
            self._refusal = reply
            if not reply.permanent or reply.code in meaning.ABOUT_US:
                self._pool.news.troubled(Verb.MAIL, str(reply))

    def _rcpt_replied(self, reply: Reply) -> None:
        if reply.code == meaning.CLOSING and self._refusal is None:
            self._closing(reply)
            return
        self._asked.popleft()
        new = not self._asked and self._recipient is not None
        if not new and not reply.positive:
            self._changed(Verb.RCPT, reply)
        if self._asked:
            return
        if new:
            self._answer(self._refusal or reply)
        elif self._refusal is not None:
            self._fail(self._refusal)
        else:
            assert self._connection is not None
            self._start_content(self._connection)

    def _changed(self, verb: Verb, reply: Reply) -> None:
        """The client was told otherwise of what is repeated here."""
        self._pool.news.troubled(verb, f"changed to {reply}")
        self._refusal = self._refusal or meaning.CHANGED

    def _answer(self, reply: Reply) -> None:
        """Answer for the new recipient; the next hop keeps the envelope while the client makes up its mind."""
        connection = self._connection
        assert connection is not None
        if reply.code in meaning.ABOUT_US and self._refusal is None:
            self._pool.news.troubled(Verb.RCPT, str(reply))
        if not reply.positive:
            self.origin = connection.err(self.origin)
        if self._refusal is not None:
            self._fail(reply, down=not reply.permanent or reply.code in meaning.ABOUT_US)
            return
        connection.settle()
        self._recipient = None
        self._tries, self.fresh = 0, False
        self._pool.silent(self, connection)
        then, self._then = self._then, nobody
        then(Answer(meaning.for_client(reply)))

    def _closing(self, reply: Reply) -> None:
        """The hop ends the connection before it has content: what was asked may be asked on another."""
        self._connection_failed(str(reply))
        self._try_again(reply, may=not self.origin.erred)  # who errs too often is not to begin anew on another

    # The content.

    def _start_content(self, connection: Connection) -> None:
        outgoing = self._outgoing
        assert outgoing is not None
        timeouts = self._pool.target.timeouts
        if self._mail.eight_bit and not connection.client.offers.eight_bit and not outgoing.seven_bit:
            self._without("eight_bit")
        elif connection.client.offers.chunking:
            connection.client.bdat(outgoing.size)
            outgoing.start(connection, timeouts, self._ending, self._content_failed)
        else:
            connection.client.data()
            connection.expect(timeouts.data)

    def _data_replied(self, reply: Reply) -> None:
        if reply.code == meaning.CLOSING:
            self._closing(reply)
        elif reply.positive:
            assert self._connection is not None
            assert self._outgoing is not None
            timeouts = self._pool.target.timeouts
            self._outgoing.start(self._connection, timeouts, self._ending, self._content_failed)
        else:
            self._pool.news.troubled(Verb.DATA, str(reply))
            self._fail(reply)

    def _ending(self) -> None:
        self._ended = True
        assert self._observer is not None
        self._observer.ending()

    def _content_failed(self, reply: Reply) -> None:
        self._cut(reply, down=False)  # our spool cannot be read: what was sent must not look whole

    def _end_replied(self, reply: Reply) -> None:
        if self._connection is not None:
            self._connection.settle()
            self.rest()
        self._over(meaning.for_client(reply), str(reply), doubtful=False)

    # How it fails.

    def _try_again(self, reply: Reply, *, may: bool = True) -> None:
        """Ask anew, on a connection that was just opened; where that cannot be, `reply` is the answer."""
        begun = self._outgoing is not None and self._outgoing.begun
        if begun or not may or self._tries >= (1 if self._accepted else self._pool.addresses.more):
            self._fail(reply, down=True)
        else:
            self._about = ""
            self._tries += 1
            self.fresh = True
            self._pool.ask(self)

    def _connection_failed(self, said: str) -> None:
        """Drop it; where nobody was accepted, the next is opened to another address."""
        connection = self._connection
        assert connection is not None, "only who holds a connection hears of its end"
        self._pool.news.troubled(connection.place, said)
        if not self._accepted:
            self._pool.addresses.failed(connection.address, self._pool.now)
        self._drop()
        self._asked.clear()  # else the retry waits for replies to what was asked on this one

    def _drop(self) -> None:
        """Cut a connection that is not to be used again, and count it out."""
        connection, self._connection = self._connection, None
        assert connection is not None
        connection.abort()
        self._pool.drop(connection)

    def _cut(self, reply: Reply, *, down: bool) -> None:
        """Fail, and let nobody use this connection again."""
        self._drop()
        self._fail(reply, down=down)

    def _fail(self, reply: Reply, *, down: bool = False) -> None:
        """Answer whoever waits; the next hop is left without a trace of it."""
        if self._connection is not None:
            self._connection.settle()
            self.rest()
        self._tries, self.fresh = 0, False
        recipient, self._recipient = self._recipient, None
        if recipient is not None:
            then, self._then = self._then, nobody
            then(Answer(meaning.for_client(reply), down=down, about=self._about))
        else:
            self._over(meaning.for_client(reply), str(reply), doubtful=self._ended)

    def _over(self, reply: Reply, hop_reply: str, *, doubtful: bool) -> None:
        """Say what became of the message, if anybody still wants to know."""
        observer, self._observer = self._observer, None
        self._outgoing = None
        if observer is not None:
            observer.outcome(Outcome(reply, hop_reply, doubtful=doubtful))


_ON_REPLY: Final[Mapping[Verb, Callable[[SmtpDelivery, Reply], None]]] = {
    Verb.MAIL: SmtpDelivery._mail_replied,
    Verb.RCPT: SmtpDelivery._rcpt_replied,
    Verb.DATA: SmtpDelivery._data_replied,
    Verb.END: SmtpDelivery._end_replied,
}
