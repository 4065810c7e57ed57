"""A worker: one process, one event loop, its share of the mail.

It lives as `handover` says: receive, read keys, serve, be ready; drain when told; leave when alone.
"""

import asyncio
import gc
import os
import resource
import socket
import ssl
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

import uvloop

from tidewaiter.config.settings import Listener, ListenerTls
from tidewaiter.delivery.hops import Hops
from tidewaiter.delivery.maildir import Maildir
from tidewaiter.gateway.connections import Connections
from tidewaiter.gateway.descriptors import Descriptors
from tidewaiter.gateway.doubts import Doubts
from tidewaiter.gateway.entrance import entrance
from tidewaiter.gateway.examiner import Examiner
from tidewaiter.gateway.handover import Handover
from tidewaiter.gateway.last_words import last_words
from tidewaiter.gateway.link import Link
from tidewaiter.gateway.listening import HopRoute, Listening
from tidewaiter.gateway.reach import Reach
from tidewaiter.gateway.recorder import Recorder
from tidewaiter.gateway.session import Session
from tidewaiter.gateway.station import SPOOL, Station
from tidewaiter.model.reply import Reply
from tidewaiter.net.deadline import Watch
from tidewaiter.net.tls import server_context
from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.spool import SpoolRoom
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
        self._watch = Watch(loop)
        self._station = self._make_station()
        news = partial(Reach, self._station.recorder)
        self._hops = Hops(self._settings, self._watch, self._files, handover.workers, self._place, news)
        self._listenings = [self._make_listening(listener) for listener in self._settings.listener]
        for hop in self._hops.all():
            if isinstance(hop, Maildir):  # a folder; whether it takes mail is known when one comes
                self._station.recorder.next_hop(hop.name)
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
        self._station.room.look()
        self._station.crowd.look()
        self._loop.call_later(LOOK_SECONDS, self._look)

    def _make_station(self) -> Station:
        limits, handover = self._settings.limits, self._handover
        folder = f"/proc/self/fd/{handover.state}/{SPOOL}"
        with suppress(FileExistsError), at(f"{self._settings.store.path}/{SPOOL}"):
            os.mkdir(SPOOL, 0o700, dir_fd=handover.state)
        return Station(
            settings=self._settings,
            loop=self._loop,
            watch=self._watch,
            recorder=Recorder(handover, self._loop),
            room=SpoolRoom(self._files, folder, limits.spool_memory, limits.spool_memory_total, limits.spool_total),
            connections=Connections(handover.connections, handover.columns, handover.column),
            doubts=Doubts(handover.doubts, handover.column),
            examiner=Examiner(self._loop),
            descriptors=Descriptors.of_process(self._settings, handover.workers),
        )

    def _make_listening(self, listener: Listener) -> Listening:
        routes = [
            HopRoute(route.domains, self._hops.of(route))
            for route in self._settings.route
            if listener.role in route.roles
        ]
        return Listening(self._station, listener, routes, self._context(listener))

    def _context(self, listener: Listener) -> ssl.SSLContext | None:
        if listener.tls is ListenerTls.OFF:
            return None
        assert listener.certificate is not None
        assert listener.key is not None
        certificate, key = self._place(listener.certificate), self._place(listener.key)
        with at(f"{certificate} or {key}"):  # OpenSSL names neither
            return server_context(certificate, key)

    def _place(self, path: PurePosixPath) -> str:
        """Relative paths start at the folder of the configuration file."""
        return str(Path(self._handover.file).parent / path)

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
        self._station.draining = True
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
            for transaction in list(self._station.transactions):
                transaction.cut(closing)
        finally:
            # Once what was said has left with this turn of the loop.
            self._loop.call_later(LAST_WORDS_SECONDS, self._exit)

    def _exit(self) -> None:
        try:
            self._station.recorder.flush()
        finally:
            os._exit(0)

    def _sessions(self) -> list[Session]:
        return [session for listening in self._listenings for session in listening.sessions]

    def _leave_when_alone(self) -> None:
        if self._station.under_way or self._sessions():
            self._loop.call_later(0.05, self._leave_when_alone)
        elif not self._gone.done():
            self._gone.set_result(None)

    async def _leave(self) -> None:
        for hop in self._hops.all():
            hop.close()
        await self._station.examiner.close()
        await self._station.recorder.close(LAST_RECORDS_SECONDS)
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
