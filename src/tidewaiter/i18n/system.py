"""What does the system say is wrong?  Its own words are English, for no program of ours calls setlocale(3)."""

import os
import re
import socket
from typing import Final

from tidewaiter.model.sentence import Sentence

__all__ = ["KNOWN", "reason"]

_NUMBER: Final = re.compile(r"\[Errno ([0-9]+)\]")

KNOWN: Final = (
    Sentence("Address already in use"),
    Sentence("Address family not supported by protocol"),
    Sentence("Cannot allocate memory"),
    Sentence("Cannot assign requested address"),
    Sentence("Connection refused"),
    Sentence("Connection reset by peer"),
    Sentence("Connection timed out"),
    Sentence("Disk quota exceeded"),
    Sentence("Exec format error"),
    Sentence("File exists"),
    Sentence("File name too long"),
    Sentence("Input/output error"),
    Sentence("Invalid argument"),
    Sentence("Is a directory"),
    Sentence("Name or service not known"),
    Sentence("Network is unreachable"),
    Sentence("No address associated with hostname"),
    Sentence("No route to host"),
    Sentence("No space left on device"),
    Sentence("No such device or address"),
    Sentence("No such file or directory"),
    Sentence("Not a directory"),
    Sentence("Operation not permitted"),
    Sentence("Permission denied"),
    Sentence("Read-only file system"),
    Sentence("Resource temporarily unavailable"),
    Sentence("Temporary failure in name resolution"),
    Sentence("Too many levels of symbolic links"),
    Sentence("Too many open files"),
)
"""What a user can bring about; what is not here stays as the system says it."""


def reason(error: OSError | int) -> Sentence:
    """Say why, in the system's own words, from an error or its number in errno.h.

    asyncio puts words of its own before them, and more than one where it tried more.
    """
    if isinstance(error, socket.gaierror):  # its numbers are no errno
        return Sentence(error.strerror or str(error))
    number = error if isinstance(error, int) else error.errno
    if number:
        return Sentence(os.strerror(number))
    words = tuple(Sentence(os.strerror(int(found))) for found in dict.fromkeys(_NUMBER.findall(str(error))))
    return Sentence("{reasons}", reasons=words) if words else Sentence(str(error))
