"""How does the next hop speak, and who else is there? A dress is one line here, and so is a company."""

from dataclasses import dataclass

from tests.exploration.client import Leaving
from tests.exploration.moments import AFTER, ENVELOPE, INTRODUCTION, Moment

M = Moment
BASE = ("8BITMIME", "SMTPUTF8", "SIZE 52428800", "ENHANCEDSTATUSCODES")
LARGE = 300_000
"""Octets of a message that lies in a file, in two blocks."""

_PLAIN = (M.CONNECT, M.GREETING, M.EHLO, *ENVELOPE, *AFTER)
_BY_DATA = (*_PLAIN, M.CONTENT, M.DOT)
_BY_BDAT = (
    *(moment for moment in _PLAIN if moment is not M.DATA),
    M.CHUNK_BEFORE,
    M.CHUNK_WITHIN,
    M.CHUNK_AFTER,
)
_TLS = (M.STARTTLS, M.HANDSHAKE, M.EHLO_TLS)


@dataclass(frozen=True, slots=True)
class Dress:
    """How a next hop speaks."""

    name: str
    moments: tuple[Moment, ...]
    offers: tuple[str, ...] = BASE
    tls: str = "may"
    scheme: str = "smtp"
    filler: int = 0


DRESSES = {
    dress.name: dress
    for dress in (
        Dress("one by one", _BY_DATA),
        Dress("pipelining", _BY_DATA, ("PIPELINING", *BASE)),
        Dress("large", _BY_DATA, ("PIPELINING", *BASE), filler=LARGE),
        Dress("chunking", _BY_BDAT, ("PIPELINING", "CHUNKING", *BASE)),
        Dress("large chunk", _BY_BDAT, ("CHUNKING", *BASE), filler=LARGE),
        Dress("LMTP", _BY_DATA, ("PIPELINING", *BASE), scheme="lmtp"),
        Dress("TLS may", (*_BY_DATA, *_TLS), ("PIPELINING", "STARTTLS", *BASE)),
        Dress("TLS require", (*_BY_DATA, *_TLS), ("PIPELINING", "STARTTLS", *BASE), tls="require"),
        Dress("smtps", (*_BY_DATA, M.HANDSHAKE), ("PIPELINING", *BASE), scheme="smtps"),
        Dress("XCLIENT", (*_BY_DATA, *INTRODUCTION), ("PIPELINING", "XCLIENT NAME ADDR PORT PROTO HELO", *BASE)),
    )
}


@dataclass(frozen=True, slots=True)
class Company:
    """Who else is there."""

    name: str
    addresses: int = 1
    """Of the hop's name; all but the first are well."""
    spare: bool = False
    """The route names a second hop, which is well."""
    connections: int = 4
    """As the route has it."""
    warm: int = 0
    """Messages that went through before, at once."""
    others: int = 0
    """Clients who send at the same time."""
    rests: float = 0.0
    """Seconds for which the others are silent behind their recipients."""
    leaving: Leaving | None = None
    """How our client goes, just before the answer."""
    recipients: int = 2
    regrets: bool = False
    parameters: str = ""
    """What our client says behind its reverse-path."""
    odd: bytes = b""
    """A line of its content."""
    drains: bool = False
    """The worker is told to leave, just before the answer."""


COMPANY = {
    company.name: company
    for company in (
        Company("nobody"),
        Company("a warm pool", warm=1),
        Company("a pool of many", warm=4),
        Company("a second address", addresses=2),
        Company("a second hop", spare=True),
        Company("a second hop, warm", spare=True, warm=1),
        Company("others waiting", connections=1, others=2),
        Company("a full pool of silent clients", connections=2, others=2, rests=4.0),
        Company("others, enough connections", connections=4, others=3),
        Company("the client says FIN", leaving=Leaving.FIN),
        Company("the client resets", leaving=Leaving.RST),
        Company("one who regrets", regrets=True, recipients=1),
        Company("one who sends octets above 127", parameters=" BODY=8BITMIME", odd="ñ\r\n".encode()),
        Company("the worker leaves", drains=True),
    )
}
