"""How does a person read the product and settings of a row, where they are words and not the program's own syntax?

A row is data, and English; what it says in words of ours stands here too (`tests/i18n/test_catalogue.py` holds that).
"""

from typing import Final

from tidewaiter.i18n import spoken
from tidewaiter.model.dialect import Dialect
from tidewaiter.model.sentence import Sentence

KNOWN: Final = (
    Sentence("AllowIncorrectLineEndings = 1, the default"),
    Sentence("CR and LF Handling: Clean, the default"),
    Sentence("OpenSMTPD, its sendmail command"),
    Sentence("Postfix, its sendmail command"),
    Sentence("Sendmail, its sendmail command"),
    Sentence("as Debian ships it"),
    Sentence("as Debian ships it: srv_features o g u f, RejectNUL true"),
    Sentence("as it ships"),
    Sentence("as it ships, with queue/smtp_forward as a relay; no plugin that parses the body"),
    Sentence("as it ships; it has no size limit"),
    Sentence("contents as a string"),
    Sentence("james.prevent.smtp.smuggling true, the default"),
    Sentence("raw message"),
    Sentence("sendmail -i, with sendmail_fix_line_endings = always, the default"),
    Sentence("sendmail() with bytes"),
    Sentence("sendmail() with str"),
    Sentence("size limit by quota_max_mail_size"),
    Sentence("size set; the application answers 552 when sizeExceeded"),
    Sentence("smtpd_forbid_bare_newline = normalize, and the client in smtpd_forbid_bare_newline_exclusions"),
    Sentence("srv_features G: bare LF is accepted"),
    Sentence("srv_features O G U F, RejectNUL false: as before 8.18"),
    Sentence("srv_features O G: as before 8.18, but a bare CR is refused"),
    Sentence("srv_features O: a lone dot ends"),
    Sentence("srv_features U: bare CR is accepted"),
    Sentence("srv_features g2: bare LF becomes a space"),
    Sentence("srv_features u2: bare CR becomes a space"),
)
"""What is not here is a name, or a line of the program's configuration."""

_ENGLISH: Final = frozenset(each.english for each in KNOWN)


def product(row: Dialect) -> str:
    """Name the program."""
    return _said(row.product)


def settings(row: Dialect) -> str:
    """Say how it is configured."""
    return _said(row.settings)


def _said(english: str) -> str:
    # What is no sentence of ours may hold braces, which only `Sentence` fills.
    return spoken(Sentence(english)) if english in _ENGLISH else english
