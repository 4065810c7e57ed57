"""The arguments of commands (RFC 5321 §4.1.2), read strictly and turned into values.

Every function takes the bytes behind the verb and raises RemoteProtocolError with the reply to give.
Numbers are ASCII digits and nothing else: `int()` would take `1_0`, `+10`, spaces and the digits of other scripts.
Case is folded on bytes, which touches ASCII only: `str.upper` turns letters of other scripts into ASCII ones.
"""

import re
from functools import lru_cache
from typing import Final

from tidewaiter.model.address import Address, AddressError
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.wire import replies
from tidewaiter.wire.errors import RemoteProtocolError
from tidewaiter.wire.parameters import NONE, OF_MAIL, OF_RCPT, read_parameters

HELLO_LIMIT: Final = 255
DIGITS: Final = re.compile(rb"[0-9]{1,10}")
"""Ten digits are 10 GB: a chunk that long is no chunk."""

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


def parse_mail(argument: bytes, *, extended: bool) -> Mail:
    """Read `FROM:<reverse-path> [parameters]` (RFC 5321 §4.1.1.2); `extended` is behind EHLO."""
    path, words = _split(argument, b"FROM:", replies.MAIL_SYNTAX)
    if not words:
        return Mail(parse_path(path, utf8=False, bad=replies.BAD_SENDER) if path else None)
    asked = read_parameters(words, OF_MAIL if extended else NONE)
    utf8 = b"SMTPUTF8" in asked
    sender = parse_path(path, utf8=utf8, bad=replies.BAD_SENDER) if path else None
    return Mail(sender, asked.get(b"SIZE"), eight_bit=asked.get(b"BODY", False), utf8=utf8)


def parse_rcpt(argument: bytes, *, utf8: bool, extended: bool) -> Address:
    """Read `TO:<forward-path> [parameters]` (RFC 5321 §4.1.1.3); what they say is dropped."""
    path, words = _split(argument, b"TO:", replies.RCPT_SYNTAX)
    if words:
        read_parameters(words, OF_RCPT if extended else NONE)
        if not utf8 and not all(word.isascii() for word in words):
            raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
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
