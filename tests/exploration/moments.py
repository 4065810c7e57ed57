"""When may a next hop do something unexpected, and what? A moment is one line here, and so is an answer."""

from dataclasses import dataclass
from enum import Enum


class Moment(Enum):
    """Where a conversation stands; the value is what a hop says there if nothing is wrong."""

    CONNECT = "accept"
    GREETING = "220 hop.test ESMTP"
    EHLO = "offers"
    STARTTLS = "220 2.0.0 Go ahead"
    HANDSHAKE = "handshake"
    EHLO_TLS = "offers within TLS"
    XCLIENT = "220 hop.test ESMTP again"
    EHLO_XCLIENT = "offers behind XCLIENT"
    MAIL = "250 2.1.0 Sender ok"
    RCPT = "250 2.1.5 Recipient ok"
    RCPT_2 = "250 2.1.5 Recipient ok too"
    DATA = "354 Go on"
    CONTENT = "in the midst of content, behind 354"
    DOT = "250 2.0.0 Ok: queued as 4ABCDEF123"
    CHUNK_BEFORE = "BDAT is read, and not one octet of its chunk"
    CHUNK_WITHIN = "in the midst of a chunk"
    CHUNK_AFTER = "250 2.0.0 Ok: queued as 5ABCDEF123"
    RSET = "250 2.0.0 Reset"
    IDLE = "nobody has asked for anything"
    QUIT = "221 2.0.0 Bye"


M = Moment

OPENING = (M.CONNECT, M.GREETING, M.EHLO, M.STARTTLS, M.HANDSHAKE, M.EHLO_TLS)
"""No mail is told of yet: what is said here is about us."""
INTRODUCTION = (M.XCLIENT, M.EHLO_XCLIENT)
ENVELOPE = (M.MAIL, M.RCPT, M.RCPT_2, M.DATA)
MIDST = (M.CONTENT, M.CHUNK_BEFORE, M.CHUNK_WITHIN)
"""Content has begun, and its last octet has not come."""
END = (M.DOT, M.CHUNK_AFTER)
AFTER = (M.RSET, M.IDLE, M.QUIT)

ABOUT_US = (500, 502, 503, 530, 555)
"""Codes that are about how we spoke, wherever they come."""


class Then(Enum):
    """What a hop does behind what it said."""

    GO_ON = "goes on"
    CLOSE = "closes"
    RESET = "resets the connection"
    DEAF = "says nothing more, and reads on"
    FREEZE = "reads nothing more"
    COMMANDS = "reads what follows as commands"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hop says instead, and what it does then."""

    name: str
    says: str = ""
    """Its lines, without the last CR LF; empty for none."""
    then: Then = Then.GO_ON
    right: bool = False
    """It says what is right, in addition."""

    @property
    def code(self) -> int:
        """Its code, or 0 where it is not one reply."""
        whole = self.says[:3].isdigit() and "\n" not in self.says and len(self.says) > 4 and self.says[3] == " "
        return int(self.says[:3]) if whole else 0


def _answers(*answers: Answer) -> dict[str, Answer]:
    return {answer.name: answer for answer in answers}


ANSWERS = _answers(
    Answer("2xx", "250 2.0.0 Yes"),
    Answer("3xx", "354 Go on then"),
    Answer("4xx", "450 4.2.0 Mailbox is busy"),
    Answer("5xx", "550 5.1.1 Nobody of that name"),
    Answer("500", "500 5.5.2 What was that"),
    Answer("502", "502 5.5.1 Not here"),
    Answer("503", "503 5.5.1 Not now"),
    Answer("530", "530 5.7.0 Authentication required"),
    Answer("555", "555 5.5.4 Unsupported parameter"),
    Answer("421", "421 4.3.2 Going down", Then.CLOSE),
    Answer("4xx, FIN", "451 4.7.1 Go away for now", Then.CLOSE),
    Answer("5xx, FIN", "554 5.7.1 Go away for good", Then.CLOSE),
    Answer("silence", then=Then.DEAF),
    Answer("freeze", then=Then.FREEZE),
    Answer("FIN", then=Then.CLOSE),
    Answer("RST", then=Then.RESET),
    Answer("doubled", "250 2.0.0 Twice", right=True),
    Answer("half", "250-Half of"),
    Answer("malformed", "25O what is this"),
    Answer("bare LF", "250 one\n250 two"),
)
"""Everywhere but where octets cannot be said."""

CONNECTING = _answers(
    Answer("refuse", then=Then.CLOSE),
    Answer("swallow", then=Then.DEAF),
)
HANDSHAKING = _answers(
    Answer("broken", "alert"),
    Answer("silence", then=Then.DEAF),
    Answer("RST", then=Then.RESET),
)
EARLY = _answers(
    *(
        Answer(f"{name}, {then.value}", ANSWERS[name].says, then)
        for name in ("2xx", "4xx", "5xx", "503")
        for then in (Then.COMMANDS, Then.DEAF, Then.FREEZE)
    ),
    Answer("5xx, RST", "552 5.3.4 Too big", Then.RESET),
)
"""In the midst of content, besides: a final reply before the end, and what the hop makes of the rest."""


def answers(moment: Moment) -> dict[str, Answer]:
    """Give what a hop may do then, by name."""
    if moment is M.CONNECT:
        return CONNECTING
    if moment is M.HANDSHAKE:
        return HANDSHAKING
    if moment in MIDST:
        return {name: answer for name, answer in (ANSWERS | EARLY).items() if not answer.right}
    return ANSWERS


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that goes wrong."""

    moment: Moment
    answer: Answer

    def __str__(self) -> str:
        return f"{self.moment.name}: {self.answer.name}"
