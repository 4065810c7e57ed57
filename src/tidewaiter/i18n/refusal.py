"""What the operating system says when it refuses something, as a sentence in our catalogue.

The C library has these texts in many languages, but speaks that of its own variables and not that of `--lang`.
"""

import errno
from collections.abc import Mapping
from typing import Final

from tidewaiter.model.sentence import N_, Sentence

SENTENCES: Final[Mapping[int, Sentence]] = {
    errno.EACCES: N_("Permission denied"),
    errno.EADDRINUSE: N_("Address already in use"),
    errno.EADDRNOTAVAIL: N_("Cannot assign requested address"),
    errno.EEXIST: N_("File exists"),
    errno.EINVAL: N_("Invalid argument"),
    errno.EIO: N_("Input/output error"),
    errno.EISDIR: N_("Is a directory"),
    errno.ELOOP: N_("Too many levels of symbolic links"),
    errno.EMFILE: N_("Too many open files"),
    errno.ENAMETOOLONG: N_("File name too long"),
    errno.ENOENT: N_("No such file or directory"),
    errno.ENOSPC: N_("No space left on device"),
    errno.ENOTDIR: N_("Not a directory"),
    errno.ENXIO: N_("No such device or address"),
    errno.EPERM: N_("Operation not permitted"),
    errno.EROFS: N_("Read-only file system"),
}
"""Those that are met with files, folders and addresses, in English as the C library has them."""


def refusal(error: OSError | int) -> Sentence:
    """Why the system refused; a number that is not in the table, by the name it has in errno.h."""
    number = error if isinstance(error, int) else error.errno or 0
    if number in SENTENCES:
        return SENTENCES[number]
    return N_("the system says {name}", name=errno.errorcode.get(number, number))
