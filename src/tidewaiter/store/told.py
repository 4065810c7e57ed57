"""What does the log say of an error that the system gave?  Its name, its reason, and where."""

import errno
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def told(error: Exception, place: object = "") -> dict[str, str]:
    """Give `errno`, `reason` and `path` for a log line; the path is the error's own, or `place` where it has none."""
    # OpenSSL has numbers of its own.
    number = error.errno if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else None
    if number is None:
        return {"errno": "", "reason": str(error) or type(error).__name__, "path": str(_path(error) or place)}
    name = errno.errorcode.get(number, str(number))
    return {"errno": name, "reason": os.strerror(number), "path": str(_path(error) or place)}


def _path(error: Exception) -> str:
    found = error.filename if isinstance(error, OSError) else None
    return found if isinstance(found, str) else ""


def in_a_line(error: Exception, place: object = "") -> str:
    """Give the same as one text: `ENOSPC, No space left on device: /var/mail/tmp`."""
    found = told(error, place)
    what = ", ".join(filter(None, (found["errno"], found["reason"])))
    return f"{what}: {found['path']}" if found["path"] else what


@contextmanager
def at(place: object) -> Iterator[None]:
    """Let an error that the system gives within name `place`, unless it has a whole path of its own."""
    try:
        yield
    except OSError as error:
        if not Path(_path(error)).is_absolute():
            error.filename = str(place)
        raise


def is_full(error: Exception | None) -> bool:
    """Tell whether it says that there is no room: that passes, and is not a disk that is broken."""
    return isinstance(error, OSError) and error.errno in _FULL
