"""Run inside an aiosmtpd environment: keep each message as a file, byte for byte as aiosmtpd hands it over."""

import itertools
import os
import sys
import threading
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Proxy, Sink
from aiosmtpd.smtp import Envelope

SIZE_LIMIT = 200_000


class Folder:
    """Writes the content of each message to FOLDER/NUMBER, whole or not at all."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.numbers = itertools.count()

    async def handle_DATA(self, _server: object, _session: object, envelope: Envelope) -> str:  # noqa: N802
        """Keep one message; the name and the arguments are aiosmtpd's."""
        number = f"{os.getpid()}-{next(self.numbers):06}"  # a killed one starts again
        unfinished = self.folder.parent / f".{number}"
        assert isinstance(envelope.content, bytes)
        unfinished.write_bytes(envelope.content)
        unfinished.rename(self.folder / number)
        return "250 OK"


def handler(kind: str, argument: str) -> object:
    """Give what becomes of messages."""
    if kind == "proxy":
        return Proxy("127.0.0.1", int(argument))
    return Folder(argument) if kind == "folder" else Sink()


def main(port: str, kind: str, argument: str) -> None:
    """Serve until the process is ended; a proxy takes what its next hop takes."""
    limit = None if kind == "proxy" else SIZE_LIMIT
    server: Any = Controller(  # untyped in some versions
        handler(kind, argument), hostname="127.0.0.1", port=int(port), data_size_limit=limit
    )
    server.start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
