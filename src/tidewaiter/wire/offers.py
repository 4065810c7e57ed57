"""What a server offers in its answer to EHLO: written by our server, read by our client, one value for both."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_SIZE: Final = re.compile(r"[0-9]{1,20}")
_FLAGS: Final = {
    "PIPELINING": "pipelining",
    "8BITMIME": "eight_bit",
    "SMTPUTF8": "utf8",
    "CHUNKING": "chunking",
    "STARTTLS": "starttls",
    "ENHANCEDSTATUSCODES": "enhanced",
}


@dataclass(frozen=True, slots=True)
class Offers:
    """Service extensions (RFC 5321 §2.2). BINARYMIME, REQUIRETLS and DELIVERBY are never offered by us."""

    pipelining: bool = False
    """RFC 2920."""
    eight_bit: bool = False
    """8BITMIME, RFC 6152."""
    utf8: bool = False
    """SMTPUTF8, RFC 6531."""
    chunking: bool = False
    """CHUNKING, which is BDAT, RFC 3030."""
    starttls: bool = False
    """RFC 3207."""
    enhanced: bool = True
    """ENHANCEDSTATUSCODES, RFC 2034."""
    size: int | None = None
    """SIZE, RFC 1870: octets, 0 for no fixed limit, None where it is not offered."""
    xclient: frozenset[str] = frozenset()
    """Attribute names that Postfix's XCLIENT takes; our server never offers it."""

    def keywords(self) -> tuple[str, ...]:
        """Write the lines of an EHLO reply behind the first."""
        flags = tuple(keyword for keyword, name in _FLAGS.items() if getattr(self, name))
        return flags if self.size is None else (*flags, f"SIZE {self.size}")


def parse_offers(lines: Iterable[str]) -> Offers:
    """Read the lines of an EHLO reply behind the first (RFC 5321 §4.1.1.1).

    A keyword that we do not know, or whose parameter is malformed, is not offered.
    """
    found: dict[str, bool | int | frozenset[str]] = {"enhanced": False}
    for line in lines:
        keyword, *parameters = line.split() or [""]
        keyword = keyword.upper()
        if keyword in _FLAGS:
            found[_FLAGS[keyword]] = True
        elif keyword == "SIZE":
            found["size"] = _parse_size(parameters)
        elif keyword == "XCLIENT":
            found["xclient"] = frozenset(name.upper() for name in parameters)
    return Offers(**found)  # type: ignore[arg-type]  # each name above has the type of its field


def _parse_size(parameters: list[str]) -> int:
    """RFC 1870 §4: no parameter, or zero, is "no fixed maximum message size"."""
    if len(parameters) == 1 and _SIZE.fullmatch(parameters[0]):
        return int(parameters[0])
    return 0
