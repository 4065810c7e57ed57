"""The clerk: alone writes the store, adds up the counters, and says whether the gateway is well.

    python -m tidewaiter.gateway.clerk '{…}'      (see `handover`)

It can die at any moment: workers keep what it has not acknowledged, and send it to the next one.
"""

import asyncio
import os
import socket
import sys
from http import HTTPStatus
from typing import Final

import msgspec
import uvloop

from tidewaiter.gateway.processes.connections import Connections
from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.processes.last_words import last_words
from tidewaiter.gateway.processes.link import Link
from tidewaiter.gateway.record.counters import CONTENT_TYPE, Counters
from tidewaiter.gateway.record.inbox import Inbox, next_hops
from tidewaiter.gateway.record.journal import Journal, logger, tell_faults
from tidewaiter.gateway.record.metrics import DOWN
from tidewaiter.gateway.record.pages import Page, Pages
from tidewaiter.gateway.record.store_writer import StoreWriter
from tidewaiter.store.file_thread import FileThread

LOOK_SECONDS: Final = 5.0
"""Between two looks at the disk."""


class Clerk:
    """The process's parts, on its loop."""

    def __init__(self, handover: Handover, loop: asyncio.AbstractEventLoop) -> None:
        """Make them; `serve` starts them."""
        self._loop = loop
        self._leaving = asyncio.Event()
        self._link = Link(handover.link, loop, on_drain=self._leaving.set, on_leave=self._leaving.set)
        self._listeners = [socket.socket(fileno=descriptor) for descriptor in handover.listeners]
        self._connections = Connections(handover.connections, handover.columns, handover.column)
        self._log = logger(Journal(handover.log, loop.call_soon), process="clerk", generation=handover.generation)
        tell_faults(loop, self._log)
        self._store_writer = StoreWriter(handover.settings().store, loop, self._log)
        self._inboxes: set[Inbox] = set()
        self._counters = Counters(
            {
                "open_connections": self._connections.total,
                "workers": lambda: len(self._inboxes),
                "store_up": lambda: float(self._store_writer.trouble is None),
                "records_waiting": lambda: sum(inbox.waiting for inbox in self._inboxes),
                "state_disk_free_bytes": lambda: self._disk_free,
            },
            lambda: next_hops(self._inboxes),
        )
        self._state = handover.state
        self._files = FileThread(loop)
        self._disk_free = -1.0
        self._look()

    async def serve(self) -> None:
        """Serve until the supervisor says to leave, or is gone."""
        inboxes, *pages = self._listeners
        servers = [await self._loop.create_unix_server(self._inbox, sock=inboxes)]
        servers += [await self._loop.create_server(self._page, sock=listener) for listener in pages]
        self._link.ready()
        await self._leaving.wait()
        for server in servers:
            server.close()
        await asyncio.to_thread(self._store_writer.close)

    def _look(self) -> None:
        """See how much the disk has left; a sick one answers late or never, and nobody waits for it."""
        self._files.run(lambda: os.fstatvfs(self._state), self._seen)

    def _seen(self, disk: os.statvfs_result | Exception) -> None:
        self._disk_free = -1.0 if isinstance(disk, Exception) else float(disk.f_bavail * disk.f_frsize)
        self._loop.call_later(LOOK_SECONDS, self._look)

    def _inbox(self) -> Inbox:
        return Inbox(self._store_writer, self._counters, self._inboxes)

    def _page(self) -> Pages:
        routes = {"/metrics": self._metrics, "/livez": self._alive, "/readyz": self._ready}
        return Pages(routes, self._loop)

    def _metrics(self) -> Page:
        return Page(HTTPStatus.OK, CONTENT_TYPE, self._counters.page())

    def _alive(self) -> Page:
        return Page(HTTPStatus.OK, "application/json", b'{"alive":true}\n')

    def _ready(self) -> Page:
        """Ready while mail can be taken; what is down is named."""
        hops = next_hops(self._inboxes)
        reachable = not hops or any(state != DOWN for state in hops.values())
        ready = self._inboxes and self._store_writer.trouble is None and reachable
        body = {"workers": len(self._inboxes), "store": self._store_writer.trouble or "ok", "next_hops": hops}
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Page(status, "application/json", msgspec.json.encode(body) + b"\n")


def main(argv: list[str]) -> None:
    """Live as the clerk."""
    handover = Handover.receive(argv)
    with last_words(handover, process="clerk"), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(handover))


async def _live(handover: Handover) -> None:
    await Clerk(handover, asyncio.get_running_loop()).serve()


if __name__ == "__main__":
    main(sys.argv)
