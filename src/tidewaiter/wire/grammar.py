"""The arguments of commands (RFC 5321 §4.1.2), read strictly and turned into values.

Every function takes the bytes behind the verb and raises RemoteProtocolError with the reply to give.
Numbers are ASCII digits and nothing else: `int()` would take `1_0`, `+10`, spaces and the digits of other scripts.
Case is folded on bytes, which touches ASCII only: `str.upper` turns letters of other scripts into ASCII ones.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from tidewaiter.model.address import Address, AddressError
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies
from tidewaiter.wire.errors import RemoteProtocolError
from tidewaiter.wire.offers import Offers

HELLO_LIMIT: Final = 255
DIGITS: Final = re.compile(rb"[0-9]{1,10}")
"""Ten digits are 10 GB: a chunk that long is no chunk."""
_SIZE: Final = re.compile(rb"[0-9]{1,20}")

# A quoted local part may hold `>` and spaces, so a path is matched with its quotes, never cut at the first `>`.
_PATH: Final = re.compile(rb' *<([^">\\]*(?:"(?:[^"\\]|\\.)*"[^">\\]*)*)>(?: (.*))?', re.DOTALL)
_ROUTE: Final = re.compile(r"(?:@[^@,:<>\"\s]+,)*@[^@,:<>\"\s]+:")
_POSTMASTER: Final = b"postmaster"

# What a Received header or an XCLIENT attribute could misread becomes `?`, as in Postfix's smtpd.
_HELLO: Final = bytes(byte if 0x21 <= byte <= 0x7E and byte not in b'<>()\\";,@' else ord("?") for byte in range(256))


def parse_hello(argument: bytes) -> str:
    """Read the name behind HELO, EHLO or LHLO: any visible text, since half the world's names are wrong."""
    name = argument.strip(b" ")
    if not 0 < len(name) <= HELLO_LIMIT:
        raise RemoteProtocolError(replies.HELLO_SYNTAX)
    return name.translate(_HELLO).decode("ascii")


def parse_mail(argument: bytes, offers: Offers) -> Mail:
    """Read `FROM:<reverse-path> [parameters]` (RFC 5321 §4.1.1.2) as far as `offers` goes."""
    path, words = _split(argument, b"FROM:", replies.MAIL_SYNTAX)
    if not words:
        return Mail(parse_path(path, utf8=False, bad=replies.BAD_SENDER) if path else None)
    asked = _asked(words, offers)
    sender = parse_path(path, utf8="utf8" in asked, bad=replies.BAD_SENDER) if path else None
    return Mail(sender, **asked)


def parse_rcpt(argument: bytes, *, utf8: bool) -> Address:
    """Read `TO:<forward-path>` (RFC 5321 §4.1.1.3); none of our extensions adds a parameter."""
    path, words = _split(argument, b"TO:", replies.RCPT_SYNTAX)
    if words:
        raise RemoteProtocolError(replies.UNKNOWN_PARAMETER)
    if not path:
        raise RemoteProtocolError(replies.BAD_RECIPIENT)
    if path.lower() == _POSTMASTER:
        return Address(_POSTMASTER.decode(), "")
    return parse_path(path, utf8=utf8, bad=replies.BAD_RECIPIENT)


def parse_path(path: bytes, *, utf8: bool, bad: Reply) -> Address:
    """Read what stands between the brackets; `bad` answers what is no address.

    A source route is read and dropped: RFC 5321 §4.1.1.3 lets a server strip it.
    """
    if not utf8 and not path.isascii():
        raise RemoteProtocolError(replies.NEEDS_UTF8)
    try:
        return _mailbox(path)
    except (UnicodeDecodeError, AddressError) as error:
        raise RemoteProtocolError(bad) from error


@lru_cache(maxsize=512)
def _mailbox(path: bytes) -> Address:
    """Read a path; the same few senders and recipients are named all day, so the last 512 are kept (each a line)."""
    text = path.decode()
    if text[0] == "@" and (route := _ROUTE.match(text)):
        text = text[route.end() :]
    return Address.parse(text)


def parse_chunk(argument: bytes) -> tuple[int, bool]:
    """Read `chunk-size [LAST]` (RFC 3030 §2): the octets that follow, and whether they are the last."""
    count, *end = argument.split(b" ")
    if not DIGITS.fullmatch(count) or [word.upper() for word in end] not in ([], [b"LAST"]):
        raise RemoteProtocolError(replies.BDAT_SYNTAX)
    return int(count), bool(end)


def _split(argument: bytes, keyword: bytes, syntax: Reply) -> tuple[bytes, list[bytes]]:
    """Split off the keyword and the path.

    Departs from RFC 5321 §3.3, "spaces are not permitted on either side of the colon": one behind it is taken, as
    by every server, since many clients send it.
    """
    if argument[: len(keyword)].upper() == keyword:
        path = _PATH.fullmatch(argument, len(keyword))
        if path:
            return path[1], list(filter(None, path[2].split(b" "))) if path[2] else []
    raise RemoteProtocolError(syntax)


def _asked(words: list[bytes], offers: Offers) -> dict[str, Any]:
    """Read `keyword[=value]` words into fields of Mail; one given twice could be read as either by the next hop."""
    asked: dict[str, Any] = {}
    for word in words:
        keyword, equals, value = word.partition(b"=")
        name, read = _MEANING.get(keyword.upper(), ("", _flag))
        offered = getattr(offers, name, None)
        if offered is None or offered is False:
            raise RemoteProtocolError(replies.UNKNOWN_PARAMETER)
        if name in asked:
            raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
        asked[name] = read(value if equals else None)
    return asked


def _size(value: bytes | None) -> int:
    """RFC 1870 §5: one to twenty digits."""
    if not value or not _SIZE.fullmatch(value):
        raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
    return int(value)


def _body(value: bytes | None) -> bool:
    """RFC 6152 §2: 7BIT or 8BITMIME; BINARYMIME (RFC 3030) is not implemented."""
    if not value:
        raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
    kind = value.upper()
    if kind not in (b"7BIT", b"8BITMIME"):
        raise RemoteProtocolError(replies.UNKNOWN_PARAMETER)
    return kind == b"8BITMIME"


def _flag(value: bytes | None) -> bool:
    """RFC 6531 §3.4: "The parameter does not accept a value"."""
    if value is not None:
        raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
    return True


_MEANING: Final[dict[bytes, tuple[str, Callable[[bytes | None], Any]]]] = {
    b"SIZE": ("size", _size),
    b"BODY": ("eight_bit", _body),
    b"SMTPUTF8": ("utf8", _flag),
}
"""Parameters of MAIL: the field of `Offers` that has to offer it, which is the field of `Mail` that it sets."""
