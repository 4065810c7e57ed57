"""Has the program at the other end of a connection read what was written to it?

The kernel knows: `ss` asks it for both ends of a connection on this machine, by sock_diag(7), and so do we.
What was sent here has come there, and nothing of it lies in the receive queue there: so it was read, and what is
written now comes in a read of its own.
An acknowledgement would say less (it comes before the program has read anything) and 40 ms later.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from typing import Final

from tests.peers.cache import PeerError

TICK: Final = 0.0002
DIAGNOSIS: Final = 4
"""NETLINK_SOCK_DIAG."""
BY_FAMILY: Final = 20
"""SOCK_DIAG_BY_FAMILY."""
REQUEST: Final = struct.Struct("=IHHII BBBBI")
"""nlmsghdr, then inet_diag_req_v2 as far as the socket's addresses."""
ADDRESSES: Final = struct.Struct("!HH4s12x4s12x")
ANY_DEVICE_ANY_COOKIE: Final = bytes(4) + b"\xff" * 8
ATTRIBUTES: Final = 16 + 72
"""Where they begin, behind nlmsghdr and inet_diag_msg."""
INFORMATION: Final = 2
"""INET_DIAG_INFO: a struct tcp_info."""
OPEN: Final = frozenset((1, 4, 5, 7, 8, 9, 11, 12))
"""The states of a socket that still has a program, or will have one: not in TIME_WAIT, closed or listening."""


def wait_until_read(connection: socket.socket, within: float) -> None:
    """Return when all that was written has been read, or nobody is left who could read it."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, DIAGNOSIS) as kernel:
        deadline = time.monotonic() + within
        while not _is_read(connection, kernel):
            if time.monotonic() > deadline:
                raise PeerError("what was written is not read")
            time.sleep(TICK)


def _is_read(connection: socket.socket, kernel: socket.socket) -> bool:
    try:
        other = _ask(kernel, connection.getpeername(), connection.getsockname())
    except OSError as error:
        if error.errno != errno.ENOTCONN:
            raise
        return True
    if other is None:
        return True
    unread, received = other
    ours = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 216)
    (waiting,), (sent, again) = struct.unpack_from("=I", ours, 144), struct.unpack_from("=QQ", ours, 200)
    return not waiting and received == sent - again and not unread


def _ask(kernel: socket.socket, local: tuple[str, int], remote: tuple[str, int]) -> tuple[int, int] | None:
    """Give what lies unread at the socket with these addresses, and how much it ever received; None if it is gone."""
    addresses = ADDRESSES.pack(local[1], remote[1], *(socket.inet_aton(host) for host, _ in (local, remote)))
    body = addresses + ANY_DEVICE_ANY_COOKIE
    head = (REQUEST.size + len(body), BY_FAMILY, 1, 1, 0)
    kernel.send(REQUEST.pack(*head, socket.AF_INET, socket.IPPROTO_TCP, 1 << (INFORMATION - 1), 0, 0xFFFFFFFF) + body)
    answer = kernel.recv(65536)
    (kind,) = struct.unpack_from("=H", answer, 4)
    if kind != BY_FAMILY or answer[17] not in OPEN:
        return None
    (unread,) = struct.unpack_from("=I", answer, 16 + 4 + 48 + 4)
    return unread, _received(answer)


def _received(answer: bytes) -> int:
    at = ATTRIBUTES
    while at < len(answer):
        length, kind = struct.unpack_from("=HH", answer, at)
        if kind == INFORMATION:
            (received,) = struct.unpack_from("=Q", answer, at + 4 + 128)
            return int(received)
        at += (length + 3) & ~3
    return -1  # it has not begun
