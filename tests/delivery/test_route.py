"""The most exact name wins, wherever it stands, and what none names is not relayed (promise 10)."""

from dataclasses import dataclass

import pytest

from tidewaiter.delivery.route import RouteTable


@dataclass(frozen=True)
class Route:
    domains: tuple[str, ...]


EXACT, BELOW, DEEPER, ANY = (
    Route(("inside.test", "xn--bcher-kva.test")),
    Route(("*.inside.test",)),
    Route(("*.deep.inside.test",)),
    Route(("*",)),
)
FOUND = {
    "inside.test": EXACT,
    "INSIDE.test": EXACT,
    "bücher.test": EXACT,
    "a.inside.test": BELOW,
    "a.b.inside.test": BELOW,
    "a.deep.inside.test": DEEPER,
    "deep.inside.test": BELOW,
    "notinside.test": ANY,
    "test": ANY,
    "[127.0.0.1]": ANY,
}


@pytest.mark.parametrize("domain", FOUND)
def test_the_most_exact_name_wins(domain: str) -> None:
    assert RouteTable([ANY, BELOW, DEEPER, EXACT]).find(domain) is FOUND[domain]


@pytest.mark.parametrize("domain", ["outside.test", "inside.test.evil.test", "[127.0.0.1]", "xinside.test", "a..test"])
def test_what_no_route_names_is_not_ours(domain: str) -> None:
    assert RouteTable([EXACT, BELOW]).find(domain) is None


def test_postmaster_without_a_domain_is_reached_by_the_first_route() -> None:
    assert RouteTable([EXACT, BELOW]).find("") is EXACT
    assert RouteTable[Route]([]).find("") is None
