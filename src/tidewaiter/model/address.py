"""A mailbox: parsed to a value, and written anew from that value, never passed as it was received.

What a peer wrote differently but meant the same (quotes that were not needed, the case of a domain, the spelling of
an IPv6 literal) is one value here and is written in one way; what cannot be written on one line is no value at all.
"""

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from tidewaiter.model.domain import DOMAIN_LIMIT, LABEL, DomainError, parse_domain

ATEXT: Final = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\-"
# Two dots in a row, or one at the end, are not in RFC 5321's Dot-string, yet some mobile carriers gave such names out:
# they are read, and written between quotes, where they are lawful.
# This one expression is all that nearly every address needs; what it does not match is taken apart below.
_PLAIN: Final = re.compile(rf"([{ATEXT}.]+)@((?:{LABEL}\.)*{LABEL})", re.IGNORECASE | re.ASCII)
_DOT_STRING: Final = re.compile(rf"[{ATEXT}\x80-\U0010ffff]+(?:\.[{ATEXT}\x80-\U0010ffff]+)*")
_LOOSE: Final = re.compile(rf"[{ATEXT}.\x80-\U0010ffff]+")
_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~])*)"')
_PAIR: Final = re.compile(r"\\(.)")
_TO_ESCAPE: Final = re.compile(r'(["\\])')
_IPV4: Final = re.compile(r"[0-9.]+")
_IPV6: Final = re.compile(r"[Ii][Pp][Vv]6:([0-9A-Fa-f:.]+)")
# Controls, lone surrogates, and U+2028 and U+2029, at which many programs break a line of a log or a page.
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


class AddressError(ValueError):
    """The text is no mailbox."""


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox; equal values are the same mailbox, written the same way."""

    local: str
    """The local part without quotes or escapes, case kept: RFC 5321 §2.4 leaves it to the receiving host."""
    domain: str
    """Lower case; an address literal with its brackets; empty for `<postmaster>` alone (RFC 5321 §4.5.1)."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `Local-part "@" ( Domain / address-literal )` (RFC 5321 §4.1.2, RFC 6531 §3.3).

        Raises AddressError for anything else.
        """
        plain = _PLAIN.fullmatch(text)
        if plain and len(domain := plain[2]) <= DOMAIN_LIMIT:
            return cls(plain[1], domain.lower())
        local, domain = _split(text)
        return cls(local, _parse_host(domain))

    def __str__(self) -> str:
        """Write the mailbox, quoted only where it must be."""
        return _write(self.local, self.domain)

    @property
    def is_ascii(self) -> bool:
        """Whether it can be sent where SMTPUTF8 is not offered."""
        return self.local.isascii() and self.domain.isascii()


# One message has its sender and its recipients written four times: to the next hop, in Received, in its record.
@lru_cache(maxsize=1024)
def _write(local: str, domain: str) -> str:
    if not _DOT_STRING.fullmatch(local):
        local = '"' + _TO_ESCAPE.sub(r"\\\1", local) + '"'
    return f"{local}@{domain}" if domain else local


def _split(text: str) -> tuple[str, str]:
    """Split what is not plain: a quoted local part may hold an at sign."""
    quoted = _QUOTED.match(text)
    at = quoted.end() if quoted else text.find("@")
    if at < 0 or text[at : at + 1] != "@":
        _fail(text)
    local = _PAIR.sub(r"\1", quoted[1]) if quoted else text[:at]
    if not quoted and not _LOOSE.fullmatch(local):
        _fail(text)
    if not local.isascii() and any(unicodedata.category(character) in _UNPRINTABLE for character in local):
        _fail(text)
    return local, text[at + 1 :]


def _parse_host(text: str) -> str:
    if text.startswith("[") and text.endswith("]"):
        return _parse_literal(text[1:-1])
    try:
        return parse_domain(text)
    except DomainError as error:
        raise AddressError(str(error)) from error


def _parse_literal(text: str) -> str:
    """Read an address literal and write it in its one form (RFC 5321 §4.1.3)."""
    try:
        if six := _IPV6.fullmatch(text):
            return f"[IPv6:{ipaddress.IPv6Address(six[1])}]"
        if _IPV4.fullmatch(text):
            return f"[{ipaddress.IPv4Address(text)}]"
    except ValueError as error:
        message = f"no address literal: {text[:DOMAIN_LIMIT]!r}"
        raise AddressError(message) from error
    return _fail(text)


def _fail(text: str) -> str:
    message = f"no mailbox: {text[:DOMAIN_LIMIT]!r}"
    raise AddressError(message)
