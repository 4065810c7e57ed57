r"""Both sides of the SMTP core in memory: an application that answers as it is told, and dialogues as they are written.

A dialogue is read line by line:

    C: EHLO client.test           the client sends this line; lines in a row travel in one packet
    ~: a\nb                       the client sends these bytes, escapes undone, no CR LF added
    ?: 451 4.3.0 Later            how the application will answer the next event that asks; without one it accepts
    S: 250-mx.test                the server must have said exactly these lines since the client last sent
    S: CLOSE                      and must have ended the connection
"""

from collections import deque
from collections.abc import Iterable

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire import (
    Asking,
    Close,
    Content,
    ContentStart,
    Event,
    MailFrom,
    MessageEnd,
    MessageRefused,
    Offers,
    RcptTo,
    Server,
    Service,
    replies,
)

SERVICE = Service("mx.test", Offers(pipelining=True, eight_bit=True, utf8=True, chunking=True, starttls=True))

NO_PIPELINING = Service("mx.test", Offers(chunking=True, starttls=True))
SYNCHRONIZATION = b"554 5.5.0 SMTP protocol synchronization: wait for the reply\r\n"

HELLO = """
S: 220 mx.test ESMTP Tidewaiter
C: EHLO client.test
S: 250-mx.test
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-CHUNKING
S: 250-STARTTLS
S: 250-ENHANCEDSTATUSCODES
S: 250 SIZE 52428800
"""
OPEN = (
    HELLO
    + """
C: MAIL FROM:<a@client.test>
S: 250 2.1.0 Ok
"""
)
NAMED = (
    OPEN
    + """
C: RCPT TO:<b@inside.test>
S: 250 2.1.5 Ok
"""
)
ENVELOPE = Envelope(Mail(Address("a", "client.test")), (Address("b", "inside.test"),))

ACCEPT = {MailFrom: replies.SENDER_OK, RcptTo: replies.RECIPIENT_OK, ContentStart: replies.GO_AHEAD}


class Talk:
    """A server, and an application that answers at once."""

    def __init__(self, service: Service = SERVICE, *, greeted: bool = True) -> None:
        self.server = Server(service)
        self.answers: deque[Reply] = deque()
        self.events: list[Event] = []
        self.messages: list[tuple[Envelope, bytes]] = []
        self._content = b""
        if greeted:
            self.server.greet()

    @property
    def closed(self) -> bool:
        return any(isinstance(event, Close) for event in self.events)

    def say(self, data: bytes) -> bytes:
        """Send one packet; what the server says until it wants more."""
        self.take(self.server.receive(data))
        return self.server.output()

    def take(self, events: Iterable[Event]) -> None:
        """Act on events as a gateway does: keep what is accepted, forget what is given up."""
        pending = deque(events)
        while pending:
            event = pending.popleft()
            self.events.append(event)
            if isinstance(event, Content):
                self._content += event.content
            elif isinstance(event, ContentStart | MessageRefused | Close):
                self._content = b""
            if isinstance(event, Asking):
                assert not pending, "something was interpreted behind an event that asks"
                pending.extend(self._answer(event))

    def _answer(self, event: Event) -> list[Event]:
        if self.answers:
            reply = self.answers.popleft()
            if reply.code == 250 and isinstance(event, ContentStart):
                reply = replies.GO_AHEAD
        else:
            reply = ACCEPT.get(type(event), replies.OK)
        if isinstance(event, MessageEnd) and reply.positive:
            self.messages.append((event.envelope, self._content))
        return self.server.answer(reply)


def parse_reply_line(text: str) -> Reply:
    """A reply as it is written in a dialogue."""
    code, enhanced, words = text.split(" ", 2)
    return Reply(int(code), enhanced, (words,))


def play(script: str, talk: Talk | None = None) -> Talk:
    """Play a dialogue and hold the server to every byte of it."""
    talk = talk or Talk()
    said = talk.server.output()
    sent = b""
    for line in filter(None, map(str.strip, script.splitlines())):
        kind, text = line[0], line[3:]
        if kind == "S":
            if sent:
                said += talk.say(sent)
                sent = b""
            said = _expect(text, said, talk)
            continue
        assert not said or sent, f"not expected: {said!r}"
        if kind == "?":
            talk.answers.append(parse_reply_line(text))
        else:
            sent += text.encode() + b"\r\n" if kind == "C" else _unescape(text)
    if sent:
        said += talk.say(sent)
    assert not said, f"not expected: {said!r}"
    return talk


def _unescape(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def _expect(text: str, said: bytes, talk: Talk) -> bytes:
    if text == "CLOSE":
        assert not said, f"not expected: {said!r}"
        assert talk.closed, "the connection is open"
        return said
    line, end, rest = said.partition(b"\r\n")
    assert line + end == text.encode() + b"\r\n"
    return rest
