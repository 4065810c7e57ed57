"""What the supervisor stands on: the file, the user, the locked folder, the bound addresses.

Everything that may need root is done before it becomes the configured user: standard error and
privileged ports are opened first, keys and logs after. A reload does the same steps without root.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from socket import socket

from tidewaiter.config import Settings, locate, parse
from tidewaiter.config.place import Complaint
from tidewaiter.gateway.error import StartError
from tidewaiter.gateway.host import privileges, requirements
from tidewaiter.gateway.processes import folder
from tidewaiter.gateway.processes.generation import Generation
from tidewaiter.gateway.processes.shared import Shared
from tidewaiter.gateway.processes.sockets import Sockets
from tidewaiter.gateway.record.journal import open_log
from tidewaiter.i18n import system
from tidewaiter.model.sentence import Sentence

_FIXED = (("workers", "count"), ("workers", "user"), ("workers", "group"), ("store", "path"))
"""What only a restart can change: sockets, maps, rights and the lock were made for them."""


class Resources:
    """Made once; `read` gives a generation for the file as it is now."""

    def __init__(self, file: Path) -> None:
        """Remember the file; nothing is opened but standard error."""
        self.file = file.absolute()
        self._standard_error = open_log(None)
        self._first: Settings | None = None
        self._number = 0
        self.state = -1
        """The state folder's descriptor, once it is held."""
        self.workers = 0
        """How many workers a generation has."""

    def read(self) -> Generation:
        """Read the file and open what it names.

        :raises ConfigError: if there is a mistake in it, or something in it that asks for a restart.
        :raises StartError: if the folder, an address, the user or the file itself is not to be had.
        """
        try:
            data = self.file.read_bytes()
        except OSError as error:
            why = Sentence("{place}: {reason}", place=self.file, reason=system.reason(error))
            raise StartError(why) from error
        settings = parse(data, str(self.file))
        try:
            return self._prepare(settings, data)
        except privileges.PrivilegeError as error:
            raise locate([(("workers", error.key), error.sentence)], data, str(self.file)) from error

    def _prepare(self, settings: Settings, data: bytes) -> Generation:
        if self._first is None:
            self._settle(settings)
        self._refuse(_changed(self._first or settings, settings), data)
        sockets, pages = self._secure(settings)
        self._become()
        self._refuse(requirements.complaints(settings), data)
        self._first = self._first or settings
        self._number += 1
        return Generation(self._number, data, settings, log=self._open_log(settings), sockets=sockets, pages=pages)

    def share(self) -> Shared:
        """Make what all children share; after `read`, as the user who carries mail."""
        assert self._first is not None, "it has been read"
        return Shared(self._first.store.path.as_posix(), self.state, self.workers)

    def _settle(self, settings: Settings) -> None:
        self._person = privileges.person(settings.workers)
        owner = (self._person.uid, self._person.gid) if self._person else None
        self.state = folder.hold(Path(settings.store.path), owner)
        self.workers = settings.workers.count or len(os.sched_getaffinity(0))
        self._sockets = Sockets(self.workers)
        self._pages = Sockets(1)

    def _secure(self, settings: Settings) -> tuple[list[list[socket]], list[socket]]:
        """The sockets of each listener, and that of the clerk's pages if they are wanted."""
        sockets = self._sockets.secure(listener.address for listener in settings.listener)
        pages = self._pages.secure(filter(None, [settings.metrics.address]))
        page_sockets = [one for copies in pages for one in copies]
        for one in page_sockets:
            one.listen()  # a scrape waits while the clerk starts
        return sockets, page_sockets

    def keep_only(self, generations: Iterable[Generation]) -> None:
        """Close the addresses that none of these generations listens on."""
        settings = [generation.settings for generation in generations]
        self._sockets.keep_only(listener.address for one in settings for listener in one.listener)
        self._pages.keep_only(one.metrics.address for one in settings if one.metrics.address)

    def close_addresses(self) -> None:
        """Take no more connections for mail; the clerk's pages stay, or a clerk that dies now would have no heir."""
        self._sockets.keep_only(())

    def _become(self) -> None:
        privileges.keep_from_children()
        if self._person is not None:
            privileges.become(self._person)

    def _refuse(self, complaints: list[Complaint], data: bytes) -> None:
        if complaints:
            raise locate(complaints, data, str(self.file))

    def _open_log(self, settings: Settings) -> int:
        if settings.log.file is None:
            return os.dup(self._standard_error)
        return open_log(str(settings.log.file))


def _changed(before: Settings, after: Settings) -> list[Complaint]:
    return [
        ((table, key), Sentence("has changed, which needs a restart"))
        for table, key in _FIXED
        if getattr(getattr(before, table), key) != getattr(getattr(after, table), key)
    ]
