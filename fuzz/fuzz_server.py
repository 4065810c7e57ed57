"""The SMTP server, fed with anything, cut anyhow, by an application that accepts and refuses as the input says.

Byte 0 chooses PIPELINING, LMTP, the positions, and how far the session has come; byte 1 how the rest is cut, and
whether the application answers only when it must; each bit of byte 2 whether it refuses, in words that the client said;
the rest is the wire, byte for byte.
What must hold is kept by two books that know nothing of the server: the envelope as events and answers make it, and
how many replies one packet of commands may have.
"""

import re

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.model.position import STRANGERS_DATA, Position, Positions
from tidewaiter.model.reply import Reply, ReplyError
from tidewaiter.wire import (
    Asking,
    ChunkEnd,
    Close,
    Content,
    ContentStart,
    Event,
    Limits,
    MailFrom,
    MessageEnd,
    MessageRefused,
    Offers,
    RcptTo,
    Reset,
    Server,
    Service,
    StartTls,
    State,
    replies,
)

PARTS = (
    "src/tidewaiter/wire/server.py",
    "src/tidewaiter/wire/session.py",
    "src/tidewaiter/wire/commands.py",
    "src/tidewaiter/wire/body.py",
    "src/tidewaiter/wire/events.py",
    "src/tidewaiter/wire/grammar.py",
    "src/tidewaiter/wire/parameters.py",
    "src/tidewaiter/wire/replies.py",
    "src/tidewaiter/wire/service.py",
    "src/tidewaiter/wire/states.py",
    "src/tidewaiter/model/address.py",
    "src/tidewaiter/model/domain.py",
    "src/tidewaiter/model/envelope.py",
    "src/tidewaiter/model/reply.py",
)
WORDS = (b"_", b'"', b"<>", b" RET=", b"AUTH=", "\u2028".encode(), "\u2029".encode())
"""What separates one reading of an argument from another."""
EAR = "tidewaiter.wire.server:Server.receive"
VECTORS = ("client",)

_LENIENT = Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR)
_LIMITS = Limits(line=200, size=5000, recipients=5, errors=12, idle_commands=30, pipelined=300)
_OFFERS = Offers(pipelining=True, eight_bit=True, utf8=True, chunking=True, starttls=True)
_SERVICES = [
    Service("mx.test", offers, _LIMITS, positions, positions)
    for positions in (STRANGERS_DATA, _LENIENT)
    for offers in (_OFFERS, Offers(chunking=True, starttls=True))
]
_REFUSALS = (Reply(451, "4.3.0", ("Later",)), Reply(550, "5.7.1", ("Never",)))
_COMMAND_STATES = (State.GREETED, State.READY, State.MAILED, State.NAMED, State.CHUNKED)
_LAST = (b"EHLO", b"HELO", b"LHLO", b"NOOP", b"VRFY", b"EXPN", b"HELP", b"STARTTLS", b"DATA", b"QUIT")
_REPLIES = re.compile(rb"(?:(?:[2-5]\d\d-[ -~]{0,506}\r\n)*[2-5]\d\d [ -~]{0,506}\r\n)*")
_CHUNK = re.compile(rb"(?i:BDAT) ([0-9]{1,10})(?: (?i:LAST))?[ \t]*")
_GREETED, _NAMED, _OPEN = 8, 16, 24
_SLOW = 128
"""In byte 2: the handshake begins too late, behind the next packet."""
_LATE = 32
"""In byte 1: the application answers when nothing more is read before it does."""
_QUIT = re.compile(rb"(?is)QUIT[ \t]*\r\n(.*)\Z")
_PARAMETER = re.compile(rb"(?:SIZE|BODY|AUTH|RET|ENVID|NOTIFY|ORCPT)=")
_SAID = re.compile(rb"[^\r]{1,40}(?=\r\n\Z)")


def says(wire: bytes) -> bytes:
    """The input that delivers `wire` to a server that has heard EHLO, in one packet."""
    return bytes([_NAMED, 0, 0]) + wire


