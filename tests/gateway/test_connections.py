import os
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.gateway import connections
from tidewaiter.gateway.connections import Connections

COLUMNS = 5
CLIENT = ip_address("192.0.2.1")

Open = Callable[[int], Connections]


@pytest.fixture
def view() -> Iterator[Open]:
    descriptor = connections.create(COLUMNS)
    opened: list[Connections] = []

    def open_column(column: int) -> Connections:
        opened.append(Connections(descriptor, COLUMNS, column))
        return opened[-1]

    yield open_column
    for one in opened:
        one.close()
    os.close(descriptor)


def test_a_limit_reads_the_sum_over_all_processes(view: Open) -> None:
    first, second = view(0), view(4)
    row = first.row(CLIENT)
    first.enter(row)
    assert second.enter(row) == (2, 2)
    first.leave(row)
    assert second.enter(row) == (2, 2)
    assert first.total() == 2


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.3.1", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.9", True),
        ("::ffff:192.0.2.1", "::ffff:198.51.100.1", False),
    ],
)
def test_clients_of_one_network_share_a_count(view: Open, one: str, other: str, together: bool) -> None:
    counts = view(0)
    counts.enter(counts.row(ip_address(one)))
    assert counts.enter(counts.row(ip_address(other)))[1] == (2 if together else 1)


def test_what_a_dead_process_held_is_given_back_and_nothing_else(view: Open) -> None:
    dead, living = view(1), view(2)
    for client in ("192.0.2.1", "198.51.100.1", "2001:db8::1"):
        dead.enter(dead.row(ip_address(client)))
    living.enter(living.row(CLIENT))
    living.forget(1)
    assert living.total() == 1
    assert living.enter(living.row(CLIENT)) == (2, 2)
    assert living.enter(living.row(ip_address("2001:db8::1"))) == (3, 1)


def test_two_maps_hash_differently_or_an_attacker_could_pick_a_victims_row() -> None:
    rows = []
    for _ in range(2):
        descriptor = connections.create(1)
        with Connections(descriptor, 1, 0) as counts:
            rows.append([counts.row(ip_address(f"192.0.{third}.1")) for third in range(8)])
        os.close(descriptor)
    assert rows[0] != rows[1]


MOVES = st.lists(st.tuples(st.integers(0, COLUMNS - 1), st.booleans(), st.integers(0, 3)), max_size=60)


@given(MOVES)
def test_the_sums_are_those_of_a_plain_list(moves: list[tuple[int, bool, int]]) -> None:
    clients: list[IPv4Address | IPv6Address] = [ip_address(f"10.{second}.0.1") for second in range(4)]
    descriptor = connections.create(COLUMNS)
    views = [Connections(descriptor, COLUMNS, column) for column in range(COLUMNS)]
    present: dict[tuple[int, int], list[int]] = {}
    for column, enters, client in moves:
        if enters:
            row = views[column].row(clients[client])
            total, _ = views[column].enter(row)
            present.setdefault((column, client), []).append(row)
            assert total == sum(map(len, present.values()))
        elif present.get((column, client)):
            views[column].leave(present[column, client].pop())
        assert views[0].total() == sum(map(len, present.values()))
    for one in views:
        one.close()
    os.close(descriptor)
