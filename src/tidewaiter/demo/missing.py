"""Is everything there that the demo needs beyond the gateway itself?"""

import importlib.util
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from tidewaiter.demo.sender import curl_program
from tidewaiter.i18n import _

AIOSMTPD: Final = "1.4.4"
"""The last version that takes LF . CR LF for an end."""


class MissingError(Exception):
    """Something that the demo needs is not installed; the text is one line that says how to get it."""


def check() -> None:
    """Raise MissingError, or nothing."""
    lacking = [name for name in ("aiosmtpd", "cryptography") if importlib.util.find_spec(name) is None]
    if curl_program() is None and importlib.util.find_spec("pycurl") is None:
        lacking.append("curl")
    if lacking:
        raise MissingError(
            _("the demo needs {names}: pip install 'tidewaiter[demo]', or make demo").format(names=", ".join(lacking))
        )
    if receiver_version() != AIOSMTPD:
        raise MissingError(
            _("the demo needs aiosmtpd {wanted}, not {found}: pip install 'tidewaiter[demo]', or make demo").format(
                wanted=AIOSMTPD, found=receiver_version()
            )
        )


def receiver_version() -> str:
    """The version of aiosmtpd that is installed, empty where none is."""
    try:
        return version("aiosmtpd")
    except PackageNotFoundError:
        return ""
