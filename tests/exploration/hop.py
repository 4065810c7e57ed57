"""A next hop as a program: it does what is right, but for the steps that it is given, each the next time that it can.

It counts what it was given: a message is taken when its end has come, whatever is answered.
"""

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.exploration.moments import ANSWERS, ENVELOPE, MIDST, Answer, Moment, Step, Then
from tests.exploration.moments import END as LAST
from tests.exploration.wire import End

if TYPE_CHECKING:
    from tests.exploration.clock import Clock

M = Moment
THINKING: Final = 0.003
"""Seconds between a question and an answer that goes wrong: longer than a client's FIN needs to reach us."""
END: Final = b"\r\n.\r\n"
EARLY: Final = 100
"""Octets of content behind which a hop speaks in its midst."""


@dataclass
class Program:
    """What goes wrong, in this order, each the next time that its moment comes."""

    steps: Sequence[Step] = ()
    forever: bool = False
    """The last one goes wrong every time."""
    armed: bool = True
    before: Callable[[], None] = lambda: None
    """Called just before something goes wrong."""
    done: int = 0
    fired: list["Fired"] = field(default_factory=list)

    def due(self, moment: Moment) -> Step | None:
        """Give the step that is due at this moment."""
        last = len(self.steps) - 1
        at = min(self.done, last) if self.forever else self.done
        if not self.armed or not 0 <= at <= last or self.steps[at].moment is not moment:
            return None
        self.done = at + 1
        return self.steps[at]

    @property
    def over(self) -> bool:
        """Nothing will go wrong any more."""
        return not self.forever and self.done == len(self.steps)


@dataclass(frozen=True)
class Fired:
    """A step that went wrong."""

    time: float
    step: Step
    talk: "Talk"
    about: str
    """The sender of the message that it met; empty where there was none."""
    recipient: str
    whole: bool
    """The end of the message had come."""


@dataclass
class Taken:
    """A message whose end has come."""

    time: float
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    reply: str = ""
    """What was answered; empty for nothing."""


@dataclass
class Hop:
    """One server at one address."""

    loop: "Clock"
    name: str
    offers: tuple[str, ...]
    offers_by_turn: Sequence[tuple[str, ...]] = ()
    """What each of the first connections is offered instead: servers behind one name differ."""
    program: Program = field(default_factory=Program)
    midst: int = EARLY
    implicit: bool = False
    """TLS begins with the first octet."""
    most: int = 0
    """Messages that it takes on one connection, if it counts them."""
    talks: list["Talk"] = field(default_factory=list)

    async def knock(self) -> None:
        """Take a connection, or not."""
        await asyncio.sleep(0.001)
        step = self.program.due(M.CONNECT)
        if step is None:
            return
        self.program.before()
        self.program.fired.append(Fired(self.loop.now, step, Talk(self, None), "", "", whole=False))
        if step.answer.then is Then.DEAF:
            await self.loop.create_future()
        raise ConnectionRefusedError(111, "Connect call failed")

    def accept(self, far: End) -> "Talk":
        """Begin a conversation."""
        turn = len(self.talks)
        offers = self.offers_by_turn[turn] if turn < len(self.offers_by_turn) else self.offers
        self.talks.append(Talk(self, far, offers))
        return self.talks[-1]

    @property
    def taken(self) -> list[Taken]:
        return [taken for talk in self.talks for taken in talk.taken]


