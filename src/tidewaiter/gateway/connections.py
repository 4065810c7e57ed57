"""How many connections a client network has, over all workers, without asking anyone.

A map in shared memory has 65,536 rows, into which networks are hashed, and one more for the total;
each living process has a column of its own and writes nowhere else, so there is no lock and no
lost update, and what a killed worker held is given back by zeroing its column. Two networks in
one row share a limit. The hash has a secret key: else an attacker could pick a network that falls
into the row of the victim to be shut out.
"""

import mmap
import os
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address
from typing import Self

ROWS = 65_536
_KEY_BYTES = 32
_COUNT_BYTES = 4
_PREFIX_BYTES_4, _PREFIX_BYTES_6 = 3, 8  # a /24 and a /64: what one customer usually holds


def size(columns: int) -> int:
    """Bytes of the map for so many processes."""
    return _KEY_BYTES + (ROWS + 1) * columns * _COUNT_BYTES


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

    def row(self, client: IPv4Address | IPv6Address) -> int:
        """Find the row in which the connections of this client's network are counted."""
        if isinstance(client, IPv6Address):
            mapped = client.ipv4_mapped
            network = client.packed[:_PREFIX_BYTES_6] if mapped is None else mapped.packed[:_PREFIX_BYTES_4]
        else:
            network = client.packed[:_PREFIX_BYTES_4]
        digest = blake2b(network, key=self._key, digest_size=2).digest()
        return digest[0] << 8 | digest[1]

    def enter(self, row: int) -> tuple[int, int]:
        """Count a connection, then say how many there are: of all clients, and of this row's network.

        Counted first and asked second: of two workers at once, at least one sees them both.
        """
        self._add(row, 1)
        self._add(ROWS, 1)
        return self._sum(ROWS), self._sum(row)

    def leave(self, row: int) -> None:
        """Give back what `enter` counted; every `enter` needs one, refused connections too."""
        self._add(row, -1)
        self._add(ROWS, -1)

    def total(self) -> int:
        """Return the connections of all processes."""
        return self._sum(ROWS)

    def forget(self, column: int) -> None:
        """Zero the column of a process that is dead."""
        self._counts[column :: self._columns] = memoryview(bytes(4 * (ROWS + 1))).cast("I")

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

    def _add(self, row: int, change: int) -> None:
        self._counts[row * self._columns + self._column] += change

    def _sum(self, row: int) -> int:
        return sum(self._counts[row * self._columns : (row + 1) * self._columns])
