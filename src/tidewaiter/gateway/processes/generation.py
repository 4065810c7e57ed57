"""One reading of the configuration, and the worker processes that go by it."""

import os
import time
from collections.abc import Callable, Iterable
from socket import socket

from tidewaiter.config import Settings
from tidewaiter.gateway.processes.children import Child
from tidewaiter.gateway.record.journal import Journal, call_now

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""A child that lived for so long did not die of how it was started: its successor starts at once."""
CUT_SECONDS = 5.0
"""How long a child whose link was cut may take to leave."""


class Post:
    """One place that a child fills, and another one when that dies, later each time."""

    def __init__(self, start: Callable[[], Child]) -> None:
        """Leave it empty until the first `fill`."""
        self._start = start
        self._delay = FIRST_DELAY_SECONDS
        self.child: Child | None = None
        self.losses = 0
        """Children that died, and starts that failed."""
        self.failing = False
        """The last child could not be started, or died before it was ready."""
        self.due: float | None = 0.0
        """When (on the monotonic clock) an empty post is to be filled; None for never again."""

    def fill(self) -> None:
        """Start a child if the post is empty and it is time.

        :raises OSError: if there is no process to be had now; it will be tried again.
        """
        if self.child is not None or self.due is None or time.monotonic() < self.due:
            return
        self._postpone()
        try:
            self.child = self._start()
        except OSError:
            self.losses += 1
            self.failing = True
            raise

    def vacate(self, *, refill: bool) -> None:
        """The child is dead: fill the post again after a while, or never."""
        assert self.child is not None, "only a child that was there can die"
        if time.monotonic() - self.child.started > HEALTHY_SECONDS:
            self._delay = FIRST_DELAY_SECONDS
        self._postpone()
        if not refill:
            self.due = None
        self.losses += 1
        self.failing = not self.child.ready
        self.child.socket.close()
        self.child = None

    def _postpone(self) -> None:
        self.due = time.monotonic() + self._delay
        self._delay = min(2 * self._delay, LONGEST_DELAY_SECONDS)


class Crew:
    """Posts that are filled together and leave together."""

    def __init__(self, starts: Iterable[Callable[[], Child]]) -> None:
        """Make a post for each way to start a child."""
        self.posts = [Post(start) for start in starts]
        self.deadline: float | None = None
        """When (on the monotonic clock) those who were told to leave are made to."""
        self._cut = False

    @property
    def children(self) -> list[Child]:
        """The living."""
        return [post.child for post in self.posts if post.child is not None]

    @property
    def ready(self) -> bool:
        """Whether every post is filled by a child that serves."""
        return all(post.child is not None and post.child.ready for post in self.posts)

    @property
    def lost_a_child(self) -> bool:
        """Whether any child has died, or could not be started."""
        return any(post.losses for post in self.posts)

    @property
    def leaving(self) -> bool:
        """Whether it was told to leave."""
        return self.deadline is not None

    @property
    def gone(self) -> bool:
        """Whether it was told to leave, and has."""
        return self.leaving and not self.children

    def fill(self) -> None:
        """Start the children whose time has come."""
        for post in self.posts:
            post.fill()

    def drain(self, seconds: float) -> None:
        """Finish within so many seconds; nobody is replaced from now on."""
        self.deadline = time.monotonic() + seconds
        for post in self.posts:
            post.due = None
        for child in self.children:
            child.drain()

    def insist(self) -> None:
        """Once the deadline has passed cut the links, and once more time has passed kill."""
        if self.deadline is None or time.monotonic() < self.deadline:
            return
        for child in self.children:
            if self._cut:
                child.kill()
            else:
                child.cut()
        self._cut = True
        self.deadline = time.monotonic() + CUT_SECONDS


class Generation:
    """Settings as they were read once, what was opened for them, and the workers that go by them."""

    def __init__(  # noqa: PLR0913 - it is all that a reading of the file opens
        self,
        number: int,
        data: bytes,
        settings: Settings,
        *,
        log: int,
        sockets: list[list[socket]],
        pages: list[socket],
    ) -> None:
        """Keep the bytes in memory for the children.

        :param log: a descriptor from `journal.open_log`; the generation closes it.
        :param sockets: for each listener, a socket for each worker; they stay the supervisor's.
        :param pages: the socket of the clerk's pages, or none.
        """
        self.number = number
        self.settings = settings
        self.log = log
        self.journal = Journal(log, call_now)
        """The supervisor's own lines."""
        self.sockets = sockets
        self.pages = pages
        self.configuration = _in_memory(data)
        self.workers = Crew(())
        self.serving = False
        """Whether all its workers were ready once, so that older generations could leave."""

    def close(self) -> None:
        """Close what was opened for it."""
        os.close(self.configuration)
        os.close(self.log)


def _in_memory(data: bytes) -> int:
    descriptor = os.memfd_create("tidewaiter-configuration")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    return descriptor
