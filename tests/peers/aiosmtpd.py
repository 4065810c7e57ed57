"""How aiosmtpd is booted: 1.4.4, the lenient receiver, and 1.4.6, its repaired successor."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.instances import instance
from tests.peers.node import PROGRAMS
from tests.peers.peer import Box, Peer
from tests.peers.pypi import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = PROGRAMS / "aiosmtpd_folder.py"


def prepare(version: str) -> Path:
    """Give the environment that holds `version`."""
    return environment(f"aiosmtpd-{version}", f"aiosmtpd=={version}")


@contextmanager
def receiver(version: str) -> Iterator[Peer]:
    """Boot one that keeps each message byte for byte, up to 200,000 octets."""
    with _boot(version, "folder", None) as peer:
        yield peer


@contextmanager
def discarding(version: str) -> Iterator[Peer]:
    """Boot one with its own `Sink` handler, which keeps nothing: for learning and load."""
    with _boot(version, "sink", None) as peer:
        yield peer


@contextmanager
def proxy(version: str, next_hop: int) -> Iterator[Peer]:
    """Boot one with its own `Proxy` handler, which says 250 whatever the next hop said."""
    with _boot(version, "proxy", next_hop) as peer:
        yield peer


@contextmanager
def _boot(version: str, kind: str, next_hop: int | None) -> Iterator[Peer]:
    name, port = f"aiosmtpd-{version}", free_port()
    with instance(name) as place:
        box = place.make("box")
        argument = str(box if next_hop is None else next_hop)
        command = [prepare(version) / "bin" / "python", PROGRAM, str(port), kind, argument]
        with running(place, command, [port]) as program:
            kept = Box(box) if kind == "folder" else None
            yield Peer(name, version, port, program, kept)
