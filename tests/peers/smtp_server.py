"""How Nodemailer's smtp-server is booted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.instances import instance
from tests.peers.node import PROGRAMS, modules, node
from tests.peers.peer import Box, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "3.21.6"


def prepare() -> Path:
    """Give the folder whose `node_modules` holds it."""
    return modules(f"smtp-server-{VERSION}", "smtp-server", VERSION)


@contextmanager
def receiver() -> Iterator[Peer]:
    """Boot one that keeps each message byte for byte, up to 200,000 octets."""
    name, port = f"smtp-server-{VERSION}", free_port()
    with instance(name) as place:
        box = place.make("box")
        program = PROGRAMS / "smtp_server.js"
        command = [node(), program, prepare() / "node_modules", str(port), box]
        with running(place, command, [port]) as process:
            yield Peer(name, VERSION, port, process, Box(box))
