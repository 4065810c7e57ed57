"""Honest mail of every kind must come through byte for byte, but for the `Received` that a relay owes."""

from typing import Final

from tidewaiter.demo import conversation, judge, sender
from tidewaiter.demo.configuration import MAILDIR, STRANGERS
from tidewaiter.demo.mail import STRANGER, USER, Mail, stuffed
from tidewaiter.demo.stage import Stage
from tidewaiter.i18n import spoken
from tidewaiter.model.sentence import Sentence
from tidewaiter.report.demonstration import Honest
from tidewaiter.rig.caller import ClosedError, SilenceError

_HEAD: Final = b"From: honest@outside.example\r\nTo: rcpt@inside.test\r\nSubject: honest\r\n\r\n"

KINDS: Final = {
    "plain": _HEAD + b"Hello,\r\n\r\nsee you on Monday.\r\n",
    "dots at line starts": _HEAD + b".\r\n..\r\n...\r\n.hidden\r\n. \r\nend.\r\n.\r\n",
    "8-bit": _HEAD + "Grüße aus Köln, año nuevo, 東京\r\n".encode() + bytes(range(128, 256)) + b"\r\n",
    "header only": b"From: honest@outside.example\r\nSubject: nothing more\r\n",
    "empty lines": _HEAD + b"\r\n" * 40,
    "longest lines": _HEAD + (b"x" * 998 + b"\r\n") * 20,
    "trailing blanks": _HEAD + b"tab\t\r\nspace \r\n \r\n\t\r\n",
    "half a megabyte": _HEAD + (b"The quick brown fox jumps over the lazy dog. 0123456789 -- ok\r\n" * 8192),
}  # fmt: skip
"""By what is special about them.  No line is longer than the 998 octets that RFC 5322 §2.1.1 allows."""

WORDS: Final = {
    "plain": Sentence("plain"),
    "dots at line starts": Sentence("dots at line starts"),
    "8-bit": Sentence("8-bit"),
    "header only": Sentence("header only"),
    "empty lines": Sentence("empty lines"),
    "longest lines": Sentence("longest lines"),
    "trailing blanks": Sentence("trailing blanks"),
    "half a megabyte": Sentence("half a megabyte"),
}
"""Each kind for a person."""


async def inbound(stage: Stage, kind: str) -> Honest:
    """From a stranger, to the receiver."""
    mail = STRANGER.holding(KINDS[kind])
    answer = await _raw(stage, mail)
    return _judged(kind, "inbound", mail, (*judge.reply("250", answer), *judge.kept((mail,), stage.mail.fresh())))


async def outbound(stage: Stage, kind: str) -> Honest:
    """From a user's real sender, to the receiver."""
    mail = USER.holding(KINDS[kind])
    answer = await sender.send(stage.outbound, mail)
    return _judged(kind, "outbound", mail, (*judge.reply("250", answer), *judge.kept((mail,), stage.mail.fresh())))


async def into_maildir(stage: Stage, kind: str) -> Honest:
    """From a stranger, into the Maildir that the gateway writes itself; lines end in LF there."""
    mail = Mail(STRANGER.sender, f"rcpt@{MAILDIR}", KINDS[kind])
    answer = await _raw(stage, mail)
    found = judge.kept((mail,), stage.written.fresh(), newline=b"\n")
    return _judged(kind, "maildir", mail, (*judge.reply("250", answer), *found))


async def _raw(stage: Stage, mail: Mail) -> str:
    try:
        caller = await conversation.greeted(stage.inbound[STRANGERS])
        answer = await conversation.hand_over(caller, mail, stuffed(mail.content))
        await conversation.leave(caller)
    except (ClosedError, SilenceError) as error:
        return spoken(error.sentence)
    return str(answer)


def _judged(kind: str, way: str, mail: Mail, broken: tuple[str, ...]) -> Honest:
    return Honest(kind, way, len(mail.content), broken)


WAYS: Final = (inbound, outbound, into_maildir)
