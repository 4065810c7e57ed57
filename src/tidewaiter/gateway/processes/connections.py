"""How many connections a client network has, over all workers, without asking anyone.

A map in shared memory has rows into which networks are hashed, and one more for the total; each
living process has a column of its own and writes nowhere else, so there is no lock and no lost
update, and what a killed worker held is given back by zeroing its column. Two networks in one row
share a limit. The hash has a secret key: else an attacker could pick a network that falls into the
row of the victim to be shut out.

An IPv6 client is counted three times, for who has one /64 mostly has 256 or 65,536 of them: in its
/64, its /56 and its /48. The three sizes have rows of their own, or a /48 could fill the row of a /64.
"""

import mmap
import os
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Self

NETWORKS: Final = 65_536
"""Rows for /24 and /64: what one customer usually holds."""
WIDER: Final = 16_384
"""Rows for /56, and as many for /48: 15,000 connections fill no more than 75 of them."""
TOTAL: Final = NETWORKS + 2 * WIDER
"""The row of all clients together."""
_ROWS: Final = TOTAL + 1
_KEY_BYTES = 32
_COUNT_BYTES = 4
_PREFIX_BYTES_4: Final = 3
_PREFIXES_6: Final = ((8, 0, NETWORKS), (7, NETWORKS, WIDER), (6, NETWORKS + WIDER, WIDER))
"""Octets of the prefix, the first of its rows, and how many there are."""


def size(columns: int) -> int:
    """Bytes of the map for so many processes."""
    return _KEY_BYTES + _ROWS * columns * _COUNT_BYTES


def create(columns: int) -> int:
    """Return the descriptor of a new map, with a new key, for the supervisor to hand over."""
    descriptor = os.memfd_create("tidewaiter-connections")
    os.ftruncate(descriptor, size(columns))
    os.pwrite(descriptor, os.urandom(_KEY_BYTES), 0)
    return descriptor


class Connections:
    """One process's view of the map."""

    def __init__(self, descriptor: int, columns: int, column: int) -> None:
        """Map it; the column is the one that `enter` and `leave` write."""
        self._map = mmap.mmap(descriptor, size(columns))
        self._key = self._map[:_KEY_BYTES]
        self._counts = memoryview(self._map)[_KEY_BYTES:].cast("I")
        self._columns = columns
        self._column = column

    def rows(self, client: IPv4Address | IPv6Address) -> tuple[int, ...]:
        """Find the rows in which the connections of this client's networks are counted, the smallest network first."""
        if isinstance(client, IPv6Address) and client.ipv4_mapped is not None:
            client = client.ipv4_mapped
        packed = client.packed
        if isinstance(client, IPv4Address):
            return (self._row(packed[:_PREFIX_BYTES_4], NETWORKS),)
        return tuple([first + self._row(packed[:octets], count) for octets, first, count in _PREFIXES_6])

    def enter(self, rows: tuple[int, ...]) -> tuple[int, list[int]]:
        """Count a connection, then say how many there are: of all clients, and of each of these networks.

        Counted first and asked second: of two workers at once, at least one sees them both.
        """
        self._add(rows, 1)
        return self._sum(TOTAL), [self._sum(row) for row in rows]

    def leave(self, rows: tuple[int, ...]) -> None:
        """Give back what `enter` counted; every `enter` needs one, refused connections too."""
        self._add(rows, -1)

    def total(self) -> int:
        """Return the connections of all processes."""
        return self._sum(TOTAL)

    def own(self) -> int:
        """Return the connections of this process."""
        return self._counts[TOTAL * self._columns + self._column]

    def forget(self, column: int) -> None:
        """Zero the column of a process that is dead."""
        self._counts[column :: self._columns] = memoryview(bytes(_COUNT_BYTES * _ROWS)).cast("I")

    def close(self) -> None:
        """Unmap."""
        self._counts.release()
        self._map.close()

    def __enter__(self) -> Self:
        """Return the map itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Unmap."""
        self.close()

    def _row(self, network: bytes, count: int) -> int:
        digest = blake2b(network, key=self._key, digest_size=2).digest()
        return (digest[0] << 8 | digest[1]) % count

    def _add(self, rows: tuple[int, ...], change: int) -> None:
        for row in rows:
            self._counts[row * self._columns + self._column] += change
        self._counts[TOTAL * self._columns + self._column] += change

    def _sum(self, row: int) -> int:
        return sum(self._counts[row * self._columns : (row + 1) * self._columns])
