"""In which language is a person spoken to?  English, or Spanish.

The catalogue is gettext's own text domain, so the words of argparse come from it too.
gettext reads the language from LANGUAGE, LC_ALL, LC_MESSAGES and LANG at every look-up: `--lang` sets the first.
What other programs read stays English: SMTP replies, logs, JSON keys.

For a developer:

- `_("{count} rows").format(count=n)`: whole sentences, named placeholders, never an f-string.
- `ngettext("{count} row", "{count} rows", n).format(count=n)` where a number decides.
- Not at import time: the language is not chosen then.
- What others choose the words for, as the core's mistakes: `N_("{count} rows", count=n)` of `model.sentence`, said by
  `spoken`.
- `make messages` takes new strings into the catalogue; a test names those without a translation.
"""

import gettext as _gettext
import os
from gettext import gettext as _
from gettext import ngettext
from importlib.resources import files
from typing import Final

from tidewaiter.model.sentence import Sentence

__all__ = ["LANGUAGES", "_", "ngettext", "speak", "spoken"]

LANGUAGES: Final = ("en", "es")
"""The first is the language of the code, and needs no catalogue."""

_DOMAIN: Final = "tidewaiter"

_gettext.bindtextdomain(_DOMAIN, str(files(__name__) / "locale"))
_gettext.textdomain(_DOMAIN)


def speak(language: str) -> None:
    """Use `language`, one of `LANGUAGES`, from now on, in the processes started from here too."""
    os.environ["LANGUAGE"] = language


def spoken(sentence: Sentence) -> str:
    """The sentence in the language spoken now."""
    return sentence.said(_)
