"""The one header field that we add (RFC 5321 §4.4): from whom, by whom, how, for whom, when.

Everything in it is checked text: the name behind HELO is visible ASCII, addresses are values written anew.
So no client can add a line to it, or end it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import gmtime
from typing import Final

from tidewaiter.model.address import Address

FIELD_LIMIT: Final = 1024
"""No field of ours is longer; SIZE offers that much less than the next hop takes."""
_LINE: Final = 998 - len("\tfor <>; ")


@dataclass(frozen=True, slots=True)
class Passage:
    """What a Received field says of how a message came."""

    hello: str
    address: str
    """The client's IP address as text."""
    hostname: str
    """Ours."""
    protocol: str
    """RFC 3848: ESMTP, ESMTPS …"""
    ident: str
    """Our id of the transaction."""
    recipients: Sequence[Address]
    now: int
    """Seconds since 1970."""


def received(passage: Passage) -> bytes:
    """Write the field, ended by CR LF."""
    literal = f"IPv6:{passage.address}" if ":" in passage.address else passage.address
    lines = (
        f"Received: from {passage.hello} ([{literal}])",
        f"\tby {passage.hostname} with {passage.protocol} id {passage.ident}",
        f"{_for(passage.recipients)}; {_date(passage.now)}",
    )
    separator = "\r\n" if lines[2].startswith("\t") else ""
    return f"{lines[0]}\r\n{lines[1]}{separator}{lines[2]}\r\n".encode()


def _for(recipients: Sequence[Address]) -> str:
    """Name the recipient where there is one: to name several would show each of them the others."""
    if len(recipients) != 1:
        return ""
    path = str(recipients[0])
    return f"\tfor <{path}>" if len(path) <= _LINE else ""


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)


@lru_cache(maxsize=2)
def _date(now: int) -> str:
    """RFC 5322 §3.3, in UTC, whatever the locale; written once a second, not once a message."""
    at = gmtime(now)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return (
        f"{_DAYS[at.tm_wday]}, {at.tm_mday} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04} {clock} +0000"
    )
