from collections.abc import Iterable
from ipaddress import ip_address

import pytest

from tests.config.test_meaning import with_hop
from tidewaiter.config import parse
from tidewaiter.gateway.host import mail_loop
from tidewaiter.gateway.host.addresses import Address
from tidewaiter.gateway.host.mail_loop import hops_to_ourselves

NAMES = {"home.test": ["127.0.0.1"], "both.test": ["240.0.0.2", "::1"], "away.test": ["240.0.0.2"], "unknown.test": []}


def complaints(hop: str, listening: str) -> list[object]:
    def look_up(names: Iterable[str]) -> dict[str, list[Address]]:
        return {name: [ip_address(address) for address in NAMES[name]] for name in names}

    return [path for path, _ in hops_to_ourselves(parse(with_hop(hop, listening), "tw.toml"), look_up)]


def test_an_address_of_ours_is_ourselves_where_a_listener_takes_all_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "192.0.2.7"
    assert complaints(f"smtp://{address}:28000", "0.0.0.0:28000") == []
    # As `test_addresses` holds it of real ones: not every machine has one that is not loopback.
    monkeypatch.setattr(mail_loop, "is_ours", lambda asked: str(asked) == address)
    assert complaints(f"smtp://{address}:28000", "0.0.0.0:28000") == [("route", 0, "next_hop", 0)]
    assert complaints(f"smtp://[::ffff:{address}]:28000", "0.0.0.0:28000") == [("route", 0, "next_hop", 0)]
    assert complaints(f"smtp://{address}:28001", "0.0.0.0:28000") == []
    assert complaints(f"smtp://{address}:28000", "127.0.0.1:28000") == []
    assert complaints(f"smtp://{address}:28000", "[::]:28000") == [], "which takes IPv6 only"


@pytest.mark.parametrize(
    ("hop", "listening"),
    [
        ("smtp://home.test:28000", "0.0.0.0:28000"),
        ("smtp://home.test:28000", "127.0.0.1:28000"),
        ("lmtp://both.test:28000", "[::]:28000"),
    ],
)
def test_a_name_that_stands_for_an_address_of_ours_is_ourselves(hop: str, listening: str) -> None:
    assert complaints(hop, listening) == [("route", 0, "next_hop", 0)]


@pytest.mark.parametrize(
    ("hop", "listening"),
    [
        ("smtp://away.test:28000", "0.0.0.0:28000"),
        ("smtp://unknown.test:28000", "0.0.0.0:28000"),
        ("smtp://home.test:28000", "[::]:28000"),
        ("smtp://240.0.0.2:28000", "0.0.0.0:28000"),
        ("smtp://not-asked-for.test:28001", "0.0.0.0:28000"),
    ],
)
def test_another_host_is_not_ourselves(hop: str, listening: str) -> None:
    assert complaints(hop, listening) == []
