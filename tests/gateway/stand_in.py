"""A worker for tests of the processes: it carries no mail, but lives as a worker must.

Every line that a client sends is an order; see `ORDERS`. The first line sent to a client names it.
"""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address

import uvloop

from tidewaiter.gateway.processes.connections import Connections
from tidewaiter.gateway.processes.doubts import Doubts
from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.processes.link import Link
from tidewaiter.gateway.record.recorder import Recorder
from tidewaiter.store.records import Transaction


def transaction(identity: str) -> Transaction:
    """A record such as real mail leaves."""
    return Transaction(
        time=datetime(2026, 11, 24, 12, tzinfo=UTC),
        id=identity,
        outcome="delivered",
        reply="250 2.0.0 ok",
        listener="127.0.0.1:25",
        client="192.0.2.7",
        helo="mail.example",
        reverse_path="a@src.example",
        recipients=("b@sink.example", "c@sink.example"),
        size=4096,
        seconds=0.012,
        next_hop="192.0.2.9:25",
        next_hop_reply="250 2.0.0 queued as ABC",
        queue_id="ABC",
    )


class Worker:
    def __init__(self, handover: Handover) -> None:
        loop = asyncio.get_running_loop()
        self.handover = handover
        self.settings = handover.settings()
        self.leaving = asyncio.Event()
        self.draining = False
        self.busy = 0
        self.link = Link(handover.link, loop, self.drain, lambda: os._exit(3))
        self.recorder = Recorder(loop, handover.process(), handover.log, handover.clerk_address())
        self.connections = Connections(handover.connections, handover.columns, handover.column)
        self.doubts = Doubts(handover.doubts, handover.column)
        self.servers: list[asyncio.Server] = []

    async def serve(self) -> None:
        if self.settings.hostname == "broken.example":
            sys.exit(1)
        for descriptor in self.handover.listeners:
            listener = socket.socket(fileno=descriptor)
            self.servers.append(await asyncio.start_server(self.client, sock=listener, backlog=1024))
        self.link.ready()
        await self.leaving.wait()
        await self.recorder.close(5)

    def drain(self) -> None:
        self.draining = True
        for server in self.servers:
            server.close()
        if not self.busy:
            self.leaving.set()

    async def client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.busy += 1
        rows = self.connections.rows(ip_address(writer.get_extra_info("peername")[0]))
        total, _ = self.connections.enter(rows)
        name = f"{self.handover.generation} {self.handover.index} {os.getpid()} {total} {self.settings.hostname}"
        writer.write(name.encode() + b"\n")
        with suppress(ConnectionError):  # who resets has left as well
            while line := await reader.readline():
                order, _, argument = line.decode().strip().partition(" ")
                writer.write(self.obey(order, argument).encode() + b"\n")
        writer.close()
        self.connections.leave(rows)
        self.busy -= 1
        if self.draining and not self.busy:
            self.leaving.set()

    def obey(self, order: str, argument: str) -> str:
        match order:
            case "doubt":
                self.doubts.begin(argument)
            case "record":
                for _ in range(int(argument)):
                    self.recorder.transaction(transaction(self.recorder.new_id()))
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "stat":
                return str(os.getuid())
        return "done"


async def _main() -> None:
    await Worker(Handover.receive(sys.argv)).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main())
