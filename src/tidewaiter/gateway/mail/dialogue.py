"""What a client says, and what it is told: the events of `wire.Server` to a transaction, and the answers back.

It has no socket: `Session` brings it bytes, takes away what is to be said, and waits.
Each MAIL leaves one line in the log, whatever becomes of it, and each refusal one, where it is made: a connection that
ends by a reply that is told already is not told again.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from tidewaiter.gateway.mail.listening import NOT_OURS, Listening
from tidewaiter.gateway.mail.received import opening
from tidewaiter.gateway.mail.transaction import GONE, Transaction
from tidewaiter.gateway.mail.waiting import Waiting
from tidewaiter.model.client import Client
from tidewaiter.model.reply import Reply
from tidewaiter.smuggling.evidence import printable
from tidewaiter.wire import (
    ChunkEnd,
    Close,
    Content,
    ContentStart,
    Event,
    MailFrom,
    MailRefused,
    MessageEnd,
    MessageRefused,
    RcptRefused,
    RcptTo,
    Reset,
    Server,
    StartTls,
    Verb,
    replies,
)


class Dialogue:
    """One client's, from the greeting to the last reply."""

    __slots__ = (
        "_answer",
        "_asking",
        "_client",
        "_listening",
        "_protocol",
        "_session",
        "_told",
        "_trace",
        "_transaction",
        "content_until",
        "ended",
        "quit",
        "secures",
        "server",
        "waiting",
    )

    def __init__(self, session: Waiting, listening: Listening, client: Client) -> None:
        """Begin before the greeting."""
        self.server = Server(listening.service(client.rules), tls=client.tls != "")
        self._session: Waiting | None = session
        self._listening = listening
        self._client = client
        self._transaction: Transaction | None = None
        self._answer: Reply | None = None
        self._told: Reply | None = None
        """The last refusal that is in the log."""
        self._protocol = ""
        self._trace = ""
        """The opening of our Received field, as long as the protocol is this one."""
        self._asking = False
        """A question is being put to the transaction this moment."""
        self.waiting = False
        """A question is open."""
        self.content_until = 0.0
        """Loop time at which the message that is coming must be whole; 0 outside content."""
        self.secures = False
        """The handshake begins with the next byte."""
        self.ended = False
        """We have said all that we will say."""
        self.quit = False
        """The client asked for the end, so it has read all that it wanted."""

    # What the session calls.

    def receive(self, data: bytes) -> None:
        """Interpret what the client sent."""
        self._handle(self.server.receive(data))

    def answer(self, reply: Reply) -> bool:
        """Answer the question that is open; tell whether there may be something to say now."""
        if self._asking:
            self._answer = reply
        elif not self.ended:
            self.waiting = False
            self._handle(self._answered(reply))
            return True
        return False

    def over(self) -> None:
        """The transaction has come to its end."""
        self._transaction = None

    def turn_away(self, refusal: Reply) -> None:
        """Say no instead of greeting."""
        self._refuse("connection", "too many connections", refusal)
        self.close(refusal)

    def close(self, reply: Reply) -> None:
        """Say a last word of our own."""
        self._handle(self.server.close(reply))

    def drain(self) -> bool:
        """Say 421, once there is no transaction: this process is to leave. Tell whether it was said."""
        if self._transaction is not None or self.ended or self._asking:
            return False
        self.close(self._closing())
        return True

    def too_late(self) -> None:
        """Whoever has to answer does not."""
        assert self._transaction is not None
        self._transaction.too_late()

    def fail(self) -> None:
        """Say 421 instead of what we cannot say: something of ours went wrong, and nobody knows how far it came."""
        self._asking = self.waiting = False
        if not self.ended:
            self.close(self.server.service.closing("4.3.0", "Internal error, come again"))

    def cut(self, reason: str, detail: str = "") -> None:
        """Note that the connection ends without a word, because of the client."""
        began = self._transaction is not None
        self.ended = True
        self.abandon(GONE)
        if not began:
            self._refuse("connection", reason, None, detail)

    def secured(self, tls: str) -> None:
        """Begin anew within TLS."""
        self._client = self._client.secured(tls)
        self.server.started_tls()

    def abandon(self, reply: Reply) -> None:
        """Give up what is under way, but for a message whose last byte is on its way to the next hop.

        `reply` is what the client hears instead.
        """
        self.content_until = 0.0
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.abandon(reply)

    def leave(self) -> None:
        """Let go: the connection is lost.

        The session knows us: a circle would keep both until the collector comes by, which then takes its time.
        """
        self.ended = True
        self._session = None
        self.abandon(GONE)

    @property
    def behind(self) -> bool:
        """Tell whether the client should wait for our disk."""
        return self._transaction is not None and self._transaction.behind

    # Events.

    def _handle(self, events: list[Event]) -> None:
        """Act on events, and on those that our answers bring, until the client or the next hop has to say more."""
        while events:
            answer = None
            for event in events:
                answer = _ACTS[type(event)](self, event)
            events = [] if answer is None else self._answered(answer)

    def _answered(self, reply: Reply) -> list[Event]:
        if reply.code >= 400:
            self._told = reply  # by whoever said no
            if self._transaction is not None and self._transaction.erred:
                self._client = self._client.after_error()
        return self.server.answer(reply)

    def _mail(self, event: MailFrom) -> Reply:
        if self._listening.worker.draining:
            closing = self._closing()
            self._refuse("command", "shutting down", closing)
            return closing
        if not self._client.rules.may_send:
            self._refuse("command", "not in networks", NOT_OURS)
            return NOT_OURS
        assert self._session is not None
        self._transaction = Transaction(self._session, self._listening, self._introduced(), event.mail)
        return replies.SENDER_OK

    def _rcpt(self, event: RcptTo) -> Reply | None:
        assert self._transaction is not None
        return self._ask(self._transaction.rcpt, event.recipient)

    def _content_start(self, _event: ContentStart) -> Reply:
        assert self._transaction is not None
        reply = self._transaction.begin()
        if reply.positive:
            self.content_until = self._listening.worker.loop.time() + self._listening.limits.message_time
        else:
            self._transaction = None
        return reply

    def _content(self, event: Content) -> None:
        assert self._transaction is not None
        self._transaction.content(event.content)

    def _chunk_end(self, _event: ChunkEnd) -> Reply:
        return replies.OK

    def _message_end(self, event: MessageEnd) -> Reply | None:
        assert self._transaction is not None
        self.content_until = 0.0
        return self._ask(self._transaction.end, event.body, self._opening())

    def _message_refused(self, event: MessageRefused) -> None:
        assert self._transaction is not None
        self.content_until = 0.0
        self._told = event.reply
        self._transaction.refused(event.body, event.reply)
        self._transaction = None

    def _mail_refused(self, event: MailRefused) -> None:
        self._told = event.reply
        self._listening.refuse(
            "command",
            _WHY_MAIL.get(event.reply.code, "malformed"),
            event.reply,
            self._introduced(),
            reverse_path=printable(event.argument),
        )

    def _rcpt_refused(self, event: RcptRefused) -> None:
        self._told = event.reply
        sender = event.mail.sender if event.mail is not None else None
        self._listening.refuse(
            "recipient",
            _WHY.get(event.reply.code, "malformed"),
            event.reply,
            self._introduced(),
            reverse_path=str(sender or ""),
            forward_path=printable(event.argument),
        )

    def _reset(self, event: Reset) -> None:
        self.abandon(event.reply)
        if self._listening.worker.draining and self._session is not None:
            self._listening.worker.loop.call_soon(self._session.drain)

    def _start_tls(self, _event: StartTls) -> None:
        self.secures = True

    def _close(self, event: Close) -> None:
        self.ended = True
        reply = event.reply
        if reply is None:
            self.cut("plain text instead of TLS")
            return
        told = self._transaction is not None or self._has_told(reply)
        self.quit = reply.positive
        self.abandon(reply)
        if not self.quit and not told:
            self._refuse("connection", "closed by us", reply)

    def _has_told(self, reply: Reply) -> bool:
        told = self._told
        return told is not None and told.code == reply.code and told.lines == reply.lines

    def _ask(self, question: Callable[..., None], *about: object) -> Reply | None:
        """Put a question to the transaction, which answers at once or later."""
        self._asking = True
        question(*about)
        self._asking = False
        answer, self._answer = self._answer, None
        self.waiting = answer is None
        return answer

    def _introduced(self) -> Client:
        """Give the client by the name that it said last."""
        server, client = self.server, self._client
        if client.hello != server.hello:
            self._protocol = ""  # of the Received field, which names it too
            self._client = client.greeted(server.hello, "SMTP" if server.verb is Verb.HELO else "ESMTP")
        return self._client

    def _opening(self) -> str:
        """Give the opening of our Received field; written anew when something in it changes."""
        protocol = self.server.protocol
        if protocol != self._protocol:
            self._protocol = protocol
            self._trace = opening(
                hello=self.server.hello,
                address=self._client.address,
                hostname=self._listening.worker.settings.hostname,
                protocol=protocol,
            )
        return self._trace

    def _closing(self) -> Reply:
        return self.server.service.closing("4.3.2", "Service is shutting down")

    def _refuse(
        self, stage: Literal["connection", "command"], reason: str, reply: Reply | None, detail: str = ""
    ) -> None:
        self._told = reply
        self._listening.refuse(stage, reason, reply, self._introduced(), detail=detail)


_WHY_MAIL: Final = {503: "out of order", 552: "too big", 555: "unknown parameter"}
"""By code: what the log and the counters say of a MAIL that the core itself refused."""
_WHY: Final = {452: "too many recipients", 503: "out of order"}
"""By code: what the log and the counters say of a recipient that the core itself refused."""

# mypy cannot know that each kind of event finds its own method.
_ACTS: Final[Mapping[type[Event], Callable[[Dialogue, Any], Reply | None]]] = {
    MailFrom: Dialogue._mail,
    RcptTo: Dialogue._rcpt,
    ContentStart: Dialogue._content_start,
    Content: Dialogue._content,
    ChunkEnd: Dialogue._chunk_end,
    MessageEnd: Dialogue._message_end,
    MessageRefused: Dialogue._message_refused,
    MailRefused: Dialogue._mail_refused,
    RcptRefused: Dialogue._rcpt_refused,
    Reset: Dialogue._reset,
    StartTls: Dialogue._start_tls,
    Close: Dialogue._close,
}
