"""How Python's own smtpd is booted: it is in the standard library up to 3.11, so the Python that tests may have it."""

from __future__ import annotations

import platform
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.instances import instance
from tests.peers.node import PROGRAMS
from tests.peers.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "smtpd-3.11"
VERSION = platform.python_version()


def why_not() -> str:
    """Say what it lacks here."""
    return "" if find_spec("smtpd") and find_spec("asyncore") else f"has been gone since 3.12; this is {VERSION}"


@contextmanager
def discarding(*, size_limit: int) -> Iterator[Peer]:
    """Boot one that keeps nothing, for learning."""
    port = free_port()
    with instance(NAME) as place:
        program = PROGRAMS / "smtpd_discarding.py"
        command = [sys.executable, "-W", "ignore", program, str(port), str(size_limit)]
        with running(place, command, [port]) as process:
            yield Peer(NAME, VERSION, port, process, None)
