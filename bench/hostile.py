"""Fifty clients who mean harm: one process that sends what is dear to read and cheap to say, until it is killed."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final, cast

CLIENTS: Final = 50
HELLO: Final = b"EHLO evil.example\r\n"
ENVELOPE: Final = b"MAIL FROM:<e@evil.example>\r\nRCPT TO:<b@sink.example>\r\n"
_PAUSE: Final = 0.001


async def _open(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HELLO)
    return reader, writer


async def _content(port: int, block: bytes) -> None:
    """DATA that never ends, and is one odd byte after another."""
    reader, writer = await _open(port)
    with suppress(ConnectionError):
        writer.write(ENVELOPE + b"DATA\r\n")
        await reader.readuntil(b"354")
        for _ in range(200):
            writer.write(block)
            await writer.drain()
        writer.write(b"\r\n.\r\n")
        await reader.readline()
    writer.close()


async def _one_byte(port: int) -> None:
    """A message in segments of one byte."""
    reader, writer = await _open(port)
    with suppress(ConnectionError):
        writer.write(ENVELOPE + b"DATA\r\n")
        await reader.readuntil(b"354")
        for _ in range(2000):
            writer.write(b"x")
            await asyncio.sleep(_PAUSE)
        writer.write(b"\r\n.\r\n")
        await reader.readline()
    writer.close()


async def _flood(port: int) -> None:
    """Commands, and no reply is ever read."""
    _, writer = await _open(port)
    cast(asyncio.Transport, writer.transport).pause_reading()
    with suppress(ConnectionError):
        for _ in range(100):
            writer.write(b"NOOP\r\nRSET\r\n" * 5000)
            await writer.drain()
    writer.transport.abort()


ACTS: Final = {
    "all LF": lambda port: _content(port, b"\n" * 65536),
    "all dots": lambda port: _content(port, b"\r\n." * 21845),
    "LF dot LF": lambda port: _content(port, b"\n.\n" * 21845),
    "one byte": _one_byte,
    "flood": _flood,
}


async def attack(port: int) -> None:
    """All of them, again and again."""

    async def client(number: int) -> None:
        act = list(ACTS.values())[number % len(ACTS)]
        while True:
            with suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
                await asyncio.wait_for(act(port), 30)
            await asyncio.sleep(0.01)

    await asyncio.gather(*map(client, range(CLIENTS)))


@contextmanager
def attacking(port: int) -> Iterator[None]:
    """Have them at it for as long as the block lasts."""
    with subprocess.Popen([sys.executable, "-m", "bench.hostile", str(port)]) as process:
        try:
            yield
        finally:
            process.kill()


if __name__ == "__main__":
    asyncio.run(attack(int(sys.argv[1])))
