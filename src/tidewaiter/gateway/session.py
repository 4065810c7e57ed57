"""One client's connection: bytes between its transport and `wire.Server`, events to its transaction.

It keeps three rules.
Replies go out together, when there is nothing left to interpret.
Nothing is read while the client leaves replies unread, while the spool is behind, while much waits for an answer, or
while it is the turn of others who send much.
A connection that we end is half-closed first, and what the client still sends is thrown away for a while: else its
unread bytes would make the kernel take our last reply back.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, cast

from tidewaiter.delivery.delivery import Origin
from tidewaiter.gateway.listening import NOT_OURS, Listening
from tidewaiter.gateway.peer import client_address, speaks_first, tls_text
from tidewaiter.gateway.received import opening
from tidewaiter.gateway.transaction import Transaction
from tidewaiter.gateway.turns import LARGE
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
    Verb,
    replies,
)

NOBODY: Final = ("0.0.0.0", 0)  # noqa: S104 - nothing listens there
"""A client that has reset its connection before it was greeted: the kernel no longer knows its address."""
LINGER_SECONDS: Final = 5.0
LINGER_BYTES: Final = 1024 * 1024
"""What is thrown away behind our last reply; a client that sends more does not read it anyway."""


class Session:
    """The driver of one `wire.Server`: an asyncio.Protocol in all but its base, with which it could not be compiled."""

    __slots__ = (
        "_address",
        "_answer",
        "_asking",
        "_content_until",
        "_deadline",
        "_ended",
        "_finished",
        "_listening",
        "_origin",
        "_paused",
        "_port",
        "_protocol",
        "_quit",
        "_server",
        "_thrown",
        "_tls",
        "_trace",
        "_transaction",
        "_transport",
        "_turn_over",
        "_unread",
        "_waiting",
    )

    def __init__(self, listening: Listening) -> None:
        """Wait for the connection."""
        self._listening = listening
        self._deadline = Deadline(listening.station.loop, self._late)
        self._transaction: Transaction | None = None
        self._answer: Reply | None = None
        self._origin: Origin | None = None
        self._protocol = ""
        self._trace = ""
        """The opening of our Received field, as long as the protocol is this one."""
        self._content_until = 0.0
        """Loop time at which the message that is coming must be whole; 0 outside content."""
        self._asking = False
        """A question is being put to the transaction this moment."""
        self._waiting = False
        """A question is open."""
        self._paused = False
        self._turn_over = False
        """The client has sent much, and it is the turn of others."""
        self._unread = False
        """The client leaves our replies unread."""
        self._finished = False
        """The client has said all that it will say."""
        self._ended = False
        """We have said all that we will say."""
        self._quit = False
        """The client asked for the end, so it has read all that it wanted."""
        self._thrown = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or say why not."""
        self._transport = cast(asyncio.Transport, transport)
        peer: tuple[Any, ...] = transport.get_extra_info("peername") or NOBODY
        host, self._port = peer[:2]
        self._address = client_address(host)
        self._tls = tls_text(transport)
        listening = self._listening
        self._transport.set_write_buffer_limits(high=listening.limits.unread_replies)
        self._server = Server(listening.service(self._address), tls=self._tls != "")
        refusal = listening.enter(self, self._address)
        if refusal is None:
            if not speaks_first(self._transport, self._tls):
                self._server.greet()
            self._settle()
        else:
            self._refuse("connection", "too many connections", refusal)
            self._handle(self._server.close(refusal))

    def data_received(self, data: bytes) -> None:
        """Interpret what the client sent."""
        if self._ended:
            self._throw_away(len(data))
            return
        self._handle(self._server.receive(data))
        if len(data) >= LARGE:
            self._turn_over = self._listening.station.turns.must_wait(self)
        if self._waiting or self._turn_over:
            self.regulate()

    def eof_received(self) -> bool:
        """Keep our half open while an answer is awaited: the client may still read it."""
        self._finished = True
        return self._waiting and not self._tls

    def connection_lost(self, _error: Exception | None) -> None:
        """Give up what hangs on this client, but for a message whose last byte is on its way to the next hop."""
        self._ended = True
        self._deadline.close()
        self._listening.leave(self)
        self._abandon()

    def pause_writing(self) -> None:
        """Hear no more from a client that does not read."""
        self._unread = True
        self._deadline.set(self._listening.limits.unread_time)
        self.regulate()

    def resume_writing(self) -> None:
        """Go on."""
        self._unread = False
        self._settle()

    # What the transaction and the worker call.

    def answer(self, reply: Reply) -> None:
        """Answer the question that is open."""
        if self._asking:
            self._answer = reply
        elif not self._ended:
            self._waiting = False
            self._handle(self._server.answer(reply))

    def finish(self, reply: Reply) -> None:
        """Answer for the message; the transaction is over."""
        self._transaction = None
        self.answer(reply)
        if self._listening.station.draining:
            self.drain()

    def regulate(self) -> None:
        """Read from the client, or do not: called whenever one of the reasons may have changed."""
        behind = self._transaction is not None and self._transaction.behind
        pause = self._unread or behind or self._turn_over or not self._server.reading
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def go_on(self) -> None:
        """Take the next turn."""
        self._turn_over = False
        self.regulate()

    def drain(self) -> None:
        """Say 421, once there is no transaction: this process is to leave."""
        if self._transaction is None and not self._ended and not self._asking:
            self._handle(self._server.close(self._server.service.closing("4.3.2", "Service is shutting down")))

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    # Events.

    def _handle(self, events: list[Event]) -> None:
        """Act on events, and on those that our answers bring, until the client or the next hop has to say more."""
        while events:
            answer = None
            for event in events:
                answer = _ACTS[type(event)](self, event)
            events = [] if answer is None else self._server.answer(answer)
        self._settle()

    def _mail(self, event: MailFrom) -> Reply:
        if self._listening.station.draining:
            return self._server.service.closing("4.3.2", "Service is shutting down")
        if not self._listening.may_send(self._address):
            self._refuse("command", "not in networks", NOT_OURS)
            return NOT_OURS
        server = self._server
        if self._origin is None or self._origin.hello != server.hello:
            protocol = "SMTP" if server.verb is Verb.HELO else "ESMTP"
            self._protocol = ""
            self._origin = Origin(str(self._address), self._port, server.hello, protocol)
        self._transaction = Transaction(self, self._listening, self._origin, event.mail, self._tls)
        return replies.SENDER_OK

    def _rcpt(self, event: RcptTo) -> Reply | None:
        assert self._transaction is not None
        return self._ask(self._transaction.rcpt, event.recipient)

    def _content_start(self, _event: ContentStart) -> Reply:
        assert self._transaction is not None
        reply = self._transaction.begin()
        if reply.positive:
            self._content_until = self._listening.station.loop.time() + self._listening.limits.message_time
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
        self._content_until = 0.0
        return self._ask(self._transaction.end, event.reader, self._opening())

    def _opening(self) -> str:
        """Give the opening of our Received field; written anew when something in it changes."""
        protocol = self._server.protocol
        if protocol != self._protocol:
            self._protocol = protocol
            self._trace = opening(
                hello=self._server.hello,
                address=str(self._address),
                hostname=self._listening.station.settings.hostname,
                protocol=protocol,
            )
        return self._trace

    def _message_refused(self, event: MessageRefused) -> None:
        assert self._transaction is not None
        self._content_until = 0.0
        self._transaction.refused(event.reader, event.reply)
        self._transaction = None

    def _reset(self, _event: Reset) -> None:
        self._abandon()
        if self._listening.station.draining:
            self._listening.station.loop.call_soon(self.drain)

    def _start_tls(self, _event: StartTls) -> None:
        self._settle()
        self._listening.station.spawn(self._handshake())

    def _close(self, event: Close) -> None:
        self._ended = True
        self._abandon()
        self._quit = event.reply is not None and event.reply.positive
        if event.reply is not None and not self._quit:
            self._refuse("connection", "closed by us", event.reply)

    def _ask(self, question: Callable[..., None], *about: object) -> Reply | None:
        """Put a question to the transaction, which answers at once or later."""
        self._asking = True
        question(*about)
        self._asking = False
        answer, self._answer = self._answer, None
        self._waiting = answer is None
        return answer

    def _abandon(self) -> None:
        self._content_until = 0.0
        if self._transaction is not None:
            self._transaction.abandon()
            self._transaction = None

    def _refuse(self, stage: Literal["connection", "command"], reason: str, reply: Reply) -> None:
        self._listening.refuse(stage, reason, reply=str(reply), client=str(self._address), helo=self._server.hello)

    # Output, waiting, closing.

    def _settle(self) -> None:
        """Send what is to be sent, then wait for whoever has to move next, and no longer than is allowed."""
        output = self._server.output()
        if output:
            self._transport.write(output)
        if self._ended:
            self._linger()
        elif self._finished and not self._waiting:
            self._transport.close()
        elif not self._unread:
            limits = self._listening.limits
            if self._waiting:
                self._deadline.set(limits.final_reply)
            elif self._content_until:
                rest = self._content_until - self._listening.station.loop.time()
                self._deadline.set(min(limits.data_time, max(rest, 0.0)))
                self.regulate()
            else:
                self._deadline.set(limits.command_time)
            if self._paused:
                self.regulate()

    def _late(self) -> None:
        """Whoever had to move did not."""
        if self._ended or self._unread:
            self._transport.abort()
        elif self._waiting:
            assert self._transaction is not None
            self._transaction.too_late()
        else:
            self._handle(self._server.close(self._server.service.closing("4.4.2", "Timeout")))

    def _linger(self) -> None:
        """Say no more, and let the client read what we said before the connection is closed."""
        if self._finished or self._quit or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._deadline.set(LINGER_SECONDS)
        self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _throw_away(self, count: int) -> None:
        self._thrown += count
        if self._thrown > LINGER_BYTES:
            self._transport.abort()

    async def _handshake(self) -> None:
        """Go into TLS. What was sent before it in plain text has been thrown away by the core."""
        listening = self._listening
        self._deadline.clear()
        try:
            transport = await listening.station.loop.start_tls(
                self._transport,
                cast(asyncio.Protocol, self),
                cast(ssl.SSLContext, listening.context),
                server_side=True,
                ssl_handshake_timeout=listening.limits.tls_handshake,
            )
        except (OSError, ssl.SSLError):
            listening.station.recorder.count("tls_failures", "client")
            self._transport.abort()
            return
        if transport is not None and not self._ended:
            self._transport = transport
            self._tls = tls_text(transport)
            self._origin = None
            self._server.started_tls()
            self._settle()


# mypy cannot know that each kind of event finds its own method.
_ACTS: Final[Mapping[type[Event], Callable[[Session, Any], Reply | None]]] = {
    MailFrom: Session._mail,
    RcptTo: Session._rcpt,
    ContentStart: Session._content_start,
    Content: Session._content,
    ChunkEnd: Session._chunk_end,
    MessageEnd: Session._message_end,
    MessageRefused: Session._message_refused,
    Reset: Session._reset,
    StartTls: Session._start_tls,
    Close: Session._close,
}
