"""What a configuration asks of this machine: files that exist, can be read and written, and fit.

Asked as the user who carries mail, because a key that only root can read is no key for a worker.
"""

import errno
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

from tidewaiter.config import ConfigError, Mistake, Settings, locate, parse
from tidewaiter.config.place import Complaint
from tidewaiter.config.settings import ListenerTls
from tidewaiter.config.values import MaildirHop
from tidewaiter.gateway.host import privileges
from tidewaiter.gateway.host.mail_loop import hops_to_ourselves
from tidewaiter.i18n import system
from tidewaiter.model.sentence import Sentence

_MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs", "devtmpfs"}
_OPENSSL = {
    "KEY_VALUES_MISMATCH": Sentence("key values mismatch"),
    "": Sentence("not PEM, or the key has a password"),
}
"""By OpenSSL's word for it; Python gives none for most of what is not PEM."""


def mistakes_of_file(file: Path) -> tuple[Mistake, ...]:
    """Every mistake in a configuration file, those that this machine makes of it among them.

    Started by root, it asks as the user whom the file names.

    :raises OSError: if the file itself cannot be read.
    """
    data = file.read_bytes()
    try:
        settings = parse(data, str(file))
        someone = privileges.person(settings.workers)
        found = privileges.answer_as(someone, lambda: [*_file_itself(file), *complaints(settings)])
    except ConfigError as error:
        return error.mistakes
    except privileges.PrivilegeError as error:
        return locate([(("workers", error.key), error.sentence)], data, str(file)).mistakes
    return locate(found, data, str(file)).mistakes


def _file_itself(file: Path) -> Iterator[Complaint]:
    if reason := _unreadable(file):
        yield ("workers", "user"), Sentence("could not reload: {reason}", reason=reason)


def complaints(settings: Settings) -> list[Complaint]:
    """Everything that would keep this process's user from running these settings."""
    return [
        *_certificates(settings),
        *_authorities(settings),
        *_state_folder(settings),
        *_log_file(settings),
        *_maildirs(settings),
        *hops_to_ourselves(settings),
    ]


def _certificates(settings: Settings) -> Iterator[Complaint]:
    for place, listener in enumerate(settings.listener):
        if listener.tls is ListenerTls.OFF:
            continue
        files = {"certificate": listener.certificate, "key": listener.key}
        unreadable = {name: reason for name, file in files.items() if (reason := _unreadable(Path(str(file))))}
        for name, reason in unreadable.items():
            yield ("listener", place, name), reason
        if not unreadable and (reason := _unusable(*map(str, files.values()))):
            yield ("listener", place, "certificate"), reason


def _unreadable(file: Path) -> Sentence | None:
    try:
        with file.open("rb"):
            return None
    except OSError as error:
        return _refused(file, error)


def _refused(path: Path, why: OSError | int) -> Sentence:
    return Sentence("{path}: {reason}", path=path, reason=system.reason(why))


def _unusable(certificate: str, key: str) -> Sentence | None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except (ssl.SSLError, ValueError) as error:
        reason = _OPENSSL.get(getattr(error, "reason", None) or "", _OPENSSL[""])
        return Sentence("{certificate} and its key cannot be used: {reason}", certificate=certificate, reason=reason)
    return None


def _authorities(settings: Settings) -> Iterator[Complaint]:
    for place, route in enumerate(settings.route):
        if route.ca is None:
            continue
        try:
            ssl.create_default_context(cafile=str(route.ca))
        except ssl.SSLError:
            yield ("route", place, "ca"), Sentence("{file}: no certificates in PEM form", file=route.ca)
        except OSError as error:
            yield ("route", place, "ca"), _refused(Path(str(route.ca)), error)


def _state_folder(settings: Settings) -> Iterator[Complaint]:
    there = _there(Path(settings.store.path))
    if reason := _unwritable(there):
        yield ("store", "path"), reason
    elif not there.is_dir():
        yield ("store", "path"), Sentence("{path} is not a folder", path=there)
    elif (kind := _file_system(there)) in _MEMORY_FILE_SYSTEMS:
        yield (
            ("store", "path"),
            Sentence("is on {kind}: a spool in memory is no spool, and nothing there outlives a restart", kind=kind),
        )


def _there(path: Path) -> Path:
    """The path, or the folder in which it would be made."""
    return path if _is_there(path) else path.parent


def _is_there(path: Path) -> bool:
    """Whether there is something, or can never be; where a folder above is closed, that one is to be named."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    except OSError:  # the name is too long, say
        return True
    return True


def _unwritable(there: Path) -> Sentence | None:
    try:
        there.stat()
    except OSError as error:
        return _refused(there, error)
    rights = os.W_OK | os.X_OK if there.is_dir() else os.W_OK
    if os.access(there, rights):
        return None
    read_only = os.statvfs(there).f_flag & os.ST_RDONLY
    return _refused(there, errno.EROFS if read_only else errno.EACCES)


def _file_system(folder: Path) -> str:
    """The kind of file system, as the kernel's list of mounts has it; proc(5), mountinfo."""
    status = folder.stat()
    device = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        mount, _, source = line.partition(" - ")
        if mount.split()[2] == device:
            return source.split()[0]
    return "unknown"


def _log_file(settings: Settings) -> Iterator[Complaint]:
    if settings.log.file is None:
        return
    there = _there(Path(settings.log.file))
    if reason := _unwritable(there):
        yield ("log", "file"), reason
    elif there == Path(settings.log.file) and there.is_dir():
        yield ("log", "file"), _refused(there, errno.EISDIR)


def _maildirs(settings: Settings) -> Iterator[Complaint]:
    for place, route in enumerate(settings.route):
        for which, hop in enumerate(route.next_hop):
            if isinstance(hop, MaildirHop) and (reason := _no_maildir(Path(str(hop.path)))):
                yield ("route", place, "next_hop", which), reason


def _no_maildir(path: Path) -> Sentence | None:
    """Why messages cannot be written there; delivery makes whatever folders are missing."""
    for folder in (path / "tmp", path / "new", path / "cur"):
        there = _nearest(folder)
        if reason := _unwritable(there):
            return reason
        if not there.is_dir():
            return Sentence("{path} is not a folder", path=there)
    return None


def _nearest(path: Path) -> Path:
    """The path, or the nearest folder above it that is there: in it the first one would be made."""
    return next(one for one in (path, *path.parents) if _is_there(one) or one == one.parent)
