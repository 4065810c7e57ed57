"""SMTP as a server speaks it (RFC 5321), without a socket: bytes in, events and replies out.

The rules it keeps:

- The order of commands is the table `states.SERVER`; what one says is `grammar`, what it does `commands`; what ends
  a line or a message is `lines`, for commands and content alike (promise 1).
- Behind an event that asks, nothing is interpreted until `answer`: a pipelined group waits, and it is bounded.
- Every way out of a transaction is `Session.enter`, which drops the envelope (promise 5).
- Where RFC 2920 forbids a group to go on, one byte more costs the connection, and nothing of it is executed (6).
- It never raises for what the client sent, only (LocalProtocolError) for what its caller did.
"""

from collections.abc import Callable
from typing import Final

from tidewaiter.lines.scan import CRLF, take_line
from tidewaiter.model.oddity import OddityKind
from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies
from tidewaiter.wire.body import Body
from tidewaiter.wire.commands import COMMANDS, UNKNOWN
from tidewaiter.wire.errors import RemoteProtocolError, misuse
from tidewaiter.wire.events import (
    Asking,
    ChunkEnd,
    Content,
    ContentStart,
    Event,
    MailFrom,
    MailRefused,
    MessageEnd,
    MessageRefused,
    RcptRefused,
    RcptTo,
    StartTls,
)
from tidewaiter.wire.grammar import parse_chunk
from tidewaiter.wire.service import Service
from tidewaiter.wire.session import Session
from tidewaiter.wire.states import COMMAND, SERVER, Edge, State, Verb

TINY_CHUNK: Final = 1024
"""A chunk below this that is not the last counts as idle: each costs us far more than it costs the client."""


_ASKS_FOR_MORE: Final = frozenset({Verb.DATA, Verb.BDAT})
"""Commands that a positive answer does not finish: 354, where others have 2xx."""


_Question = tuple[Verb, Edge, Asking]
"""What the application was asked, and where its answer leads."""


