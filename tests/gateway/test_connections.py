import os
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.running import INBOUND
from tidewaiter.config import parse
from tidewaiter.gateway.mail.client_rules import rules_of
from tidewaiter.gateway.processes import connections
from tidewaiter.gateway.processes.connections import TOTAL, Connections

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
    rows = first.rows(CLIENT)
    first.enter(rows)
    assert second.enter(rows) == (2, [2])
    first.leave(rows)
    assert second.enter(rows) == (2, [2])
    assert first.total() == 2
    assert (first.own(), second.own()) == (0, 2)


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
    counts.enter(counts.rows(ip_address(one)))
    assert counts.enter(counts.rows(ip_address(other)))[1][0] == (2 if together else 1)


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ("2001:db8:1:100::2", [2, 2, 2]),
        ("2001:db8:1:1ff::2", [1, 2, 2]),
        ("2001:db8:1:200::2", [1, 1, 2]),
        ("2001:db8:2:100::2", [1, 1, 1]),
    ],
)
def test_an_ipv6_client_is_counted_in_its_64_its_56_and_its_48(view: Open, other: str, shared: list[int]) -> None:
    counts = view(0)
    counts.enter(counts.rows(ip_address("2001:db8:1:100::1")))
    assert counts.enter(counts.rows(ip_address(other)))[1] == shared


def test_the_three_sizes_of_networks_never_share_a_row(view: Open) -> None:
    """Else a /48 with as many connections as it may have could fill the row of somebody's /64."""
    counts = view(0)
    found = [counts.rows(ip_address(f"2001:db8:{number:x}::1")) for number in range(2000)]
    sizes = [set(rows) for rows in zip(*found, strict=True)]
    assert not any(one & other for one, other in combinations(sizes, 2))
    assert max(map(max, sizes)) < TOTAL


def test_what_a_dead_process_held_is_given_back_and_nothing_else(view: Open) -> None:
    dead, living = view(1), view(2)
    for client in ("192.0.2.1", "198.51.100.1", "2001:db8::1"):
        dead.enter(dead.rows(ip_address(client)))
    living.enter(living.rows(CLIENT))
    living.forget(1)
    assert living.total() == 1
    assert living.enter(living.rows(CLIENT)) == (2, [2])
    assert living.enter(living.rows(ip_address("2001:db8::1"))) == (3, [1, 1, 1])


def test_two_maps_hash_differently_or_an_attacker_could_pick_a_victims_row() -> None:
    rows = []
    for _ in range(2):
        descriptor = connections.create(1)
        with Connections(descriptor, 1, 0) as counts:
            rows.append([counts.rows(ip_address(f"192.0.{third}.1")) for third in range(8)])
        os.close(descriptor)
    assert rows[0] != rows[1]


MOVES = st.lists(st.tuples(st.integers(0, COLUMNS - 1), st.booleans(), st.integers(0, 3)), max_size=60)


@given(MOVES)
def test_the_sums_are_those_of_a_plain_list(moves: list[tuple[int, bool, int]]) -> None:
    clients: list[IPv4Address | IPv6Address] = [ip_address(f"10.{second}.0.1") for second in range(2)]
    clients += [ip_address(f"2001:db8:{second}::1") for second in range(2)]
    descriptor = connections.create(COLUMNS)
    views = [Connections(descriptor, COLUMNS, column) for column in range(COLUMNS)]
    present: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for column, enters, client in moves:
        if enters:
            rows = views[column].rows(clients[client])
            total, _ = views[column].enter(rows)
            present.setdefault((column, client), []).append(rows)
            assert total == sum(map(len, present.values()))
        elif present.get((column, client)):
            views[column].leave(present[column, client].pop())
        assert views[0].total() == sum(map(len, present.values()))
    for one in views:
        one.close()
    os.close(descriptor)


def test_a_link_local_client_is_known_by_its_address_without_the_zone() -> None:
    settings = parse(INBOUND.format(listener="", hops='"smtp://127.0.0.1:1"', route="", limits="").encode(), "x")
    descriptor = connections.create(1)
    known = Connections(descriptor, 1, 0)
    rules = rules_of("fe80::1%eth0", settings.listener[0], settings.limits, known)
    assert (rules.address, rules.row) == ("fe80::1", known.rows(ip_address("fe80::1"))[0])
    known.close()
    os.close(descriptor)
