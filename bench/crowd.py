"""How fast is mail taken from clients of many addresses, each with one message a connection, or with ten?

smtp-source has one address. Run as a process of its own, in the network where the peers are.
"""

import asyncio
import itertools
import json
import subprocess
import sys
import time
from typing import Final

import uvloop

from bench.probe import CONTENT, percentile

ADDRESSES: Final = tuple(f"{net}.{host}" for host in range(1, 101) for net in ("198.51.100", "203.0.113"))
MESSAGES: Final = 1000
PORT: Final = 25
_SECONDS: Final = 300.0


class Client(asyncio.Protocol):
    """One connection: says the next line at each reply, and notes how long each message took."""

    def __init__(self, address: str, recipient: str, messages: int, took: list[float]) -> None:
        """Be one of `ADDRESSES`, which is its name too."""
        self.gone = asyncio.get_running_loop().create_future()
        name = f"client-{address.replace('.', '-')}.example"
        message = (f"MAIL FROM:<a@{name}>\r\n".encode(), f"RCPT TO:<{recipient}>\r\n".encode(), b"DATA\r\n", CONTENT)
        self._lines = itertools.chain([f"EHLO {name}\r\n".encode()], *[message] * messages, [b"QUIT\r\n"])
        self._took, self._unread, self._since = took, b"", time.perf_counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the greeting."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Go on at the end of a reply."""
        self._unread += data
        *_, last = self._unread.splitlines() or [b""]
        if not self._unread.endswith(b"\n") or last[3:4] == b"-":
            return
        if last[:1] not in b"23":
            raise SystemExit(f"refused: {last!r}")
        self._unread = b""
        line = next(self._lines, b"")  # nothing behind the goodbye
        if last.startswith(b"250 2.0.0"):
            self._took.append(time.perf_counter() - self._since)
        if line.startswith(b"MAIL"):
            self._since = time.perf_counter()
        self._transport.write(line)  # type: ignore[attr-defined]  # a Transport

    def connection_lost(self, error: Exception | None) -> None:
        """Let the next one come."""
        self.gone.set_result(error)


async def send(server: str, recipient: str, at_once: int, each: int) -> list[float]:
    """Send all; give the time of each message."""
    took: list[float] = []
    loop, room = asyncio.get_running_loop(), asyncio.Semaphore(at_once)

    async def one(address: str) -> None:
        async with room:
            _, client = await loop.create_connection(
                lambda: Client(address, recipient, each, took), server, PORT, local_addr=(address, 0)
            )
            await client.gone

    clients = itertools.islice(itertools.cycle(ADDRESSES), MESSAGES // each)
    await asyncio.gather(*map(one, clients))
    return took


def run(inside: int, server: str, recipient: str, at_once: int, each: int) -> dict[str, float]:
    """Send all from a process of its own, in the network of process `inside`."""
    words = ["nsenter", "--target", str(inside), "--net", sys.executable, "-m", "bench.crowd"]
    words += [server, recipient, str(at_once), str(each)]
    done = subprocess.run(words, check=True, capture_output=True, timeout=_SECONDS)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(server: str, recipient: str, at_once: str, each: str) -> None:
    """Print how long it took in all, and one message."""
    begin = time.perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        took = runner.run(send(server, recipient, int(at_once), int(each)))
    if len(took) != MESSAGES:
        raise SystemExit(f"{len(took)} of {MESSAGES} were taken")
    json.dump({"seconds": time.perf_counter() - begin, "median": percentile(took, 0.5)}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
