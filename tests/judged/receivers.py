"""The receivers that stand behind the gateway, and what each is known to change in any message, whoever sends it."""

from __future__ import annotations

import re
from dataclasses import replace

from tests.judged.judge import Habits

# A blank line is set where a header section does not end in one, and a line that is too long is folded.
FOLDING = Habits(blank=True)
POSTFIX = Habits(
    own=re.compile(
        rb"^(?:Message-Id: <[0-9A-F.]+@mx\.inside\.test>|Date: [^\n]* \(UTC\)|From: honest@outside\.example)\n",
        re.MULTILINE,
    ),
    blank=True,
)
# It says "500 Line too long", and 500 is about how we speak (delivery/meaning.py).
AIOSMTPD = Habits(refuses="451 4.3.5 The next hop refuses how we speak to it")
SENDMAIL = Habits(blank=True, refuses=r"(Bare (linefeed \(LF\)|carriage return \(CR\))|NUL byte) not allowed")
# It refuses a header section without a field, or with a line that is none, and loses of a line what is behind a NUL.
OPENSMTPD = Habits(
    own=re.compile(rb"^(?:Message-ID: <[0-9a-f]+@mx\.inside\.test>|Date: [^\n]* \(UTC\))\n|\0[^\n]*", re.MULTILINE),
    blank=True,
    refuses="Message is not RFC 2822 compliant",
)
# It loses a line of dots alone out of a header section, from whomever it comes.
HARAKA = Habits(own=re.compile(rb"^\.[. ]*\n", re.MULTILINE), blank=True, refuses="Bare line-feed; see")

HABITS = {
    "aiosmtpd-1.4.4": AIOSMTPD,
    "aiosmtpd-1.4.6": AIOSMTPD,
    "postfix-3.7-no": POSTFIX,
    "postfix-3.7-normalize": POSTFIX,
    "postfix-3.7-reject": replace(POSTFIX, refuses="Error: bare <LF> received"),
    "exim-4.96": FOLDING,
    "exim-4.96-deb12u11": FOLDING,
    "sendmail-8.17": SENDMAIL,
    "sendmail-8.17-O-G-U": FOLDING,
    "opensmtpd-6.8": OPENSMTPD,
    "haraka-3.3.3": HARAKA,
    "haraka-3.3.4": HARAKA,
    "smtp-server-3.21.6": Habits(),
    "dovecot-lmtp-2.3.19": FOLDING,
}
