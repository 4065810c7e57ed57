"""Domain names as mail uses them: compared without case, and U-labels equal to their A-labels.

A `Domain` is a plain `str` in lower case (ASCII letters only: `str.lower` would turn the Kelvin sign into a k),
as it was written otherwise; an address literal keeps its brackets.
"""

import re
from typing import Final

import idna

DOMAIN_LIMIT: Final = 255
"""RFC 5321 §4.5.3.1.2: "The maximum total length of a domain name or number is 255 octets"."""

# In lower case. RFC 5321's grammar has no underscore, but hosts named so send mail; no reader gives it a meaning.
LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{LABEL}(?:\.{LABEL})*")


class DomainError(ValueError):
    """The text is no domain name."""


def parse_domain(text: str) -> str:
    """Check a domain name and return it in lower case, U-labels as they were written.

    RFC 5321 §4.1.2: `Domain = sub-domain *("." sub-domain)`; RFC 6531 §3.3 adds U-labels.
    Raises DomainError for anything else, so what is returned holds no space, no control and no delimiter.
    """
    if not text.isascii():
        ascii_domain(text)
        return "".join(character.lower() if character.isascii() else character for character in text)
    name = text.lower()
    if len(name) > DOMAIN_LIMIT or not _NAME.fullmatch(name):
        message = f"no domain name: {text[:DOMAIN_LIMIT]!r}"
        raise DomainError(message)
    return name


def ascii_domain(text: str) -> str:
    """Return the form in which two domain names are compared: A-labels in lower case (RFC 5891 §4).

    Raises DomainError where IDNA has no such form.
    """
    if text.isascii():
        return text.lower()
    try:
        name = idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        message = f"no internationalized domain name: {text[:DOMAIN_LIMIT]!r}"
        raise DomainError(message) from error
    if not _NAME.fullmatch(name):
        message = f"no domain name: {text[:DOMAIN_LIMIT]!r}"
        raise DomainError(message)
    return name