_ENVELOPE = b"MAIL FROM:<a@b.test> SIZE=9\r\nRCPT TO:<c@inside.test>\r\n"
_MESSAGE = b"DATA\r\n" + b"Subject: x\r\n\r\n..\r\n.\r\n"
SEEDS = [
    says(_ENVELOPE + b"DATA\r\n"),
    bytes([_GREETED, 1, 0]) + b"EHLO c\r\n" + _ENVELOPE + _MESSAGE + b"QUIT\r\n",
    bytes([_OPEN, 6, 0]) + _MESSAGE + _ENVELOPE + _MESSAGE,
    bytes([_OPEN, 0, 0]) + b"BDAT 3\r\n.\r\nBDAT 5 LAST\r\nRSET\nMAIL FROM:<>\r\nRSET\r\n",
    bytes([_OPEN, 0, 1]) + b"BDAT 12\r\nQUIT\r\nRSET\r\nBDAT 6 LAST\r\nRSET\r\nMAIL FROM:<>\r\n",
    bytes([_OPEN, 0, 2]) + b"BDAT 1\r\nxBDAT 1\r\ny" + _ENVELOPE + b"BDAT 0 LAST\r\n",
    bytes([_OPEN, 0, 0]) + b"BDAT 2\r\nxyDATA\r\n",
    says(_ENVELOPE + b"RSET\r\nRCPT TO:<x@y.test>\r\nBDAT 1 LAST\r\nx"),
    bytes([_NAMED, 10, 0]) + b"STARTTLS\r\nMAIL FROM:<>\r\nEHLO c\r\nMAIL FROM:<>\r\n",
    bytes([_NAMED, 10, _SLOW]) + b"STARTTLS\r\nEHLO c\r\n" + _ENVELOPE,
    says(b"STARTTLS\r\nEHLO c\r\n" + _ENVELOPE),
    says(b"EHLO c\r\n" + _ENVELOPE),
    says(b"NOOP\r\nRSET\r\n"),
    bytes([_NAMED + 1, 0, 0]) + _ENVELOPE,
    bytes([_OPEN + 2, 3, 4]) + b"DATA\r\nx\n.\r\ny\0\r\n.\r\n" + _ENVELOPE + _MESSAGE,
    bytes([_OPEN + 4, 0, 0]) + b"DATA\r\n",
    says("MAIL FROM:<\u4e2d\u6587\u90ae\u4ef6@b.test> SMTPUTF8\r\n".encode()),
    bytes([_OPEN, 6, 1]) + b"DATA\r\nDATA\r\n",
    bytes([_OPEN, 0, 0]) + b"BDAT 1\r\nxRSET\r\n" + _ENVELOPE + b"BDAT 1 LAST\r\ny",
    bytes([_NAMED, _LATE + 31, 0]) + b"MAIL FROM:<>\r\n" + b"RCPT TO:<a@b.test>\r\n" * 40,
    says(b'MAIL FROM:<\xc3\xbc@b.test> SIZE=99 SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<"a b"@c.test>\r\n'),
    bytes([_NAMED, 0, 255]) + b"MAIL FROM:<a@b.test>\r\n",
    says(b"MAIL FROM:<a\nb@c.test>\r\n" + b"RSET\rRSET\r\n"),
    says(b"MAIL FROM:a@b.test\r\nRCPT TO : < c@inside.test >\r\n"),
    says(b"MAIL FROM:< >\r\n"),
    says(b"MAIL FROM:\r\n"),
    says(b"MAIL FROM:<root>\r\n"),
    says(b"MAIL FROM:AUTH=a@b.test\r\n"),
    says(b"MAIL FROM:<a@b.test> RET=FULL RET=HDRS\r\n"),
    says(b"MAIL FROM:<a@b.test> SIZE=1 BODY=7BIT AUTH=<> ENVID=x+2B\r\nRCPT TO:<c@d.test> NOTIFY=NEVER ORCPT=a;b\r\n"),
    says(b"QUIT\r\n\r\n"),
    says(b"QUIT\r\n\r\nRSET\r\n"),
    bytes([_OPEN, 0, 0]) + b"RCPT TO:<c@inside.test>\r\n" * 20,
]


def one_input(data: bytes) -> None:
    """Hold every invariant of the server against one input."""
    if len(data) < 3:
        return
    books = _Books(_SERVICES[data[0] % 4], data[2], late=data[1] & _LATE != 0)
    stage = data[0] & 24
    if stage:
        books.greet(hello=stage > _GREETED, named=stage == _OPEN)
    wire, size = data[3:], data[1] % 32
    for packet in [wire[at : at + size] for at in range(0, len(wire), size)] if size else [wire]:
        books.hear(packet)
    books.answer_all()