class Talk(asyncio.Protocol):
    """One conversation, from the hop's side."""

    def __init__(self, hop: Hop, far: End | None, offers: tuple[str, ...] = ()) -> None:
        self.hop, self.far, self.offers = hop, far, offers
        self.commands: list[tuple[float, str]] = []
        self.taken: list[Taken] = []
        self.began: list[str] = []
        """The sender of each message of whose content something came, or may have been thrown away."""
        self.said: list[tuple[float, str]] = []
        self.sender = self.recipient = ""
        self.recipients: list[str] = []
        self.unread = b""
        self.mode: Callable[[], bool] = self._line
        self.deaf = self.secure = self.introduced = self.settled = self._came = False
        self._left = 0
        self._searched = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, End)
        self.end = transport
        if not self.hop.implicit:
            self._answer(M.GREETING)

    def data_received(self, data: bytes) -> None:
        self.unread += data
        while not self.deaf and self.mode():
            pass

    def eof_received(self) -> bool:
        return False

    async def handshake(self) -> None:
        """Do what a TLS library does for us."""
        await asyncio.sleep(0.002)
        step = self._due(M.HANDSHAKE)
        if step is None:
            self.secure = True
            if self.hop.implicit:
                self._answer(M.GREETING)
        elif step.answer.then is Then.DEAF:
            await self.hop.loop.create_future()
        elif step.answer.then is Then.RESET:
            self.end.reset()
            raise ConnectionResetError
        else:
            raise ssl.SSLError(1, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error (_ssl.c:992)")

    # What it reads.

    def _line(self) -> bool:
        line, found, rest = self.unread.partition(b"\r\n")
        if not found:
            return False
        self.unread = rest
        text = line.decode("latin-1")
        self.commands.append((self.hop.loop.now, text))
        verb = text.partition(" ")[0].upper()
        _VERBS.get(verb, Talk._unknown)(self, text)
        return True

    def _unknown(self, _line: str) -> None:
        self._say("500 5.5.2 That is no command")

    def _ehlo(self, _line: str) -> None:
        later = M.EHLO_XCLIENT if self.introduced else M.EHLO_TLS if self.secure and not self.hop.implicit else M.EHLO
        self.recipients, self.sender = [], ""
        self._answer(later)

    def _mail(self, line: str) -> None:
        self.recipients = []
        self.sender = _path(line)
        if self.hop.most and len(self.taken) >= self.hop.most:
            self._act(ANSWERS["421"])
        elif not self._answer(M.MAIL):
            self.sender = ""

    def _rcpt(self, line: str) -> None:
        self.recipient = _path(line)
        if not self.sender:
            self._say("503 5.5.1 MAIL first")
        elif self._answer(M.RCPT_2 if self.recipients else M.RCPT):
            self.recipients.append(self.recipient)

    def _data(self, _line: str) -> None:
        if not self.recipients:
            self._say("503 5.5.1 No recipient")
        elif self._answer(M.DATA, "354"):
            self.unread = b"\r\n" + self.unread
            self._begin(self._content)

    def _bdat(self, line: str) -> None:
        self._left = int(line.split()[1])
        self._begin(self._chunk)
        self._comes(1)
        if (step := self._due(M.CHUNK_BEFORE)) is not None:
            self._early(step)

    def _begin(self, mode: Callable[[], bool]) -> None:
        self.mode = mode
        self._searched = 0
        self.settled = self._came = False

    def _comes(self, octets: int) -> None:
        if octets and not self._came:
            self._came = True
            self.began.append(self.sender)

    def _content(self) -> bool:
        end = self.unread.find(END, self._searched)
        self._searched = max(0, len(self.unread) - len(END))
        came = len(self.unread) - 2
        self._comes(came)
        if not self.settled and came >= self.hop.midst and (step := self._due(M.CONTENT)):
            self._early(step)
            return True
        if end < 0:
            return False
        content, self.unread = self.unread[2 : end + 2], self.unread[end + len(END) :]
        self._whole(content.replace(b"\r\n.", b"\r\n"), M.DOT)
        return True

    def _chunk(self) -> bool:
        came = min(len(self.unread), self._left)
        if not self.settled and came >= self.hop.midst and (step := self._due(M.CHUNK_WITHIN)):
            self._early(step)
            return True
        if len(self.unread) < self._left:
            return False
        content, self.unread = self.unread[: self._left], self.unread[self._left :]
        self._whole(content, M.CHUNK_AFTER)
        return True

    def _early(self, step: Step) -> None:
        """Speak in the midst of content; the end that comes later is not answered any more."""
        self.settled = bool(step.answer.says)
        if step.answer.then is Then.COMMANDS:
            self.mode = self._line
            self.unread = self.unread.removeprefix(b"\r\n")
        self._act(step.answer)

    def _whole(self, content: bytes, moment: Moment) -> None:
        self.mode = self._line
        if self.settled:
            return  # it was answered before it was whole, so it was not taken
        self.taken.append(Taken(self.hop.loop.now, self.sender, tuple(self.recipients), content))
        self.recipients = []
        self._answer(moment)
        self.hop.loop.call_later(0.2, self._idle)

    def _idle(self) -> None:
        if not (self.end.is_closing() or self.deaf or self.unread) and (step := self._due(M.IDLE)) is not None:
            self._act(step.answer)

    # What it says.

    def _due(self, moment: Moment) -> Step | None:
        step = self.hop.program.due(moment)
        if step is not None:
            self.hop.program.fired.append(self._fired(step))
            self.hop.program.before()
        return step

    def _fired(self, step: Step) -> Fired:
        now, moment = self.hop.loop.now, step.moment
        in_mail = moment in ENVELOPE + MIDST + LAST
        about = self.sender if in_mail else ""
        recipient = self.recipient if moment in {M.RCPT, M.RCPT_2} else ""
        return Fired(now, step, self, about, recipient, whole=moment in LAST)

    def _answer(self, moment: Moment, wanted: str = "2") -> bool:
        """Answer as is right, or as the program has it; tell whether it was what is wanted."""
        step = self._due(moment)
        if step is None:
            self._right(moment)
            return True
        if step.answer.right:
            self._right(moment)
        self.deaf = True  # for as long as it thinks
        self.hop.loop.call_later(THINKING, self._act, step.answer)
        return step.answer.right or step.answer.says.startswith(wanted)

    def _right(self, moment: Moment) -> None:
        offers = "\r\n".join(["250-hop.test", *(f"250-{offer}" for offer in self.offers), "250 HELP"])
        if moment is M.EHLO_TLS or self.secure:
            offers = offers.replace("250-STARTTLS\r\n", "")
        self._say(offers if moment.name.startswith("EHLO") else moment.value)
        self.introduced = self.introduced or moment is M.XCLIENT
        if moment is M.QUIT:
            self.end.close()

    def _act(self, answer: Answer) -> None:
        self.deaf = answer.then in {Then.DEAF, Then.FREEZE, Then.CLOSE, Then.RESET}
        if answer.says:
            self._say(answer.says)
        if answer.then is Then.CLOSE:
            self.end.close()
        elif answer.then is Then.RESET:
            self.end.reset()
        elif answer.then is Then.FREEZE:
            self.end.pause_reading()
        self.data_received(b"")

    def _say(self, reply: str) -> None:
        if self.taken and not self.taken[-1].reply and self.mode == self._line:
            self.taken[-1].reply = reply
        self.said.append((self.hop.loop.now, reply))
        self.end.write(reply.encode() + b"\r\n")


def _path(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


def _verb(moment: Moment) -> Callable[[Talk, str], None]:
    def answer(talk: Talk, _line: str) -> None:
        talk._answer(moment)

    return answer


_VERBS: Final[dict[str, Callable[[Talk, str], None]]] = {
    "EHLO": Talk._ehlo,
    "HELO": Talk._ehlo,
    "LHLO": Talk._ehlo,
    "MAIL": Talk._mail,
    "RCPT": Talk._rcpt,
    "DATA": Talk._data,
    "BDAT": Talk._bdat,
    "STARTTLS": _verb(M.STARTTLS),
    "XCLIENT": _verb(M.XCLIENT),
    "RSET": _verb(M.RSET),
    "QUIT": _verb(M.QUIT),
}