class Server(Session):
    """One connection, seen from the server."""

    __slots__ = ("_late", "_left", "_question", "_waiting")

    def __init__(self, service: Service, *, tls: bool = False) -> None:
        """Begin before the greeting; with `tls` the connection is inside TLS from its first byte (RFC 8314 §3)."""
        super().__init__(service, tls=tls)
        self._question: _Question | None = None
        self._waiting = b""
        self._left = 0
        self._late: tuple[Reply, State] = (replies.OK, State.READY)

    # What the application calls.

    def greet(self) -> None:
        """Say 220; what a client sent before it is answered 554 by `receive`."""
        edge = SERVER[Verb.GREETING].get(self.state)
        if edge is None:
            misuse("the greeting is said once, and not behind close")
        self._out.append(self.service.greeting.wire)
        self.enter(edge.accepted)

    def receive(self, data: bytes) -> list[Event]:
        """Interpret what the client sent, up to the first event that asks."""
        self._events = []
        if self._question is None:
            self._unread = self._unread[self._at :] + data if self._unread else data
            self._at = 0
            return self._run()
        if not self.reading:
            misuse("receive was called while reading was false")
        self._waiting += data
        return self._events

    def answer(self, reply: Reply, *, close: bool = False) -> list[Event]:
        """Answer the event that asked, and go on with what waited behind it.

        With `close`, or with 421, the connection ends behind the reply.
        """
        question = self._question
        if question is None:
            misuse("nothing was asked")
        verb, edge, event = question
        # An answer of another kind would tell the client something else than the state that it leads to.
        if reply.code < 400 and (reply.code < 300) is (verb in _ASKS_FOR_MORE):
            misuse(f"{reply} does not answer {verb}")
        self._question = None
        self._events = []
        if self._waiting:
            self._unread = self._unread[self._at :] + self._waiting
            self._at = 0
            self._waiting = b""
        if not reply.enhanced:
            reply = reply.with_enhanced()
        if verb is Verb.END or verb is Verb.CHUNK_END:
            self._answer_content(verb, edge, reply)
        elif verb is Verb.BDAT:
            self._answer_chunk(edge, reply)
        else:
            self._answer_command(verb, edge, event, reply)
        if close or reply.code == 421:
            self.end(reply)
        return self._run() if self._unread else self._events

    def close(self, reply: Reply) -> list[Event]:
        """End the connection for a reason of ours: 421, or 554 in the place of the greeting (RFC 5321 §3.1)."""
        self._events = []
        self._question = None
        self.hang_up(reply)
        return self._events

    def started_tls(self) -> None:
        """Begin anew inside TLS: RFC 3207 §4.2 wants all that was learned before the handshake discarded."""
        edge = SERVER[Verb.SECURED].get(self.state)
        if edge is None:
            misuse("no handshake was begun")
        self.tls = True
        self.forget()
        self.enter(edge.accepted)

    @property
    def reading(self) -> bool:
        """False while too much waits behind a question: read no more until it is answered."""
        # What is left of the group counts too: else each answer would let another block in behind it.
        return len(self._waiting) + len(self._unread) - self._at <= self.service.limits.pipelined

    # Turns: each takes one command, or one piece of content, or finds that it is not complete and takes nothing.

    def _run(self) -> list[Event]:
        while self._question is None and (start := self._at) < len(self._unread):
            _TURNS[self.state](self)
            if self._at == start:
                break
        if self._at == len(self._unread):
            self._unread = b""
            self._at = 0
        return self._events

    def _command(self) -> None:
        # Every command of every client comes through here: what is inlined was measured (bench/wire.py).
        start = self._at
        text, self._at, odd, _ = take_line(self._unread, start, self.service.limits.line)
        if self._at == start:
            return
        if odd is not None:
            self.hang_up(replies.LONG_COMMAND if odd is OddityKind.LONG_LINE else replies.BAD_LINE)
            return
        # RFC 5321 §4.1.1: "SMTP receivers SHOULD tolerate trailing white space before the terminating <CRLF>."
        word, _, argument = text.rstrip(b" \t").partition(b" ")
        word = word.upper()
        if word == b"BDAT":
            self._bdat(argument)
            return
        verb, edges, act = COMMANDS.get(word, UNKNOWN)
        edge = edges[self.state]
        if self._at < len(self._unread) and self.ends_group(verb) and not self._ends_in_an_empty_line(verb, argument):
            self.hang_up(replies.SYNCHRONIZATION)
        elif edge.wrong is not None:
            self._refuse(verb, edge, edge.wrong, argument)
        else:
            try:
                said = act(self, argument)
            except RemoteProtocolError as error:
                self._refuse(verb, edge, error.reply, argument)
                return
            if isinstance(said, Reply):
                self._do(edge, said)
            else:
                self._question = (verb, edge, said)
                self._events.append(said)

    def _ends_in_an_empty_line(self, verb: Verb, argument: bytes) -> bool:
        """Whether it is QUIT and one more CR LF, which some clients send: it could do nothing."""
        return verb is Verb.QUIT and not argument and CRLF.startswith(self._unread[self._at :])

    def _do(self, edge: Edge, reply: Reply) -> None:
        """Finish a command that needs nobody's answer; it brings no message nearer, so it counts as idle."""
        if edge.accepted is State.CLOSED:
            self.hang_up(reply)
            return
        self._idle += 1
        self.give_up(edge.accepted, reply)
        self.say(reply)
        if edge.accepted is State.HANDSHAKE:
            self._events.append(StartTls())
        self.police()

    def _refuse(self, verb: Verb, edge: Edge, reply: Reply, argument: bytes) -> None:
        if verb is Verb.RCPT:
            self._events.append(RcptRefused(self.mail, argument, reply))
        elif verb is Verb.MAIL:
            self._events.append(MailRefused(argument, reply))
        self.give_up(edge.refused, reply)
        self.say(reply)
        self.police()

    def _ask(self, verb: Verb, edge: Edge, event: Asking) -> None:
        self._question = (verb, edge, event)
        self._events.append(event)

    def _too_early(self) -> None:
        self.hang_up(replies.SYNCHRONIZATION)

    def _plain_text(self) -> None:
        """Behind our 220 to STARTTLS only TLS may come; nothing can be said in plain text any more."""
        self.end(None)

    def _ignore(self) -> None:
        self._at = len(self._unread)

    # Content.

    def _bdat(self, argument: bytes) -> None:
        try:
            count, last = parse_chunk(argument)
        except RemoteProtocolError as error:
            # Nobody knows where this chunk ends: whatever follows could be content or commands.
            self.hang_up(error.reply)
            return
        edge = SERVER[Verb.BDAT][self.state]
        self._idle += count < TINY_CHUNK and not last
        if edge.wrong is not None:
            self._open_drain(count, edge.wrong, edge.refused)
            return
        if not self.extended:
            # It was offered nothing. Behind EHLO it is taken even where CHUNKING is not offered, since a next hop does
            # not know it: what is written there is DATA, and proved to have one end.
            self._open_drain(count, replies.NOT_IMPLEMENTED, edge.refused)
            return
        first = self.body is None
        self.body = self.body or Body.of_chunks(self.service.bdat, self.service.size)
        self.body.open_chunk(count, last=last)
        if first:
            self._ask(Verb.BDAT, edge, ContentStart(chunked=True))
        else:
            self._open_chunk(edge)

    def _open_chunk(self, edge: Edge) -> None:
        self.enter(edge.accepted)
        assert self.body is not None
        if not self.body.left:
            self._content()

    def _open_drain(self, count: int, reply: Reply, state: State) -> None:
        """Take a refused chunk by its count: read as commands, its octets would be a second, smuggled dialogue."""
        self.give_up(State.DRAIN, reply)
        self._left = count
        self._late = (reply, state)
        self._drain()

    def _drain(self) -> None:
        used = min(self._left, len(self._unread) - self._at)
        self._at += used
        self._left -= used
        if not self._left:
            reply, state = self._late
            self.enter(state)
            self.say(reply)
            self._end_group()

    def _content(self) -> None:
        body = self.body
        assert body is not None
        content, used, ended = body.read(self._unread[self._at :] if self._at else self._unread)
        self._at += used
        if content:
            self._events.append(Content(content))
        if ended:
            self._content_end(body)

    def _content_end(self, body: Body) -> None:
        verb = Verb.END if body.last else Verb.CHUNK_END
        edge = SERVER[verb][self.state]
        refusal = body.refusal
        if refusal is None:
            self._ask(verb, edge, MessageEnd(self.envelope, body) if body.last else ChunkEnd())
            return
        self._events.append(MessageRefused(self.envelope, body, refusal))
        self.say(refusal)
        self.enter(edge.refused)
        if body.odd is not None:
            self.end(refusal)
        self._end_group()

    def _end_group(self) -> None:
        """Behind content a new group may follow at once only where PIPELINING was offered (RFC 2920 §3.1)."""
        if self._at < len(self._unread) and not self.offers.pipelining:
            self.hang_up(replies.SYNCHRONIZATION)
        self.police()

    # Answers of the application.

    def _answer_command(self, verb: Verb, edge: Edge, event: Event, reply: Reply) -> None:
        if self._at < len(self._unread) and self.ends_group(verb):
            self.hang_up(replies.SYNCHRONIZATION)
            return
        self.say(reply)
        if reply.code >= 400:
            self._excess += verb is Verb.RCPT and reply.code < 500
            self.enter(edge.refused)
            self.police()
            return
        if isinstance(event, MailFrom):
            self.mail = event.mail
        elif isinstance(event, RcptTo):
            self.recipients.append(event.recipient)
        else:
            self.body = Body.of_data(self.service.data, self.service.size)
        self.enter(edge.accepted)

    def _answer_chunk(self, edge: Edge, reply: Reply) -> None:
        assert self.body is not None
        if reply.positive:
            self._open_chunk(edge)
            return
        left = self.body.left
        self.enter(edge.refused)
        self._open_drain(left, reply, edge.refused)

    def _answer_content(self, verb: Verb, edge: Edge, reply: Reply) -> None:
        self.say(reply)
        if verb is Verb.END and reply.positive:
            self._errors = self._idle = self._excess = 0
        self.enter(edge.accepted if reply.positive else edge.refused)
        self._end_group()


_TURNS: Final[dict[State, Callable[[Server], None]]] = {
    State.OPENING: Server._too_early,
    State.CONTENT: Server._content,
    State.CHUNK: Server._content,
    State.DRAIN: Server._drain,
    State.HANDSHAKE: Server._plain_text,
    State.CLOSED: Server._ignore,
    **dict.fromkeys(COMMAND, Server._command),
}
