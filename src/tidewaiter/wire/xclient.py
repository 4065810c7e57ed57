"""XCLIENT, by which a Postfix or Rspamd behind us learns whom the mail came from (Postfix's XCLIENT_README)."""

from collections.abc import Mapping
from typing import Final

COMMAND_LIMIT: Final = 512
"""RFC 5321 §4.5.3.1.4, with the CR LF."""
UNAVAILABLE: Final = "[UNAVAILABLE]"
"""There is no such name."""
NOT_LOOKED_UP: Final = "[TEMPUNAVAIL]"
"""Nobody has asked DNS, so whether there is such a name is not known now."""
ATTRIBUTES: Final = ("NAME", "REVERSE_NAME", "ADDR", "PORT", "PROTO", "HELO")
"""An attribute that is left out keeps what the server knows of *us*: each that it lists is told."""


def xclient_command(attributes: Mapping[str, str], offered: frozenset[str]) -> bytes:
    """Write the command, without its CR LF, with those attributes that the server offered to take.

    An empty value is one that is not known. HELO is left out of a line that would be too long.
    """
    words = {name: _value(name, attributes[name]) for name in ATTRIBUTES if name in attributes and name in offered}
    if sum(len(name) + len(value) + 2 for name, value in words.items()) > COMMAND_LIMIT - len("XCLIENT\r\n"):
        words["HELO"] = UNAVAILABLE
    return " ".join(["XCLIENT", *(f"{name}={value}" for name, value in words.items())]).encode()


def _value(name: str, text: str) -> str:
    if not text:
        return UNAVAILABLE
    if name == "ADDR" and ":" in text:
        text = f"IPV6:{text}"
    return xtext(text)


def xtext(text: str) -> str:
    """Encode as RFC 3461 §4 has it: visible ASCII but `+` and `=` stands for itself, all else is `+` and two digits.

    What is encoded can hold no space and no line end, so a client's name cannot add an attribute or a command.
    """
    return "".join(
        chr(byte) if 0x21 <= byte <= 0x7E and byte not in b"+=" else f"+{byte:02X}" for byte in text.encode()
    )
