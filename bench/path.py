"""What one 4 KB message costs in a worker, the kernel left out. Prints µs of CPU, the best of many rounds.

Everything of the worker is there: session, transaction, pool, delivery, spool, record and log. Only the two sockets are
replaced, by transports that hand bytes over, and the next hop by one that says yes to everything.
"""

import asyncio
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Final, cast

import uvloop

from tests.gateway.inside import Inside
from tidewaiter.config import parse
from tidewaiter.delivery.connection import Connection
from tidewaiter.delivery.hop import SmtpHop
from tidewaiter.gateway.mail.session import Session
from tidewaiter.net.deadline import Watch
from tidewaiter.wire import Client

CONFIGURATION: Final = b"""\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "127.0.0.1:2525"
role = "inbound"
[[route]]
domains = ["sink.example"]
next_hop = "smtp://127.0.0.1:2526"
"""
DIALOGUE: Final = (
    b"MAIL FROM:<a@src.example>\r\n",
    b"RCPT TO:<b@sink.example>\r\n",
    b"DATA\r\n",
    b"Subject: a message of four kilobytes\r\n\r\n" + (b"y" * 70 + b"\r\n") * 57 + b".\r\n",
)
REPLIES: Final = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"MAIL": b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n",
    b"DATA": b"354 End data with <CR><LF>.<CR><LF>\r\n",
}
ACCEPTED: Final = b"250 2.0.0 Ok\r\n"
ROUNDS, TIMES = 30, 300


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        """Start with nothing."""
        super().__init__()
        self._socket, self._other = socket.socketpair()
        self.said: list[bytes] = []

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Answer as a connection from loopback."""
        return {"peername": ("127.0.0.1", 50000), "socket": self._socket}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.said.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever buffered."""

    def get_write_buffer_size(self) -> int:
        """Nothing is."""
        return 0

    def is_closing(self) -> bool:
        """Never."""
        return False


class Sink:
    """The next hop's end of one pooled connection."""

    def __init__(self, hop: SmtpHop, watch: Watch) -> None:
        """Be greeted, and be put into the pool."""
        self._wire = Wire()
        self._connection = Connection(Client("mx.tidewaiter.test"), watch)
        self._connection.connection_made(self._wire)
        self._connection.data_received(b"220 sink\r\n")
        self._connection.client.ehlo()
        self._connection.flush()
        self.answer()
        hop.pool.adopt(self._connection)

    def answer(self) -> None:
        """Answer until nothing more is said."""
        while self._wire.said:
            said = b"".join(self._wire.said)
            self._wire.said.clear()
            self._connection.data_received(REPLIES.get(said[:4], ACCEPTED))


async def measure(folder: str) -> float:
    """Send messages in rounds; give the seconds of CPU that one took in the best."""
    log = os.open(f"{folder}/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    inside = Inside(parse(CONFIGURATION, "path.toml"), Path(folder), log)
    listening = inside.listening(inside.worker.settings.listener[0])
    sink = Sink(cast(SmtpHop, listening.routes.find("sink.example").hops[0]), listening.worker.watch)  # type: ignore[union-attr]  # it is there
    client = Wire()
    session = Session(listening)
    session.connection_made(client)
    await asyncio.sleep(0)  # it is greeted behind a look at the socket
    session.data_received(b"EHLO src.example\r\n")
    best = float("inf")
    for _ in range(ROUNDS):
        client.said.clear()
        start = time.process_time()
        for _ in range(TIMES):
            for part in DIALOGUE:
                session.data_received(part)
                sink.answer()
        best = min(best, (time.process_time() - start) / TIMES)
        if b"".join(client.said).count(b"250 2.0.0 Ok: ") != TIMES:
            raise SystemExit(client.said[-1])
        await asyncio.sleep(0)
    return best


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(f"worker, a 4 KB message without the kernel: {runner.run(measure(made)) * 1e6:6.1f} µs")
