"""Ten thousand clients that sent one message each, and now say nothing: are they held, and what do they cost?"""

import asyncio
import resource
import ssl
from collections.abc import Callable
from typing import Final

CONNECTIONS: Final = 10_000
_AT_ONCE: Final = 100
_DIALOGUE: Final = (
    b"EHLO src.example\r\n",
    b"MAIL FROM:<i@src.example>\r\n",
    b"RCPT TO:<b@sink.example>\r\n",
    b"DATA\r\n",
    b"Subject: idle\r\n\r\nx\r\n.\r\n",
)


async def _hold(port: int, turn: asyncio.Semaphore, context: ssl.SSLContext | None) -> asyncio.StreamWriter | None:
    """Open one, send its message, and leave it open; None where it was refused."""
    async with turn:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            for part in (b"", *_DIALOGUE):
                writer.write(part)
                while (line := await reader.readline())[3:4] == b"-":
                    pass
                if line[:1] not in (b"2", b"3"):
                    return None
        except OSError:
            return None
        return writer


async def held(port: int, memory: Callable[[], int], context: ssl.SSLContext | None = None) -> tuple[int, float]:
    """Give how many were held, and the bytes of `memory` that each cost."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = memory()
    turn = asyncio.Semaphore(_AT_ONCE)
    opened = await asyncio.gather(*(_hold(port, turn, context) for _ in range(CONNECTIONS)))
    kept = [writer for writer in opened if writer is not None]
    after = memory()
    for writer in kept:
        writer.transport.abort()
    return len(kept), (after - before) / max(len(kept), 1)
