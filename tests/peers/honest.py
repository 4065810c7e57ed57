"""Twenty honest messages, and what each real program changes in any of them: its own named fields.

Every message has the fields that RFC 5322 §3.6 wants, so that no program has a reason to add one in its place.
"""

from __future__ import annotations

import base64
import re
from typing import Final

FIELDS: Final = (
    b"From: Honest <user@src.test>\r\nTo: rcpt@inside.test\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r\n"
    b"Message-ID: <%d.honest@src.test>\r\n"
)
MIME: Final = b"MIME-Version: 1.0\r\nContent-Type: %s\r\nContent-Transfer-Encoding: %s\r\n"
TEXT: Final = b"text/plain; charset=utf-8"
PARTS: Final = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\n\r\nsee it\r\n--cut\r\n"
    b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--cut--\r\n"
)

# What stands behind `FIELDS`, by what is special about it.
SPECIAL: Final = {
    "plain": b"Subject: plain\r\n\r\nhello\r\n",
    "dots at the start of lines": b"Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\nx.\r\n",
    "lines of one dot": b"Subject: one dot\r\n\r\n" + b".\r\n" * 50 + b"end\r\n",
    "no body": b"Subject: no body\r\n\r\n",
    "empty lines at the end": b"Subject: empty lines\r\n\r\nhello\r\n\r\n\r\n\r\n",
    "empty lines at the start": b"Subject: empty lines\r\n\r\n\r\n\r\nhello\r\n",
    "blanks at the ends of lines": b"Subject: blanks\r\n\r\nspace \r\ntab\t\r\nhello\r\n",
    "tabs": b"Subject: tabs\r\n\r\n\tone\t\ttwo\r\n",
    "UTF-8": b"Subject: 8-bit\r\n" + MIME % (TEXT, b"8bit") + "\r\nGrüße, año nuevo, 東京\r\n".encode(),
    "Latin-1": b"Subject: 8-bit\r\n" + MIME % (b"text/plain; charset=iso-8859-1", b"8bit") + b"\r\ncaf\xe9, a\xf1o\r\n",
    "quoted-printable": b"Subject: qp\r\n"
    + MIME % (TEXT, b"quoted-printable")
    + b"\r\nGr=C3=BC=C3=9Fe =\r\nsoft=20\r\n",
    "the longest lines": b"Subject: long\r\n\r\n" + (b"x" * 998 + b"\r\n") * 5,
    "folded fields": b"Subject: folded\r\n\tonce\r\n and twice\r\nX-Long: "
    + b"\r\n ".join([b"y" * 70] * 20)
    + b"\r\n\r\nhi\r\n",
    "many fields": b"Subject: many\r\n" + b"".join(b"X-%d: %d\r\n" % (n, n) for n in range(100)) + b"\r\nhi\r\n",
    "fields of a list": b"Subject: list\r\nList-Id: <a.src.test>\r\nSender: a@src.test\r\n\r\nhi\r\n",
    "a signature": b"Subject: signed\r\nDKIM-Signature: v=1; d=src.test;\r\n\tb=AA==\r\n\r\nhi\r\n",
    "an attachment": b"Subject: parts\r\n" + PARTS % base64.encodebytes(bytes(range(256)) * 40).replace(b"\n", b"\r\n"),
    "commands": b"Subject: commands\r\n\r\nQUIT\r\nDATA\r\nMAIL FROM:<a@src.test>\r\nRCPT TO:<rcpt@inside.test>\r\n",
    "From at the start of lines": b"Subject: From\r\n\r\nhello\r\n\r\nFrom here on\r\n>From there\r\n",
    "a hundred kilobytes": b"Subject: large\r\n\r\n" + b"The quick brown fox jumps over the lazy dog.\r\n" * 2200,
}
MESSAGES: Final = {name: FIELDS % number + rest for number, (name, rest) in enumerate(SPECIAL.items())}

OWN: Final[dict[str, tuple[bytes, ...]]] = {
    "postfix-3.7": (b"Return-Path", b"X-Original-To", b"Delivered-To", b"Received"),
    "exim-4.96": (b"Return-path", b"Envelope-to", b"Delivery-date", b"Received"),
    "dovecot-lmtp-2.3.19": (b"Return-Path", b"Delivered-To", b"Received"),
    "swaks": (),
    "smtplib-3.11": (),
    "curl-7.88": (),
}
"""The fields that each puts on top of a message, as a relay or where it delivers; nothing else may be touched."""


LAST: Final = {"swaks": b"\r\n"}
"""What a program puts behind every message: swaks an empty line, since the text it is given always ends before one."""


def without_own(message: bytes, program: str) -> bytes:
    """Take away what `program` adds: its fields on top, with their folded lines, and what it puts at the end."""
    names = b"|".join(OWN[program])
    top = re.match(rb"(?:(?:%s):[^\n]*\n(?:[ \t][^\n]*\n)*)*" % names, message) if names else None
    return message[top.end() if top else 0 :].removesuffix(LAST.get(program, b""))
