"""SMTP as a server speaks it (RFC 5321, and LMTP, RFC 2033), without a socket: bytes in, events and replies out.

The rules it keeps:

- The order of commands is the table `states.SERVER`; what a command says is `grammar`; what ends anything is `lines`.
- Behind an event that asks, nothing is interpreted until `answer`: a pipelined group waits, and it is bounded.
- Every way out of a transaction is `_enter`, which drops the envelope: no second message finds it (promise 5).
- Where RFC 2920 forbids a group to go on, one byte more costs the connection, and nothing of it is executed (6).
- It never raises for what the client sent, only (LocalProtocolError) for what its caller did.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tidewaiter.lines.scan import take_line
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.model.oddity import OddityKind
from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies
from tidewaiter.wire.body import Body
from tidewaiter.wire.errors import RemoteProtocolError, misuse
from tidewaiter.wire.events import (
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
    StartTls,
)
from tidewaiter.wire.grammar import parse_chunk, parse_hello, parse_mail, parse_rcpt
from tidewaiter.wire.offers import Offers
from tidewaiter.wire.service import Service
from tidewaiter.wire.states import COMMAND, LAST_OF_GROUP, SERVER, TRANSACTION, Edge, State, Verb

_NOTHING: Final = Offers(enhanced=False)
TINY_CHUNK: Final = 1024
"""A chunk below this that is not the last counts as an idle command: each costs us far more than it costs the client."""


class _Question(NamedTuple):
    """What the application was asked."""

    verb: Verb
    edge: Edge
    value: Mail | Address | int | None = None


class Server:
    """One connection, seen from the server."""

    __slots__ = (
        "_at",
        "_body",
        "_errors",
        "_events",
        "_idle",
        "_late",
        "_left",
        "_offers",
        "_out",
        "_question",
        "_unread",
        "_waiting",
        "hello",
        "mail",
        "recipients",
        "service",
        "state",
        "tls",
        "verb",
    )

    def __init__(self, service: Service, *, tls: bool = False) -> None:
        """Begin before the greeting; with `tls` the connection is inside TLS from its first byte (RFC 8314 §3)."""
        self.service = service
        self.tls = tls
        self.state = State.OPENING
        self.hello = ""
        """The name behind HELO, EHLO or LHLO, safe for a header."""
        self.verb: Verb | None = None
        """Which of the three it was."""
        self.mail: Mail | None = None
        self.recipients: list[Address] = []
        self._offers = _NOTHING
        self._unread = b""
        self._at = 0
        self._waiting = bytearray()
        self._out: list[bytes] = []
        self._events: list[Event] = []
        self._question: _Question | None = None
        self._body: Body | None = None
        self._left = self._errors = self._idle = 0
        self._late: tuple[Reply, State] = (replies.OK, State.READY)

    # What the application calls.

    def greet(self) -> None:
        """Say 220; what a client sent before it is answered 554 by `receive`."""
        if self.state is not State.OPENING:
            misuse("the greeting is said once")
        self._out.append(self.service.greeting.wire)
        self.state = State.GREETED

    def receive(self, data: bytes) -> list[Event]:
        """Interpret what the client sent, up to the first event that asks."""
        self._events = []
        if self._question is None:
            self._unread = self._unread[self._at :] + data
            self._at = 0
            return self._run()
        if not self.reading:
            misuse("receive was called while reading was false")
        self._waiting += data
        return self._events

    def answer(self, reply: Reply, *others: Reply, close: bool = False) -> list[Event]:
        """Answer the event that asked, and go on with what waited behind it.

        `others` are for a MessageEnd of LMTP: one reply for each recipient, in their order (RFC 2033 §4.2);
        one reply alone is said for all of them. With `close`, or with 421, the connection ends behind the reply.
        """
        question = self._question
        if question is None:
            misuse("nothing was asked")
        self._check_answer(question.verb, reply, others)
        self._question = None
        self._unread = self._unread[self._at :] + self._waiting
        self._at = 0
        self._waiting.clear()
        self._events = []
        _ANSWER[question.verb](self, question, tuple(said.with_enhanced() for said in (reply, *others)))
        if close or reply.code == _CLOSING:
            self._end(reply)
        return self._run()

    def close(self, reply: Reply) -> list[Event]:
        """End the connection for a reason of ours: 421, or 554 in the place of the greeting (RFC 5321 §3.1)."""
        self._events = []
        self._question = None
        self._hang_up(reply)
        return self._events

    def started_tls(self) -> None:
        """Begin anew inside TLS: RFC 3207 §4.2 wants all that was learned before the handshake discarded."""
        if self.state is not State.HANDSHAKE:
            misuse("no handshake was begun")
        self.tls = True
        self.hello = ""
        self.verb = None
        self._offers = _NOTHING
        self._enter(State.GREETED)

    def output(self) -> bytes:
        """Take what is to be sent: the replies to a whole group at once."""
        said = b"".join(self._out)
        self._out.clear()
        return said

    @property
    def reading(self) -> bool:
        """False while too much waits behind a question: read no more until it is answered."""
        return len(self._waiting) <= self.service.limits.pipelined

    @property
    def protocol(self) -> str:
        """The `with` protocol of a Received header (RFC 3848, RFC 6531 §4.3)."""
        name = "LMTP" if self.service.lmtp else "SMTP"
        if self.mail is not None and self.mail.utf8:
            name = "UTF8" + name
        elif self.verb is Verb.EHLO:
            name = "ESMTP"
        return name + "S" if self.tls else name

    def _check_answer(self, verb: Verb, reply: Reply, others: tuple[Reply, ...]) -> None:
        """An answer of the wrong kind would tell the client something else than the state that it leads to."""
        kind = _GO_ON if verb in (Verb.DATA, Verb.BDAT) else _DONE
        if any(said.positive and said.code // 100 != kind for said in (reply, *others)):
            misuse(f"{reply} does not answer {verb}")
        if others and not (self.service.lmtp and verb is Verb.END and len(others) + 1 == len(self.recipients)):
            misuse("one reply is wanted, or with LMTP one for each recipient")

    # Turns: each takes one command, or one piece of content, and says whether there may be more.

    def _run(self) -> list[Event]:
        self._police()
        while self._question is None and self._at < len(self._unread) and _TURN[self.state](self):
            self._police()
        if self._at == len(self._unread):
            self._unread = b""
            self._at = 0
        return self._events

    def _police(self) -> None:
        if self._errors >= self.service.limits.errors:
            self._hang_up(self.service.too_many_errors)
        elif self._idle >= self.service.limits.idle_commands:
            self._hang_up(self.service.too_many_commands)

    def _command(self) -> bool:
        line = take_line(self._unread, self._at, self.service.limits.line)
        if line is None:
            return False
        if line.odd is not None:
            self._hang_up(replies.LONG_COMMAND if line.odd is OddityKind.LONG_LINE else replies.BAD_LINE)
            return False
        self._at = line.end
        word, _, argument = line.text.partition(b" ")
        verb, act = _COMMANDS.get(word.upper(), _UNKNOWN)
        if self._crowded(verb):
            self._hang_up(replies.SYNCHRONIZATION)
            return False
        edge = SERVER[verb][self.state]
        if edge.wrong is not None and verb is not Verb.BDAT:
            self._refuse(edge, edge.wrong)
            return True
        try:
            act(self, verb, edge, argument)
        except RemoteProtocolError as error:
            self._refuse(edge, error.reply)
        return True

    def _content(self) -> bool:
        body = self._body
        assert body is not None
        content, used, ended = body.read(self._unread[self._at :] if self._at else self._unread)
        self._at += used
        if content:
            self._events.append(Content(content))
        if ended:
            self._content_end(body)
        return True

    def _drain(self) -> bool:
        used = min(self._left, len(self._unread) - self._at)
        self._at += used
        self._left -= used
        if not self._left:
            reply, state = self._late
            self._say(reply)
            self._enter(state)
            self._end_group()
        return True

    def _too_early(self) -> bool:
        self._hang_up(replies.SYNCHRONIZATION)
        return False

    def _plain_text(self) -> bool:
        self._end(None)
        return False

    def _ignore(self) -> bool:
        self._unread = b""
        self._at = 0
        return False

    # Commands. One that is out of its place is refused by its edge; BDAT sees to its octets first.

    def _hello(self, verb: Verb, edge: Edge, argument: bytes) -> None:
        if (verb is Verb.LHLO) != self.service.lmtp:
            raise RemoteProtocolError(replies.WRONG_HELLO)
        self.hello = parse_hello(argument)
        self.verb = verb
        self._offers = _NOTHING if verb is Verb.HELO else self.service.offers
        self._idle += 1
        self._give_up(edge.accepted)
        self._say(self._hello_reply(verb))

    def _hello_reply(self, verb: Verb) -> Reply:
        if verb is Verb.HELO:
            return self.service.helo
        return self.service.ehlo_in_tls if self.tls else self.service.ehlo

    def _mail(self, verb: Verb, edge: Edge, argument: bytes) -> None:
        mail = parse_mail(argument, self._offers)
        if mail.size is not None and mail.size > self.service.size:
            raise RemoteProtocolError(replies.TOO_BIG)
        self._question = _Question(verb, edge, mail)
        self._events.append(MailFrom(mail))

    def _rcpt(self, verb: Verb, edge: Edge, argument: bytes) -> None:
        assert self.mail is not None
        if len(self.recipients) >= self.service.limits.recipients:
            raise RemoteProtocolError(replies.TOO_MANY_RECIPIENTS)
        recipient = parse_rcpt(argument, utf8=self.mail.utf8)
        self._question = _Question(verb, edge, recipient)
        self._events.append(RcptTo(recipient))

    def _data(self, verb: Verb, edge: Edge, argument: bytes) -> None:
        if argument:
            raise RemoteProtocolError(replies.NO_ARGUMENT)
        self._question = _Question(verb, edge)
        self._events.append(ContentStart(self._envelope(), chunked=False))

    def _bdat(self, verb: Verb, edge: Edge, argument: bytes) -> None:
        try:
            count, last = parse_chunk(argument)
        except RemoteProtocolError as error:
            # Nobody knows where this chunk ends: whatever follows could be content or commands.
            self._hang_up(error.reply)
            return
        if not last and count < TINY_CHUNK:
            self._idle += 1
        if edge.wrong is not None:
            self._drain_from(count, edge.wrong, edge.refused)
        elif self._body is None:
            self._body = Body.of_chunks(self.service.bdat, self.service.size)
            self._body.open_chunk(count, last=last)
            self._question = _Question(verb, edge, count)
            self._events.append(ContentStart(self._envelope(), chunked=True))
        else:
            self._body.open_chunk(count, last=last)
            self._open_chunk(edge, count)

    def _rset(self, _verb: Verb, edge: Edge, argument: bytes) -> None:
        if argument:
            raise RemoteProtocolError(replies.NO_ARGUMENT)
        self._idle += 1
        self._give_up(edge.accepted)
        self._say(replies.OK)

    def _starttls(self, _verb: Verb, edge: Edge, argument: bytes) -> None:
        if argument:
            raise RemoteProtocolError(replies.NO_ARGUMENT)
        if self.tls:
            raise RemoteProtocolError(replies.TLS_ACTIVE)
        if not self._offers.starttls:
            raise RemoteProtocolError(replies.NOT_IMPLEMENTED)
        self._say(replies.START_TLS)
        self._enter(edge.accepted)
        self._events.append(StartTls())

    def _quit(self, _verb: Verb, _edge: Edge, argument: bytes) -> None:
        if argument:
            raise RemoteProtocolError(replies.NO_ARGUMENT)
        self._hang_up(self.service.bye)

    def _fixed(self, verb: Verb, _edge: Edge, _argument: bytes) -> None:
        self._idle += 1
        self._say(_FIXED[verb])

    # Answers of the application.

    def _answer_command(self, question: _Question, said: tuple[Reply, ...]) -> None:
        reply = said[0]
        if self._crowded(question.verb):
            self._hang_up(replies.SYNCHRONIZATION)
            return
        self._say(reply)
        if not reply.positive:
            self._enter(question.edge.refused)
            return
        if isinstance(question.value, Mail):
            self.mail = question.value
        elif isinstance(question.value, Address):
            self.recipients.append(question.value)
        else:
            self._body = Body.of_data(self.service.data, self.service.size)
        self._enter(question.edge.accepted)

    def _answer_chunk(self, question: _Question, said: tuple[Reply, ...]) -> None:
        assert isinstance(question.value, int)
        if said[0].positive:
            self._open_chunk(question.edge, question.value)
        else:
            self._drain_from(question.value, said[0], question.edge.refused)

    def _answer_content(self, question: _Question, said: tuple[Reply, ...]) -> None:
        if question.verb is Verb.END and self.service.lmtp and len(said) == 1:
            said *= len(self.recipients)
        for reply in said:
            self._say(reply)
        if question.verb is Verb.END and said[0].positive:
            self._errors = self._idle = 0
        edge = question.edge
        self._enter(edge.accepted if said[0].positive or question.verb is Verb.END else edge.refused)
        self._end_group()

    # Moves.

    def _open_chunk(self, edge: Edge, count: int) -> None:
        self._enter(edge.accepted)
        if not count:
            self._content()

    def _drain_from(self, count: int, reply: Reply, state: State) -> None:
        self._give_up(State.DRAIN)
        self._left = count
        self._late = (reply, state)
        if not count:
            self._drain()

    def _content_end(self, body: Body) -> None:
        verb = Verb.END if body.last else Verb.CHUNK_END
        edge = SERVER[verb][self.state]
        if body.refusal is not None:
            self._refuse_content(body, edge, body.refusal)
            return
        self._question = _Question(verb, edge)
        self._events.append(MessageEnd(self._envelope(), body.reader) if body.last else ChunkEnd())

    def _refuse_content(self, body: Body, edge: Edge, reply: Reply) -> None:
        self._events.append(MessageRefused(self._envelope(), body.reader, reply))
        for _ in self.recipients if self.service.lmtp and body.last else (None,):
            self._say(reply)
        self._enter(edge.refused)
        if reply is replies.ODD_CONTENT:
            self._end(reply)
        self._end_group()

    def _envelope(self) -> Envelope:
        assert self.mail is not None
        return Envelope(self.mail, tuple(self.recipients))

    def _crowded(self, verb: Verb) -> bool:
        """Whether the client sent on where the group had to end: nothing of it may be executed."""
        if self._at == len(self._unread) or verb is Verb.BDAT:
            return False
        return not self._offers.pipelining or verb in LAST_OF_GROUP

    def _end_group(self) -> None:
        """Behind content: a new group may follow at once only where PIPELINING was offered (RFC 2920 §3.1)."""
        if self._at < len(self._unread) and not self._offers.pipelining:
            self._hang_up(replies.SYNCHRONIZATION)

    def _say(self, reply: Reply) -> None:
        self._out.append(reply.wire)
        self._errors += reply.permanent

    def _refuse(self, edge: Edge, reply: Reply) -> None:
        self._give_up(edge.refused)
        self._say(reply)

    def _give_up(self, state: State) -> None:
        """Go on in `state`, and tell the application if that ends a transaction that it knows of."""
        if self.mail is not None and state not in TRANSACTION:
            self._events.append(Reset())
        self._enter(state)

    def _enter(self, state: State) -> None:
        """Go on in `state`. Outside a transaction there is no envelope and no content: promise 5 is these lines."""
        self.state = state
        if state not in TRANSACTION:
            self.mail = None
            self.recipients = []
            self._body = None

    def _hang_up(self, reply: Reply) -> None:
        if self.state is not State.CLOSED:
            self._out.append(reply.wire)
            self._end(reply)

    def _end(self, reply: Reply | None) -> None:
        """Close: what the client sent beyond this point is not looked at."""
        if self.state is not State.CLOSED:
            self._enter(State.CLOSED)
            self._unread = b""
            self._at = 0
            self._events.append(Close(reply))


_CLOSING: Final = 421
_GO_ON: Final = 3
_DONE: Final = 2

_TURN: Final[dict[State, Callable[[Server], bool]]] = {
    State.OPENING: Server._too_early,
    State.CONTENT: Server._content,
    State.CHUNK: Server._content,
    State.DRAIN: Server._drain,
    State.HANDSHAKE: Server._plain_text,
    State.CLOSED: Server._ignore,
    **dict.fromkeys(COMMAND, Server._command),
}

_ANSWER: Final[dict[Verb, Callable[[Server, _Question, tuple[Reply, ...]], None]]] = {
    Verb.MAIL: Server._answer_command,
    Verb.RCPT: Server._answer_command,
    Verb.DATA: Server._answer_command,
    Verb.BDAT: Server._answer_chunk,
    Verb.CHUNK_END: Server._answer_content,
    Verb.END: Server._answer_content,
}

_FIXED: Final = {
    Verb.NOOP: replies.OK,
    Verb.VRFY: replies.NOT_VERIFIED,
    Verb.EXPN: replies.NOT_IMPLEMENTED,
    Verb.HELP: replies.HELP,
    Verb.UNKNOWN: replies.UNKNOWN_COMMAND,
}

_ACT: Final[dict[Verb, Callable[[Server, Verb, Edge, bytes], None]]] = {
    Verb.HELO: Server._hello,
    Verb.EHLO: Server._hello,
    Verb.LHLO: Server._hello,
    Verb.MAIL: Server._mail,
    Verb.RCPT: Server._rcpt,
    Verb.DATA: Server._data,
    Verb.BDAT: Server._bdat,
    Verb.RSET: Server._rset,
    Verb.STARTTLS: Server._starttls,
    Verb.QUIT: Server._quit,
    **dict.fromkeys(_FIXED, Server._fixed),
}
_COMMANDS: Final = {verb.encode(): (verb, act) for verb, act in _ACT.items() if verb is not Verb.UNKNOWN}
_UNKNOWN: Final = (Verb.UNKNOWN, Server._fixed)
