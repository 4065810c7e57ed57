"""A network of a test's own: whatever it starts meanwhile stands in it, on any port, and has any address.

The test's thread goes into a new network namespace; threads and programs that it starts there are born into it.
Nothing goes in or out, and the kernel removes it with the last program in it.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.peers.commands import run
from tests.peers.debian import Root

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Root("network", ("iproute2",))
CLONE_NEWNET = 0x40000000  # sched.h
NONLOCAL = Path("/proc/sys/net/ipv6/ip_nonlocal_bind")  # of the network that the thread is in
C = ctypes.CDLL(None, use_errno=True)


@contextmanager
def network(*networks: str) -> Iterator[None]:
    """Go into one whose loopback interface has every address of `networks`, until the end of the block."""
    ip = ("chroot", ROOT.path(), "/usr/sbin/ip")  # unpacked while there is a network to fetch it from
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call(C.unshare, CLONE_NEWNET)
        try:
            run([*ip, "link", "set", "lo", "up"])
            for each in networks:  # every address in it is ours then (ip-route(8), `local`)
                run([*ip, "-6" if ":" in each else "-4", "route", "add", "local", each, "dev", "lo"])
            NONLOCAL.write_text("1")  # of IPv6 only those that an interface has could be bound to
            yield
        finally:
            _call(C.setns, home, CLONE_NEWNET)
    finally:
        os.close(home)


def _call(function: ctypes._NamedFuncPointer, *arguments: int) -> None:
    if function(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
