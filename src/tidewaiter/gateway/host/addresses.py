"""Which addresses are this machine's own, and for which addresses do names stand here?

A resolver may fail or keep silent: names are looked up by processes apart, which are ended when their time is over.
What could not be looked up stands for no address.
"""

import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

RESOLVE_SECONDS: Final = 3.0
"""For all names together: a start and a reload wait for it."""
LOOK_UP: Final = "import socket, sys; print(*{one[4][0] for one in socket.getaddrinfo(sys.argv[1], 0)})"

_NOBODY: Final = {4: "240.0.0.1", 6: "100::1"}
"""Addresses that no machine has: RFC 1112 §4 reserves the first, RFC 6666 discards what goes to the second."""


def is_ours(address: Address) -> bool:
    """Whether what is sent to the address comes back to this machine.

    A socket can be bound to such an address only, unless `ip_nonlocal_bind` lets it be bound to any;
    then it counts whether we would speak to the address from that very address.
    """
    if not _binds(str(address), address.version):
        return False
    return not _binds(_NOBODY[address.version], address.version) or _speaks_from(address)


def _binds(address: str, version: int) -> bool:
    with _datagrams(version) as one:
        try:
            one.bind((address, 0))
        except OSError:
            return False
    return True


def _speaks_from(address: Address) -> bool:
    with _datagrams(address.version) as one:
        try:
            one.connect((str(address), 9))  # sends nothing
        except OSError:
            return False
        return bool(one.getsockname()[0] == str(address))


def _datagrams(version: int) -> socket.socket:
    return socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)


def look_up(names: Iterable[str], seconds: float = RESOLVE_SECONDS, program: str = LOOK_UP) -> dict[str, list[Address]]:
    """The addresses of each name, as far as they were found in time."""
    deadline = time.monotonic() + seconds
    asked = {name: _ask(name, program) for name in set(names)}
    return {name: _answer(process, deadline) if process else [] for name, process in asked.items()}


def _ask(name: str, program: str) -> "subprocess.Popen[str] | None":
    command = [sys.executable, "-I", "-c", program, name]
    nothing = subprocess.DEVNULL
    try:
        return subprocess.Popen(command, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, text=True)  # noqa: S603 - ours
    except OSError:  # the user for whom we ask may not start this very Python
        return None


def _answer(process: "subprocess.Popen[str]", deadline: float) -> list[Address]:
    with process:
        try:
            said, _ = process.communicate(timeout=max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            process.kill()
            return []
    found = []
    for word in said.split():
        with suppress(ValueError):  # fe80::1%eth0 has a zone, and no listener has
            found.append(ip_address(word))
    return found
