"""The parameters behind a path (RFC 5321 §4.1.1.11): what each may say, and what is made of it.

Behind EHLO those in the two tables are taken whether they were offered or not: honest clients send them unasked.
The syntax of each is checked, and SIZE, BODY and SMTPUTF8 count; whether a next hop can take such a message is found
out when one is asked. AUTH, RET, ENVID, NOTIFY and ORCPT are dropped, so a next hop may bounce what came with
NOTIFY=NEVER. Every other one is 555: who sends REQUIRETLS or BINARYMIME has to know that it is not kept.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from tidewaiter.wire import replies
from tidewaiter.wire.errors import RemoteProtocolError

_WORD: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]+)?")
"""RFC 5321 §4.1.2: `esmtp-param = esmtp-keyword ["=" esmtp-value]`."""
_SIZE: Final = re.compile(rb"[0-9]{1,20}")
# RFC 3461 §4: xtext is any visible character but `+` and `=`, which are written in hexadecimal behind a `+`: in upper
# case there, but nobody reads `+2b` as anything else than `+2B`.
_XCHAR: Final = rb"[!-*,-<>-~]"
_HEXCHAR: Final = rb"\+[0-9A-Fa-f]{2}"
# RFC 3461 §4.4: the value prior to encoding "MUST consist entirely of printable (graphic and white space) characters".
_ENVID: Final = re.compile(rb"(?:" + _XCHAR + rb"|\+(?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e]|09))+")
_ATOM: Final = rb"[A-Za-z0-9!#$%&'*/?^_`{|}~-]+"
# RFC 6533 §3: an address of type utf-8 may hold the characters themselves, where SMTPUTF8 was said.
_ORCPT: Final = re.compile(
    rb"(?i:utf-8);(?:" + _XCHAR + rb"|" + _HEXCHAR + rb"|[\x80-\xff])+|"
    + _ATOM + rb";(?:" + _XCHAR + rb"|" + _HEXCHAR + rb")+"
)  # fmt: skip
_NOTIFY: Final = re.compile(rb"(?i:NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*)")
_RET: Final = re.compile(rb"(?i:FULL|HDRS)")


def read_parameters(words: list[bytes], known: Mapping[bytes, Callable[[bytes | None], Any]]) -> dict[bytes, Any]:
    """Read `keyword[=value]` words; one given twice could be read as either by the next hop."""
    asked: dict[bytes, Any] = {}
    for word in words:
        keyword, equals, value = word.partition(b"=")
        keyword = keyword.upper()
        read = known.get(keyword)
        if read is None:
            # A second address, a comment or a display name is no parameter that we do not know, but none at all.
            raise RemoteProtocolError(replies.UNKNOWN_PARAMETER if _WORD.fullmatch(word) else replies.PARAMETER_SYNTAX)
        if keyword in asked:
            raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
        asked[keyword] = read(value if equals else None)
    return asked


def _size(value: bytes | None) -> int:
    """RFC 1870 §5: one to twenty digits."""
    return int(_wanted(value, _SIZE))


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


def _auth(value: bytes | None) -> None:
    """RFC 4954 §5: `<>` says that nobody vouches for the sender, which is how we treat everybody.

    Whoever is named instead would have to be believed, or silently forgotten: that takes AUTH, which is not offered.
    """
    if not value:
        raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
    if value != b"<>":
        raise RemoteProtocolError(replies.UNKNOWN_PARAMETER)


def _ret(value: bytes | None) -> None:
    _wanted(value, _RET)


def _envid(value: bytes | None) -> None:
    _wanted(value, _ENVID)


def _notify(value: bytes | None) -> None:
    _wanted(value, _NOTIFY)


def _orcpt(value: bytes | None) -> None:
    _wanted(value, _ORCPT)


def _wanted(value: bytes | None, pattern: re.Pattern[bytes]) -> bytes:
    if value is None or not pattern.fullmatch(value):
        raise RemoteProtocolError(replies.PARAMETER_SYNTAX)
    return value


OF_MAIL: Final[Mapping[bytes, Callable[[bytes | None], Any]]] = {
    b"SIZE": _size,
    b"BODY": _body,
    b"SMTPUTF8": _flag,
    b"AUTH": _auth,
    b"RET": _ret,
    b"ENVID": _envid,
}
OF_RCPT: Final[Mapping[bytes, Callable[[bytes | None], Any]]] = {
    b"NOTIFY": _notify,
    b"ORCPT": _orcpt,
}
NONE: Final[Mapping[bytes, Callable[[bytes | None], Any]]] = {}
"""Behind HELO."""
