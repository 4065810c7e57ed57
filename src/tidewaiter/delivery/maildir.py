"""A Maildir as the next hop: a message is there whole, and on disk, before we say 250 for it.

Written in `tmp`, fsync, renamed into `new`, fsync of `new`: a crash at any moment leaves either no message or all of
it, and never one that was acknowledged and is gone.
Whichever of these steps fails, what was written is taken away again, and the client hears 4xx; where it lay in `new`
already and that cannot be made undone for sure, the outcome is doubtful, since the client will send it again.
Lines end in LF there, as every reader of Maildirs expects.
"""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from tidewaiter.delivery.delivery import Answer, Outcome, OutcomeObserver, Patience
from tidewaiter.delivery.outgoing import UNREADABLE
from tidewaiter.lines.scan import CRLF
from tidewaiter.model.address import Address
from tidewaiter.model.client import Client
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.nameless import write_all
from tidewaiter.store.spool import Spool
from tidewaiter.store.told import in_a_line, is_full
from tidewaiter.wire import Offers

RECIPIENT_OK: Final = Reply(250, "2.1.5", ("Ok",))
NOT_WRITTEN: Final = Reply(451, "4.3.0", ("The mailbox cannot be written, come again",))
DISK_FULL: Final = Reply(452, "4.3.1", ("The mailbox has no room left, come again",))
_OFFERS: Final = Offers(pipelining=True, eight_bit=True, utf8=True, chunking=True)


class DoubtError(Exception):
    """A message was refused, and may lie in `new` all the same: a reader has it, or a crash brings it back."""


class Maildir:
    """One Maildir, written by the file thread of one worker."""

    __slots__ = ("_files", "_hostname", "_number", "_settled", "name", "one_recipient", "path")

    def __init__(self, name: str, path: str, hostname: str, files: FileThread) -> None:
        """Remember where; folders that are missing are made with the first message."""
        self.name = name
        self.one_recipient = True
        self.path: Final = Path(path)
        self._hostname = hostname.replace("/", "\\057").replace(":", "\\072")
        self._files = files
        self._number = itertools.count()
        self._settled = False
        """Its three folders are on disk in it: whoever made them may have died before they were."""

    @property
    def offers(self) -> Offers:
        """A file takes everything."""
        return _OFFERS

    async def learn(self) -> None:
        """There is nothing to ask."""

    def takes(self, _extension: str) -> bool:
        """A file takes everything."""
        return True

    def deliver(
        self, mail: Mail, _client: Client, _accepted: Sequence[Address], _lacking: Callable[[str], Reply]
    ) -> "MaildirDelivery":
        """Begin a transaction."""
        return MaildirDelivery(self, mail)

    def close(self) -> None:
        """Nothing is kept open."""

    def write(self, content: Callable[[], Iterable[bytes]], then: Callable[[Exception | None], None]) -> None:
        """Write one message in the file thread; `then` hears whether it is on disk."""
        name = f"{time.time():.6f}.P{os.getpid()}Q{next(self._number)}.{self._hostname}"
        self._files.run(lambda: self._deliver(name, content()), then)

    def _deliver(self, name: str, content: Iterable[bytes]) -> None:
        self._make_folders()
        temporary, place = self.path / "tmp" / name, self.path / "new" / name
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_and_close(file, content)
            temporary.rename(place)
            sync_folder(place.parent)
        except BaseException as error:
            take_back(temporary, place, error)
            raise

    def _make_folders(self) -> None:
        for folder in ("tmp", "new", "cur"):
            make_folder(self.path / folder)
        if not self._settled:
            sync_folder(self.path)
            self._settled = True


class MaildirDelivery:
    """One message for one Maildir."""

    __slots__ = ("_mail", "_maildir", "_observer", "_spool")

    def __init__(self, maildir: Maildir, mail: Mail) -> None:
        """Begin."""
        self._maildir = maildir
        self._mail = mail
        self._observer: OutcomeObserver | None = None

    def rcpt(self, _recipient: Address, _patience: Patience, then: Callable[[Answer], None]) -> None:
        """Take any recipient that the route names."""
        then(Answer(RECIPIENT_OK))

    def send(self, prefix: bytes, spool: Spool, observer: OutcomeObserver) -> None:
        """Write it."""
        self._observer = observer
        self._spool = spool
        observer.ending()
        head = f"Return-Path: <{self._mail.sender or ''}>\r\n".encode() + prefix
        self._maildir.write(lambda: with_newlines(itertools.chain((head,), spool.pieces())), self._written)

    def abandon(self, *, late: bool = False) -> None:
        """Nothing has been written yet."""

    def _written(self, error: Exception | None) -> None:
        assert self._observer is not None
        if error is None:
            self._observer.outcome(Outcome(RECIPIENT_OK, "written"))
            return
        if error is self._spool.trouble:
            self._observer.outcome(Outcome(UNREADABLE))
            return
        reply = DISK_FULL if is_full(error) else NOT_WRITTEN
        words = in_a_line(error, self._maildir.path)
        self._observer.outcome(Outcome(reply, words, doubtful=isinstance(error, DoubtError)))


def with_newlines(content: Iterable[bytes]) -> Iterator[bytes]:
    """Turn each CR LF into LF, also one that two pieces share, and nothing else."""
    held = b""
    for piece in content:
        data = held + piece
        held = b"\r" if data.endswith(b"\r") else b""
        yield data[: len(data) - len(held)].replace(CRLF, b"\n")
    yield held


def write_and_close(file: int, content: Iterable[bytes]) -> None:
    """Have all of `content` on disk; whatever fails, the file is closed."""
    try:
        for block in content:
            write_all(file, (block,))
        os.fsync(file)
    finally:
        os.close(file)


def take_back(temporary: Path, place: Path, why: BaseException) -> None:
    """Leave nothing of a message that is not there for sure.

    :raises DoubtError: if it may be in `new` already, and stay there, or come back.
    """
    try:
        try:
            temporary.unlink()
        except FileNotFoundError:  # it has been renamed
            place.unlink()
            sync_folder(place.parent)
    except OSError:
        words = in_a_line(why) if isinstance(why, Exception) else ""
        raise DoubtError(f"{words}, and the message may lie in it") from why


def make_folder(path: Path) -> None:
    """Make a folder that is missing, and those above it, each on disk in its parent."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(0o700, exist_ok=True)
    try:
        sync_folder(path.parent)
    except OSError:
        with suppress(OSError):
            path.rmdir()  # the next message would take it for one that lasts
        raise


def sync_folder(path: Path) -> None:
    """Have a folder's entries on disk (fsync(2): "Calling fsync() does not ensure that the entry … has reached")."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