class _Books:
    """The server, the application, and what an honest reader keeps in mind."""

    def __init__(self, service: Service, answers: int, *, late: bool) -> None:
        self.server = Server(service)
        self.late, self.question = late, list[Event]()
        self.answers, self.asked = answers, 0
        self.hello = self.extended = False
        self.mail: Mail | None = None
        self.recipients: list[Address] = []
        self.content, self.heard = b"", b""
        self.chunked = self.closed = self.begun = False
        self.slow = answers & _SLOW != 0
        self.refused = False

    def greet(self, *, hello: bool, named: bool) -> None:
        answers, self.answers, late, self.late = self.answers, 0, self.late, False
        self.server.greet()
        self.server.output()
        if hello:
            self.hear(b"EHLO c\r\n")
        for line in (b"MAIL FROM:<a@b.test>\r\n", b"RCPT TO:<c@inside.test>\r\n") if named else ():
            self.hear(line)
        self.answers, self.asked, self.late = answers, 0, late

    def hear(self, packet: bytes) -> None:
        """Send one packet and hold the server to what it may do with it."""
        server = self.server
        while self.question and not server.reading:
            self._answer(self.question.pop())
        handshake = server.state is State.HANDSHAKE
        fresh = server.state in _COMMAND_STATES and not (_held(server) or self.late)
        most, ends = self._group(packet) if fresh else (10**9, False)
        self.heard += packet
        self._take(server.receive(packet))
        said = server.output()
        assert _REPLIES.fullmatch(said), f"no replies: {said!r}"
        number = len(re.findall(rb"(?m)^...\x20", said))
        assert number <= most + (b"421 " in said), "what was no command was answered"
        assert not handshake or self.closed, "plain text is taken for TLS"
        left = _QUIT.match(packet) if fresh else None
        assert not (left and said.startswith(b"221 ")) or left[1] in (b"", b"\r", b"\r\n"), (
            "something behind QUIT is taken"
        )
        self.refused = self.refused or bool(re.search(rb"(?m)^5", said))
        assert self.refused or b"Too many errors" not in said, "errors that nobody made"
        assert not ends or self.closed, "a group went on where it had to end"
        assert not self.closed or server.receive(b"RSET\r\n") == [], "it goes on behind the end"
        assert server.output() == b"" or not self.closed, "it speaks behind the end"
        bound = _LIMITS.pipelined + len(packet) if self.late else _LIMITS.line
        assert len(_held(server)) <= bound, "too much is held"
        if re.search(rb"(?m)^250[- ]mx\.test\r$", said):
            self.hello, self.extended = True, b"250-mx.test" in said
        assert (server.mail, server.recipients) == (self.mail, self.recipients), "another envelope"

    def _group(self, packet: bytes) -> tuple[int, bool]:
        """How many replies a packet of commands may have at most, and whether it must end the connection."""
        pipelining = self.extended and self.server.service.offers.pipelining
        number, at = 0, 0
        while (end := packet.find(b"\r\n", at)) >= 0:
            line, number = packet[at:end], number + 1
            chunk = _CHUNK.fullmatch(line)
            at = end + 2 + (int(chunk[1]) if chunk else 0)
            if at > len(packet):
                return number - 1, False
            if _must_end(line, chunk is not None) or (at < len(packet) and not chunk and _is_last(line)):
                return number, True
            if at < len(packet) and not pipelining:
                return number + (chunk is not None), True
        return number + 1, False

    def _take(self, events: list[Event]) -> None:
        for event in events:
            assert not self.closed, "an event behind the end"
            begins = isinstance(event, StartTls)
            assert not begins or event is events[-1], "a handshake is begun with plain text behind it"
            self._note(event)
            if isinstance(event, Asking):
                assert event is events[-1], "something was interpreted behind a question"
                assert not self.question, "a question inside another"
                self.question.append(event)
        if not self.late:
            self.answer_all()

    def answer_all(self) -> None:
        """Answer what is asked, and what is asked behind that."""
        while self.question:
            self._answer(self.question.pop())

    def _answer(self, event: Event) -> None:
        refused = self.answers >> (self.asked % 8) & 1
        self.refused = self.refused or bool(refused)
        self.asked += 1
        good = replies.GO_AHEAD if isinstance(event, ContentStart) else replies.OK
        reply = self._refusal() if refused else good
        if isinstance(event, MailFrom):
            self.mail = None if refused else event.mail
        elif isinstance(event, RcptTo):
            self.recipients += [] if refused else [event.recipient]
        elif refused or isinstance(event, MessageEnd):
            self._over()
        events = self.server.answer(reply)
        if events and isinstance(events[-1], Close) and not isinstance(event, Asking):
            self._over()
        self._take(events)

    def _refusal(self) -> Reply:
        """Refuse in the words of whoever spoke last, as far as they can be said."""
        said = _SAID.search(self.heard)
        try:
            return Reply(550, "5.7.1", (said[0].decode("latin-1"),)) if said else _REFUSALS[self.asked % 2]
        except ReplyError:
            return _REFUSALS[self.asked % 2]

    def _note(self, event: Event) -> None:
        if isinstance(event, MailFrom):
            assert self.hello, "MAIL before EHLO"
            assert self.mail is None, "a transaction inside another"
            size = event.mail.size
            assert size is None or re.search(rb"(?i) SIZE=0*%d[ \t\r]" % size, self.heard), "a size that nobody said"
            assert event.mail.sender is None or _is_one_line(event.mail.sender), "an address of two lines"
            self._read_once(event.mail)
        elif isinstance(event, RcptTo):
            assert self.mail is not None, "RCPT without MAIL"
            assert _is_one_line(event.recipient), "an address of two lines"
        elif isinstance(event, ContentStart | MessageEnd | MessageRefused):
            assert self.mail is not None
            assert self.recipients, "content for nobody"
            if isinstance(event, ContentStart):
                self.content, self.chunked, self.begun = b"", event.chunked, True
            else:
                assert event.envelope == Envelope(self.mail, tuple(self.recipients)), "another envelope"
                self._judge(event)
        elif isinstance(event, Content):
            assert self.begun, "content that nobody was asked for"
            self.content += event.content
        elif isinstance(event, ChunkEnd):
            assert self.chunked, "a chunk in DATA"
        self._note_end(event)

    def _read_once(self, mail: Mail) -> None:
        """What MAIL said has one reading: nothing is not the null sender, and no word is two things."""
        said = self.heard.upper()
        sender = str(mail.sender or "").upper().encode()
        assert mail.sender or b"<>" in said, "nothing is taken for the null sender"
        assert not _PARAMETER.match(sender) or b"<" in said, "a parameter is taken for a sender"
        assert b"@MX.TEST" not in sender or b"MX.TEST" in said, "a stranger is given our name"
        for line in re.findall(rb"MAIL[^\r]*", said) if said.count(b"MAIL") == 1 else ():
            words = re.findall(rb" (RET|ENVID|AUTH|BODY|SIZE)=", line)
            assert len(words) == len(set(words)), "a parameter given twice"

    def _note_end(self, event: Event) -> None:
        if isinstance(event, Reset):
            assert self.mail is not None, "nothing to reset"
        if isinstance(event, MessageRefused | Reset | Close | StartTls):
            self._over()
        if isinstance(event, StartTls):
            assert not _held(self.server), "plain text is kept for TLS"
            self.hello = self.extended = False
            if not self.slow:
                self.server.started_tls()
        self.closed = self.closed or isinstance(event, Close)

    def _judge(self, event: MessageEnd | MessageRefused) -> None:
        """An honest message is on the wire as it was taken, and its one end behind it."""
        if isinstance(event, MessageEnd) and not event.body.oddities:
            unstuffed = self.heard.replace(b"\r\n.", b"\r\n")
            assert self.chunked or self.content + b"\r\n" in unstuffed, "content that nobody sent"
            assert len(self.content) <= _LIMITS.size, "too much content"

    def _over(self) -> None:
        self.mail, self.recipients, self.content, self.begun = None, [], b"", False


def _must_end(line: bytes, is_chunk: bool) -> bool:  # noqa: FBT001  # one caller, beside it
    """Whether this line ends the connection whatever stands around it."""
    if set(line) & set(b"\r\n\0") or len(line) + 2 > _LIMITS.line:
        return True
    words = line.rstrip(b" \t").upper()
    return words == b"QUIT" or (words.partition(b" ")[0] == b"BDAT" and not is_chunk)


def _is_last(line: bytes) -> bool:
    return line.rstrip(b" \t").partition(b" ")[0].upper() in _LAST


def _is_one_line(address: Address) -> bool:
    """Whether it is written on one line, for every reader that knows another line end than we do."""
    return len(str(address).splitlines()) == 1 and str(address).isprintable()


def _held(server: Server) -> bytes:
    return server._unread[server._at :] + server._waiting  # noqa: SLF001  # what is held of a client is what is checked
