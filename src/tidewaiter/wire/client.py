"""SMTP as a client speaks it (RFC 5321, and LMTP, RFC 2033), without a socket: commands in, bytes and replies out.

The rules it keeps:

- A verb may be sent only where the table `states.CLIENT` has it, and its reply leads where that table says.
- Replies are counted: each belongs to one command, in order; one byte that nobody asked for ends the connection.
- A final reply to content that has not left whole ends it too: the server may read the rest as commands.
- Commands are pipelined where the server offers it (RFC 2920), else sent one by one; the caller sees no difference.
- Behind a failure half way, the only way on is RSET: what the server kept is not guessed (promise 5).
- Nothing that came before the handshake is believed behind it (promise 6).
- It never raises for what the server sent, only (LocalProtocolError) for what its caller did.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tidewaiter.lines.writer import Writer, command
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire.errors import misuse
from tidewaiter.wire.offers import Offers, parse_offers
from tidewaiter.wire.replied import ReplyReader
from tidewaiter.wire.states import CLIENT, LAST_OF_GROUP, LATE, TRANSACTION, State, Verb
from tidewaiter.wire.xclient import xclient_command

_NOTHING: Final = Offers(enhanced=False)
_NOT_KNOWN: Final = frozenset({500, 501, 502, 504})
"""Replies to EHLO behind which RFC 5321 §3.2 has the client try HELO."""


@dataclass(init=False, slots=True)
class Replied:
    """The reply to one command.

    `verb` is GREETING for the server's first words, and END for the reply to content, however it was sent: with LMTP
    there are as many as recipients were accepted, in their order.
    """

    verb: Final[Verb]
    reply: Final[Reply]

    def __init__(self, verb: Verb, reply: Reply) -> None:
        """Tell; see `events` for why this is written out."""
        self.verb = verb
        self.reply = reply


@dataclass(frozen=True, slots=True)
class Broken:
    """The server spoke out of turn, or not SMTP: close, and believe nothing more. Always the last event."""

    reason: str


@dataclass(frozen=True, slots=True)
class Early:
    """The server gave its final reply before it had all of the content: cut the connection at once.

    What is left of the content, were it sent, could be read as commands. Always the last event.
    """

    reply: Reply


Heard = Replied | Broken | Early
"""What `Client.receive` reports."""


class Client:
    """One connection, seen from the client."""

    __slots__ = (
        "_accepted",
        "_ahead",
        "_early",
        "_expected",
        "_failed",
        "_greeted_as",
        "_left",
        "_out",
        "_queue",
        "_reader",
        "_writer",
        "hello",
        "lmtp",
        "offers",
        "state",
        "tls",
    )

    def __init__(self, hello: str, *, lmtp: bool = False, tls: bool = False) -> None:
        """Begin before the greeting; `hello` is our host name, `tls` says that the connection is inside TLS already."""
        self.hello = hello
        self.lmtp = lmtp
        self.tls = tls
        self.state = State.OPENING
        """What the replies so far have made certain."""
        self.offers = _NOTHING
        """What the server offered in its last EHLO reply."""
        self._ahead = State.OPENING
        self._greeted_as = hello
        """The name that the last EHLO said."""
        self._expected = deque([Verb.GREETING])
        self._queue: deque[tuple[Verb, bytes]] = deque()
        self._out: list[bytes] = []
        self._reader = ReplyReader()
        self._writer = Writer()
        self._accepted = 0
        self._left = 0
        self._early = False
        """A reply to the content began before the content had left."""
        self._failed = False

    # Commands. Each raises LocalProtocolError where the table does not have it.

    def ehlo(self, hello: str = "") -> None:
        """Send EHLO, or LHLO with LMTP; where EHLO is not known, HELO follows, and its reply is the one reported.

        `hello` is the name to say, ours by default; behind XCLIENT it is that of the client before us, since the server
        takes the greeting for the client's.
        """
        verb = Verb.LHLO if self.lmtp else Verb.EHLO
        self._greeted_as = hello or self.hello
        self._send(verb, f"{verb} {self._greeted_as}".encode())

    def starttls(self) -> None:
        """Send STARTTLS; when its reply is positive, do the handshake, then call `started_tls`, then `ehlo` again."""
        if self.tls or not self.offers.starttls or self.outstanding:
            misuse("STARTTLS is sent where it is offered, once, and alone")
        self._send(Verb.STARTTLS, b"STARTTLS")

    def started_tls(self) -> None:
        """Begin anew inside TLS: RFC 3207 §4.2 has the client discard what it learned before."""
        places = CLIENT[Verb.SECURED].get(self.state)
        if places is None:
            misuse("no handshake was begun")
        self.tls = True
        self._enter(places[_SUCCESS])

    def xclient(self, attributes: Mapping[str, str]) -> None:
        """Tell of the client before us, as far as `xclient.ATTRIBUTES` are offered; then `ehlo` again."""
        if self.outstanding or not self.offers.xclient:
            misuse("XCLIENT is sent where it is offered, and alone")
        self._send(Verb.XCLIENT, xclient_command(attributes, self.offers.xclient))

    def mail(self, mail: Mail) -> None:
        """Send MAIL with those parameters that it needs and the server offers.

        Raises LocalProtocolError where it needs SMTPUTF8 and that is not offered. BODY=8BITMIME is left out where it is
        not offered: content that is 7-bit after all may go there, and the caller keeps what is not from going.
        """
        sender = mail.sender
        if (mail.utf8 or (sender and not sender.is_ascii)) and not self.offers.utf8:
            misuse("SMTPUTF8 is not offered")
        line = f"MAIL FROM:<{sender or ''}>"
        if mail.size is not None and self.offers.size is not None:
            line += f" SIZE={mail.size}"
        if mail.eight_bit and self.offers.eight_bit:
            line += " BODY=8BITMIME"
        if mail.utf8:
            line += " SMTPUTF8"
        self._send(Verb.MAIL, line.encode())

    def rcpt(self, recipient: Address) -> None:
        """Send RCPT."""
        if not (recipient.is_ascii or self.offers.utf8):
            misuse("SMTPUTF8 is not offered")
        self._send(Verb.RCPT, f"RCPT TO:<{recipient}>".encode())

    def data(self) -> None:
        """Send DATA, once every recipient is answered; behind a positive reply come `content` and `end`."""
        self._want_settled_recipients()
        self._writer = Writer()
        self._early = False
        self._send(Verb.DATA, b"DATA")

    def bdat(self, size: int) -> None:
        """Send `BDAT size LAST`, once every recipient is answered; exactly `size` octets of `content` follow at once.

        A reply that comes before they have all left is `Early`.
        """
        self._want_settled_recipients()
        if not self.offers.chunking:
            misuse("CHUNKING is not offered")
        self._left = size
        self._early = False
        self._out.append(command(f"BDAT {size} LAST".encode()))
        self.state = self._ahead = CLIENT[Verb.BDAT][State.NAMED][2]
        self._expect_end()

    def content(self, content: bytes) -> None:
        """Write content: behind 354 with its dots stuffed, behind BDAT as it is."""
        if self.state is State.CONTENT and not self._expected:
            self._out.append(self._writer.write(content))
        elif len(content) <= self._left:
            self._left -= len(content)
            self._out.append(content)
        else:
            misuse("no content is wanted")

    def end(self) -> None:
        """Write the one end behind DATA's content."""
        if self.state is not State.CONTENT or self._expected:
            misuse("there is no content to end")
        self._out.append(self._writer.finish())
        self._expect_end()

    def rset(self) -> None:
        """Send RSET."""
        self._send(Verb.RSET, b"RSET")

    def quit(self) -> None:
        """Send QUIT."""
        self._send(Verb.QUIT, b"QUIT")

    # What comes back.

    def receive(self, data: bytes, *, unsent: bool = False) -> list[Heard]:
        """Read replies; each is reported with the command that it answers.

        `unsent` says that octets which `output` gave have not left yet, so that no reply can be about all of them.
        """
        events: list[Heard] = []
        if self.state is State.CLOSED or not data:
            return events
        self._reader.feed(data)
        while (self._expected or self.state is State.CONTENT) and (reply := self._reader.next_reply()) is not None:
            if self._in_content(unsent=unsent):
                self._enter(State.CLOSED)
                events.append(Early(reply))
                return events
            self._take(reply, events)
        if not self._reader.empty and self._in_content(unsent=unsent):
            self._early = True
        self._conclude(events)
        return events

    def _in_content(self, *, unsent: bool) -> bool:
        """Tell whether the server had not been given the end of the content when its reply began."""
        if not self._expected:
            return self.state is State.CONTENT
        return self._expected[0] is Verb.END and (unsent or self._early or self._left > 0)

    def _conclude(self, events: list[Heard]) -> None:
        """Go on where every reply so far was in order."""
        if self.state is State.CLOSED:
            return
        if self._reader.broken:
            self._break(self._reader.broken, events)
        elif not self._expected and not self._reader.empty and self.state is not State.CONTENT:
            # Were it kept, it would answer the next command, which has not left yet: a reply injected before
            # STARTTLS, or said by a server that saw one command more than we sent.
            self._break("the server said what nobody asked for", events)
        else:
            self._pump()

    def output(self) -> bytes:
        """Take what is to be sent: nothing any more, once a reply has begun before the content that it answers left."""
        said = b"" if self._early else b"".join(self._out)
        self._out.clear()
        return said

    @property
    def outstanding(self) -> int:
        """Replies that are still to come, those of unsent commands included."""
        return len(self._expected) + len(self._queue)

    @property
    def idle(self) -> bool:
        """No transaction, no reply outstanding, no byte unread: fit for a pool."""
        return self.state is State.READY and not (self.outstanding or self._left or self._out)

    @property
    def resettable(self) -> bool:
        """RSET can be sent now, and will take back whatever was begun."""
        return self._ahead in CLIENT[Verb.RSET] and not self._left and self._pending not in _AWAITED

    @property
    def awaited(self) -> Verb | None:
        """The command whose reply comes next; None where none is outstanding."""
        if self._expected:
            return self._expected[0]
        return self._queue[0][0] if self._queue else None

    def _take(self, reply: Reply, events: list[Heard]) -> None:
        """Give a reply to the command that it answers."""
        verb = self._expected.popleft()
        code = reply.code
        if verb is Verb.EHLO and code in _NOT_KNOWN:
            self._queue.append((Verb.HELO, command(f"HELO {self._greeted_as}".encode())))
            return
        places = CLIENT[verb].get(self.state) or LATE[verb][self.state]
        state = places.get(code // 100)
        if state is None:
            self._break(f"{code} does not answer {verb}", events)
            return
        events.append(Replied(verb, reply))
        if code == 421:
            state = State.CLOSED
        elif verb is Verb.END:
            state = self._end_state(state)
        elif verb is Verb.RCPT:
            self._accepted += code < 300
        elif code < 300 and (verb is Verb.EHLO or verb is Verb.LHLO):
            self.offers = parse_offers(reply.lines[1:])
        self._enter(state)

    def _end_state(self, state: State) -> State:
        """LMTP answers once for each recipient: the transaction ends with the last, and one failure spoils it."""
        self._failed = self._failed or state is not State.READY
        if self._expected:
            return self.state
        return State.SPOILED if self._failed else state

    def _enter(self, state: State) -> None:
        self.state = state
        if state not in TRANSACTION:
            self._accepted = 0
            if state is State.GREETED or state is State.CLOSED:
                self._forget(state)
        if not (self._expected or self._queue):
            self._ahead = state

    def _forget(self, state: State) -> None:
        """What was offered before the handshake, or before XCLIENT, is not offered any more (RFC 3207 §4.2)."""
        self.offers = _NOTHING
        if state is State.CLOSED:
            self._queue.clear()
            self._expected.clear()
            self._left = 0

    def _break(self, reason: str, events: list[Heard]) -> None:
        self._enter(State.CLOSED)
        events.append(Broken(reason))

    # What goes out.

    def _send(self, verb: Verb, line: bytes) -> None:
        """Queue a command for the state in which all before it will have succeeded."""
        places = CLIENT[verb].get(self._ahead)
        if places is None or self._left:
            misuse(f"{verb} cannot be sent in state {self._ahead}")
        if self._pending in _AWAITED:
            misuse(f"{verb} has to wait for the reply to {self._pending}")
        self._queue.append((verb, command(line)))
        self._ahead = places[_GO_ON if verb is Verb.DATA else _SUCCESS]
        self._pump()

    @property
    def _pending(self) -> Verb | None:
        """The last command whose reply is still to come."""
        if self._queue:
            return self._queue[-1][0]
        return self._expected[-1] if self._expected else None

    def _pump(self) -> None:
        """Send what may be sent now: a whole group (RFC 2920 §3.1), or one command at a time."""
        while self._queue and (self.offers.pipelining or not self._expected):
            verb, line = self._queue.popleft()
            self._out.append(line)
            self._expected.append(verb)

    def _want_settled_recipients(self) -> None:
        if self.state is not State.NAMED or self.outstanding:
            misuse("content is sent to recipients who have been accepted, with no reply outstanding")

    def _expect_end(self) -> None:
        self._failed = False
        self._expected.extend([Verb.END] * (self._accepted if self.lmtp else 1))


_AWAITED: Final = LAST_OF_GROUP | {Verb.XCLIENT}
"""What comes behind these depends on their reply, so nothing is sent, or queued, before it."""
_SUCCESS: Final = 2
_GO_ON: Final = 3
