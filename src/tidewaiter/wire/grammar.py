"""The arguments of commands (RFC 5321 §4.1.2), read strictly and turned into values.

Every function takes the bytes behind the verb and raises RemoteProtocolError with the reply to give.
Numbers are ASCII digits and nothing else: `int()` would take `1_0`, `+10`, spaces and the digits of other scripts.
Case is folded on bytes, which touches ASCII only: `str.upper` turns letters of other scripts into ASCII ones.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

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
_BRACKETED: Final = rb'<([^">\\]*(?:"(?:[^"\\]|\\.)*"[^">\\]*)*)>'
_BARE: Final = rb'((?:"(?:[^"\\]|\\.)*")?[^ "<>]+)'
_WORDS: Final = rb"(?: (.*))?"
_PATH: Final = re.compile(rb" *" + _BRACKETED + _WORDS, re.DOTALL)
_ROUTE: Final = re.compile(r"(?:@[^@,:<>\"\s]+,)*@[^@,:<>\"\s]+:")
_POSTMASTER: Final = b"postmaster"


_PARAMETERS: Final = frozenset((*OF_MAIL, *OF_RCPT))


class _Form(NamedTuple):
    """What MAIL and RCPT have in common, and where they differ."""

    keyword: bytes
    loose: re.Pattern[bytes]
    syntax: Reply
    bad: Reply
    no_domain: Reply


def _loose(keyword: bytes) -> re.Pattern[bytes]:
    """What devices write that were never tried with more than one server: it has one reading, or is not matched."""
    return re.compile(rb" *(?i:" + keyword + rb") *: *(?:" + _BRACKETED + rb"|" + _BARE + rb")" + _WORDS, re.DOTALL)


_MAIL: Final = _Form(b"FROM:", _loose(b"FROM"), replies.MAIL_SYNTAX, replies.BAD_SENDER, replies.BARE_SENDER)
_RCPT: Final = _Form(b"TO:", _loose(b"TO"), replies.RCPT_SYNTAX, replies.BAD_RECIPIENT, replies.BARE_RECIPIENT)

# What a Received header or an XCLIENT attribute could misread becomes `?`, as in Postfix's smtpd.
_HELLO: Final = bytes(byte if 0x21 <= byte <= 0x7E and byte not in b'<>()\\";,@' else ord("?") for byte in range(256))


def parse_hello(argument: bytes) -> str:
    """Read the name behind HELO, EHLO or LHLO: any visible text, since half the world's names are wrong."""
    name = argument.strip(b" ")
    if not 0 < len(name) <= HELLO_LIMIT:
        raise RemoteProtocolError(replies.HELLO_SYNTAX)
    return name.translate(_HELLO).decode("ascii")


def parse_mail(argument: bytes, *, extended: bool, loose: bool = False, host: str = "") -> Mail:
    """Read `FROM:<reverse-path> [parameters]` (RFC 5321 §4.1.1.2).

    `extended` is behind EHLO; `loose` also takes what has one reading; to a sender without a domain `host` is added.
    """
    path, words = _split(argument, _MAIL, loose=loose)
    if not words:
        return Mail(_parse_path(path, _MAIL, utf8=False, host=host) if path else None)
    asked = read_parameters(words, OF_MAIL if extended else NONE)
    utf8 = b"SMTPUTF8" in asked
    sender = _parse_path(path, _MAIL, utf8=utf8, host=host) if path else None
    return Mail(sender, asked.get(b"SIZE"), eight_bit=asked.get(b"BODY", False), utf8=utf8)


def parse_rcpt(argument: bytes, *, utf8: bool, extended: bool, loose: bool = False) -> Address:
    """Read `TO:<forward-path> [parameters]` (RFC 5321 §4.1.1.3); what they say is dropped."""
    path, words = _split(argument, _RCPT, loose=loose)
    if words:
        read_parameters(words, OF_RCPT if extended else NONE)
        if not utf8 and not all(word.isascii() for word in words):
            raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
    if not path:
        raise RemoteProtocolError(replies.BAD_RECIPIENT)
    if path.lower() == _POSTMASTER:
        return Address(_POSTMASTER.decode(), "")
    return _parse_path(path, _RCPT, utf8=utf8)


def _parse_path(path: bytes, form: _Form, *, utf8: bool, host: str = "") -> Address:
    """Read what stands between the brackets.

    A source route is read and dropped: RFC 5321 §4.1.1.3 lets a server strip it.
    """
    if not utf8 and not path.isascii():
        raise RemoteProtocolError(replies.NEEDS_UTF8)
    try:
        return _mailbox(path)
    except (UnicodeDecodeError, AddressError) as error:
        name = _maybe_name(path)
        if name is None:
            raise RemoteProtocolError(form.bad) from error
        if not host:
            raise RemoteProtocolError(form.no_domain) from error
        return Address(name.local, host)


def _maybe_name(path: bytes) -> Address | None:
    """Read a local part that has no domain, as in `<root>`; None where it is something else."""
    try:
        return None if b"@" in path else Address.parse(f"{path.decode()}@host.invalid")
    except (UnicodeDecodeError, AddressError):
        return None


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


def _split(argument: bytes, form: _Form, *, loose: bool) -> tuple[bytes, list[bytes]]:
    """Split off the keyword and the path.

    Departs from RFC 5321 §3.3, "spaces are not permitted on either side of the colon": those behind it are taken, as
    by every server, since many clients send them.
    """
    if argument[: len(form.keyword)].upper() == form.keyword:
        strict = _PATH.fullmatch(argument, len(form.keyword))
        if strict and not (loose and strict[1] != strict[1].strip(b" ")):
            return strict[1], _words(strict[2])
    if loose:
        return _split_loosely(argument, form)
    raise RemoteProtocolError(form.syntax)


def _split_loosely(argument: bytes, form: _Form) -> tuple[bytes, list[bytes]]:
    """Take a path without brackets, and spaces where none belong, but never nothing for `<>`."""
    found = form.loose.fullmatch(argument)
    if found is None:
        raise RemoteProtocolError(form.syntax)
    bracketed, bare, words = found.groups()
    path = (bracketed if bare is None else bare).strip(b" ")
    if (not path and bracketed) or (bare is not None and not _has_one_reading(bare, form)):
        raise RemoteProtocolError(form.syntax)
    return path, _words(words)


def _has_one_reading(bare: bytes, form: _Form) -> bool:
    """A word behind the colon could also be a parameter, behind no path at all."""
    if b"@" not in bare:
        return form.keyword == b"TO:" and bare.lower() == _POSTMASTER
    return bare.partition(b"=")[0].upper() not in _PARAMETERS


def _words(rest: bytes | None) -> list[bytes]:
    return list(filter(None, rest.split(b" "))) if rest else []
