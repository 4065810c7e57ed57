"""The lenient receiver, run as a process of its own: aiosmtpd, which keeps each message byte for byte in a Maildir.

`python -m tidewaiter.demo.receiver FOLDER CERTIFICATE LIMIT` writes its port on standard output, then an empty line for
each connection that has ended: by then it has kept all that it will keep of it.
It leaves when its standard input is closed, so that it cannot outlive whoever started it.

A file holds `Return-Path` and one `Delivered-To` for each recipient, as Maildirs do, then the content as aiosmtpd gave
it: line ends are not repaired, for they are what is judged.
"""

import asyncio
import itertools
import os
import ssl
import sys
from pathlib import Path
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope

HOST: Final = "127.0.0.1"


class Keeper:
    """aiosmtpd's handler: one file a message, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        """Keep one message before it is answered; the name and the arguments are aiosmtpd's."""
        name = f"{next(self._numbers):06}.{os.getpid()}.receiver.test"
        head = "".join(f"{field}: <{path}>\r\n" for field, path in _envelope(envelope))
        assert isinstance(envelope.content, bytes)
        (self._folder / "tmp" / name).write_bytes(head.encode() + envelope.content)
        (self._folder / "tmp" / name).rename(self._folder / "new" / name)
        return "250 OK"


class Line(SMTP):
    """aiosmtpd's own connection, which also says when it has ended."""

    line_length_limit = 65_536
    """aiosmtpd's own setting: with its default, 1001, the vectors with long lines would end here."""

    def connection_lost(self, error: Exception | None) -> None:
        """Say so."""
        super().connection_lost(error)
        print(flush=True)  # noqa: T201 - to the process that started this one


def _envelope(envelope: Envelope) -> list[tuple[str, str]]:
    return [("Return-Path", str(envelope.mail_from)), *(("Delivered-To", path) for path in envelope.rcpt_tos)]


async def serve(folder: Path, certificate: Path, limit: int) -> None:
    """Listen on a port of the kernel's choice until standard input is closed."""
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    keeper = Keeper(folder)
    server = await loop.create_server(
        lambda: Line(
            keeper, hostname="receiver.test", tls_context=context, enable_SMTPUTF8=True, data_size_limit=limit
        ),
        HOST,
        0,
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - to the process that started this one
    await loop.run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
