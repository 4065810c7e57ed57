"""What does the log say of an error that the system gave?  Its name, its reason, and where."""

import errno
import os
from typing import Final

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def told(error: Exception, place: object = "") -> dict[str, str]:
    """Give `errno`, `reason` and `path` for a log line; the path is the error's own, or `place` where it has none."""
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        return {"errno": "", "reason": str(error) or type(error).__name__, "path": str(place)}
    path = error.filename if isinstance(error, OSError) and isinstance(error.filename, str) else place
    return {"errno": errno.errorcode.get(number, str(number)), "reason": os.strerror(number), "path": str(path)}


def in_a_line(error: Exception, place: object = "") -> str:
    """Give the same as one text: `ENOSPC, No space left on device: /var/mail/tmp`."""
    found = told(error, place)
    what = ", ".join(filter(None, (found["errno"], found["reason"])))
    return f"{what}: {found['path']}" if found["path"] else what


def is_full(error: Exception | None) -> bool:
    """Tell whether it says that there is no room: that passes, and is not a disk that is broken."""
    return isinstance(error, OSError) and error.errno in _FULL
