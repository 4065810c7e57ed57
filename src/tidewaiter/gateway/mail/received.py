"""The one header field that we add (RFC 5321 §4.4): from whom, by whom, how, for whom, when.

Everything in it is checked text: the name behind HELO is visible ASCII, addresses are values written anew.
So no client can add a line to it, or end it.
"""

from collections.abc import Sequence
from functools import lru_cache
from time import gmtime
from typing import Final

from tidewaiter.model.address import Address

FIELD_LIMIT: Final = 1024
"""No field of ours is longer, with what `lines.header` writes in; SIZE offers so much less than the next hop takes."""
_PATH_LIMIT: Final = 254
"""RFC 5321 §4.5.3.1.3: "The maximum total length of a reverse-path or forward-path is 256 octets" with its brackets."""
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def opening(*, hello: str, address: str, hostname: str, protocol: str) -> str:
    """Write the part that is the same for all messages that come the same way; our id follows.

    `address` is the client's as text, `protocol` one of RFC 3848: ESMTP, ESMTPS …
    """
    literal = f"IPv6:{address}" if ":" in address else address
    return f"Received: from {hello} ([{literal}])\r\n\tby {hostname} with {protocol} id "


def received(start: str, ident: str, recipients: Sequence[Address], now: float) -> bytes:
    """Write the field, ended by CR LF; `start` is its `opening`, `now` counts seconds since 1970."""
    path = str(recipients[0])
    # A message for several names none of them: to name them would show each to the others.
    clause = f"\r\n\tfor <{path}>" if len(recipients) == 1 and len(path.encode()) <= _PATH_LIMIT else ""
    return f"{start}{ident}{clause}; {_date(int(now))}\r\n".encode()


@lru_cache(maxsize=2)
def _date(now: int) -> str:
    """RFC 5322 §3.3, in UTC, whatever the locale; written once a second, not once a message."""
    at = gmtime(now)
    clock = f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02}"
    return f"{_DAYS[at.tm_wday]}, {at.tm_mday} {_MONTHS[at.tm_mon - 1]} {at.tm_year:04} {clock} +0000"
