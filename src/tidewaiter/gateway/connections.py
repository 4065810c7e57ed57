"""How many connections a client network has, over all workers, without asking anyone.

A map in shared memory has 65,536 rows, into which networks are hashed, and one more for the total;
each living process has a column of its own and writes nowhere else, so there is no lock and no
lost update, and what a killed worker held is given back by zeroing its column. Two networks in
one row share a limit. The hash has a secret key: else an attacker could pick a network that falls
into the row of the victim to be shut out.
"""

import mmap
import os
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple, Self

ROWS = 65_536
_KEY_BYTES = 32
_COUNT_BYTES = 4
_ADDRESSES = 1024
"""Clients whose row is remembered."""
_PREFIX_BYTES_4, _PREFIX_BYTES_6 = 3, 8  # a /24 and a /64: what one customer usually holds


class Connected(NamedTuple):
    """Connections at one moment, the one just counted among them."""

    total: int
    network: int
    row: int
    """Where it was counted, for `leave`."""


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
        self._row = lru_cache(maxsize=_ADDRESSES)(self._row_of)
        """A client comes again and again, and its hash takes longer than all else that is done here."""

    def enter(self, client: IPv4Address | IPv6Address) -> Connected:
        """Count a connection, then say how many there are.

        Counted first and asked second: of two workers at once, at least one sees them both.
        """
        row = self._row(client)
        self._add(row, 1)
        self._add(ROWS, 1)
        return Connected(self._sum(ROWS), self._sum(row), row)

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

    def _row_of(self, client: IPv4Address | IPv6Address) -> int:
        if isinstance(client, IPv6Address):
            mapped = client.ipv4_mapped
            network = client.packed[:_PREFIX_BYTES_6] if mapped is None else mapped.packed[:_PREFIX_BYTES_4]
        else:
            network = client.packed[:_PREFIX_BYTES_4]
        digest = blake2b(network, key=self._key, digest_size=2).digest()
        return digest[0] << 8 | digest[1]

    def _add(self, row: int, change: int) -> None:
        self._counts[row * self._columns + self._column] += change

    def _sum(self, row: int) -> int:
        return sum(self._counts[row * self._columns : (row + 1) * self._columns])
