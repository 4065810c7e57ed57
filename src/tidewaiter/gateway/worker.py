"""A worker: one process, one event loop, its share of the mail.

It lives as `handover` says: receive, read keys, serve, be ready; drain when told; leave when alone.
"""

import asyncio
import gc
import os
import resource
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import uvloop

from tidewaiter.config.settings import Listener
from tidewaiter.delivery.maildir import Maildir
from tidewaiter.gateway.composition import Composition
from tidewaiter.gateway.mail.entrance import entrance
from tidewaiter.gateway.mail.listening import Listening
from tidewaiter.gateway.mail.waiting import Waiting
from tidewaiter.gateway.mail.worker_context import SPOOL
from tidewaiter.gateway.processes.doubts import Doubts
from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.processes.last_words import last_words
from tidewaiter.gateway.processes.link import Link
from tidewaiter.model.reply import Reply
from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.told import at

LEARN_SECONDS: Final = 3.0
"""How long a start waits for next hops to say what they offer: a client told less would repack its messages."""
LOOK_SECONDS: Final = 1.0
LAST_RECORDS_SECONDS: Final = 5.0
LAST_WORDS_SECONDS: Final = 0.1


class Worker:
    """What `main` runs."""

    def __init__(self, handover: Handover, loop: asyncio.AbstractEventLoop) -> None:
        """Read all that needs reading before the first connection."""
        self._handover = handover
        self._loop = loop
        self._settings = handover.settings()
        self._files = FileThread(loop)
        self._composition = Composition(
            self._settings,
            handover,
            self._files,
            Doubts(handover.doubts, handover.column),
            folder=Path(handover.file).parent,
            spool=self._spool_folder(),
        )
        self._context = self._composition.worker
        self._hops = self._composition.hops
        self._listenings = [self._composition.listening(listener) for listener in self._settings.listener]
        for hop in self._hops.all():
            if isinstance(hop, Maildir):  # a folder; whether it takes mail is known when one comes
                self._context.recorder.next_hop(hop.name)
        self._servers: list[asyncio.Server] = []
        self._gone = loop.create_future()

    async def run(self) -> None:
        """Serve until drained."""
        link = Link(self._handover.link, self._loop, self._drain, self._end)
        self._look()
        await self._learn()
        for descriptor, listener, listening in zip(
            self._handover.listeners, self._settings.listener, self._listenings, strict=True
        ):
            self._servers.append(await self._listen(descriptor, listener, listening))
        link.ready()
        await self._gone
        await self._leave()

    def _look(self) -> None:
        """Look now and then how much room there is: on the disk, and among the connections of all workers."""
        self._context.room.look()
        self._context.crowd.look()
        self._loop.call_later(LOOK_SECONDS, self._look)

    def _spool_folder(self) -> str:
        """Make the spool's folder if it is missing; it is reached by the descriptor of the one that holds it."""
        with suppress(FileExistsError), at(f"{self._settings.store.path}/{SPOOL}"):
            os.mkdir(SPOOL, 0o700, dir_fd=self._handover.state)
        return f"/proc/self/fd/{self._handover.state}/{SPOOL}"

    async def _learn(self) -> None:
        """Ask every next hop what it offers."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEARN_SECONDS):
                await asyncio.gather(*(hop.learn() for hop in self._hops.all()))

    async def _listen(self, descriptor: int, listener: Listener, listening: Listening) -> asyncio.Server:
        return await self._loop.create_server(
            entrance(listening), sock=socket.socket(fileno=descriptor), backlog=listener.backlog
        )

    def _drain(self) -> None:
        """Accept no more, let what is under way end, say 421 to the rest."""
        self._context.draining = True
        for server in self._servers:
            server.close()
        for session in self._sessions():
            session.drain()
        self._leave_when_alone()

    def _end(self) -> None:
        """Leave at once: the time to stop has passed, or the supervisor is gone. Each message that is cut is told."""
        closing = Reply(421, "4.3.2", (f"{self._settings.hostname} Service is shutting down",))
        try:
            for session in self._sessions():
                session.leave(closing)
            for transaction in list(self._context.transactions):
                transaction.cut(closing)
        finally:
            # Once what was said has left with this turn of the loop.
            self._loop.call_later(LAST_WORDS_SECONDS, self._exit)

    def _exit(self) -> None:
        try:
            self._context.recorder.flush()
        finally:
            os._exit(0)

    def _sessions(self) -> list[Waiting]:
        return [session for listening in self._listenings for session in listening.sessions]

    def _leave_when_alone(self) -> None:
        if self._context.under_way or self._sessions():
            self._loop.call_later(0.05, self._leave_when_alone)
        elif not self._gone.done():
            self._gone.set_result(None)

    async def _leave(self) -> None:
        await self._composition.close(LAST_RECORDS_SECONDS)
        self._files.close()


def main(argv: list[str]) -> int:
    """Live as a worker; the exit code is 0 only behind a drain."""
    handover = Handover.receive(argv)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # What is made once stays; what a message makes dies with it, mostly without a collector's help.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    with last_words(handover, worker=handover.index), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(handover))
    return 0


async def _live(handover: Handover) -> None:
    await Worker(handover, asyncio.get_running_loop()).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
