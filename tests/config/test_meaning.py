"""What a configuration may not mean, on its line: an open relay and a loop to ourselves before all (promise 10)."""

import pytest

from tests.config.test_parsing import ISSUE, mistakes
from tidewaiter.config import parse
from tidewaiter.config.meaning import RULES, reaches
from tidewaiter.config.values import read_endpoint

OUTBOUND = b"""
[[listener]]
address = "192.0.2.1:587"
role = "outbound"
networks = ["192.0.2.0/24"]
"""
ANY = b"""
[[route]]
domains = ["*"]
next_hop = "smtp://smarthost.example"
"""
TLS = b'tls = "starttls"\ncertificate = "c.pem"\nkey = "k.pem"\n'


def with_hop(hop: str, address: str = "127.0.0.1:2525") -> bytes:
    return ISSUE.replace(b"smtp://127.0.0.1:2526", hop.encode()).replace(b"127.0.0.1:2525", address.encode())


def in_listener(text: bytes) -> bytes:
    return ISSUE.replace(b"\n[[route]]", text + b"\n[[route]]")


def test_an_outbound_listener_may_send_anywhere_by_a_route_of_its_own() -> None:
    parse(ISSUE + OUTBOUND + ANY + b'roles = ["outbound"]\n', "tw.toml")
    parse(
        OUTBOUND.join(ISSUE.split(b'\n[[listener]]\naddress = "127.0.0.1:2525"\nrole = "inbound"\n')) + ANY, "tw.toml"
    )


def test_an_outbound_listener_may_relay_for_large_networks() -> None:
    large = b'"10.0.0.0/8", "11.0.0.0/8", "0.0.0.0/1", "128.0.0.0/2", "2001:db8::/32", "fc00::/7"'
    assert mistakes(ISSUE + OUTBOUND.replace(b'"192.0.2.0/24"', large)) == []


BAD = {
    "open relay": (ISSUE + ANY, "tw.toml:15: route[1].domains[0]: makes inbound listeners an open relay"),
    "open relay, with an outbound listener": (ISSUE + OUTBOUND + ANY, "route[1].domains[0]: makes inbound"),
    "nobody may relay": (
        ISSUE + OUTBOUND.replace(b'["192.0.2.0/24"]', b"[]"),
        "listener[1].networks: an outbound listener must name who may relay",
    ),
    "networks inbound": (
        in_listener(b'networks = "192.0.2.0/24"\n'),
        "tw.toml:9: listener[0].networks: only an outbound listener has them",
    ),
    "everyone relays": (ISSUE + OUTBOUND.replace(b"192.0.2.0/24", b"0.0.0.0/0"), "listener[1].networks[0]: lets every"),
    "everyone relays, by IPv6": (ISSUE + OUTBOUND.replace(b"192.0.2.0/24", b"::/0"), "networks[0]: lets everyone"),
    "everyone relays, by halves": (
        ISSUE + OUTBOUND.replace(b'"192.0.2.0/24"', b'"0.0.0.0/1", "192.0.2.0/24", "128.0.0.0/1"'),
        "tw.toml:17: listener[1].networks: together let everyone relay",
    ),
    "everyone relays, by halves of IPv6": (
        ISSUE + OUTBOUND.replace(b'"192.0.2.0/24"', b'"2000::/4", "3000::/4"'),
        "listener[1].networks: together let everyone relay",
    ),
    "everyone relays, by all that is routed": (
        ISSUE + OUTBOUND.replace(b"192.0.2.0/24", b"2000::/3"),
        "listener[1].networks[0]: lets everyone relay",
    ),
    "ourselves": (with_hop("smtp://127.0.0.1:2525"), "tw.toml:12: route[0].next_hop[0]: is one of our own listeners"),
    "ourselves, by our name": (
        with_hop("smtp://MX.tidewaiter.test:2525", "0.0.0.0:2525"),
        "tw.toml:12: route[0].next_hop[0]: is one of our own listeners",
    ),
    "no key": (in_listener(b'tls = "implicit"\n'), "tw.toml:6: listener[0].certificate: is missing for tls"),
    "a key for nothing": (in_listener(b'key = "k.pem"\n'), "tw.toml:9: listener[0].key: has no use while tls is off"),
    "an authority for nothing": (ISSUE + b'ca = "ca.pem"\n', "tw.toml:13: route[0].ca: has no use unless tls"),
    "an address twice": (
        ISSUE + b'[[listener]]\naddress = "127.0.0.1:2525"\nrole = "inbound"\n',
        "tw.toml:14: listener[1].address: is the address of an earlier listener",
    ),
    "a domain twice": (
        ISSUE + b'[[route]]\ndomains = ["x.test", "INSIDE.test"]\nnext_hop = "maildir:m"\n',
        "tw.toml:14: route[1].domains[1]: is in an earlier route",
    ),
    "a route for nobody": (ISSUE + b'roles = "outbound"\n', "tw.toml:13: route[0].roles: no listener has such a role"),
    "folding": (
        in_listener(b'[listener.bdat]\nlong_line = "repair"\n'),
        "tw.toml:10: listener[0].bdat.long_line: cannot",
    ),
    "haste": (ISSUE + b'timeouts.end = "9m"\n', "tw.toml:13: route[0].timeouts.end: is less than the 600s of RFC 5321"),
    "contradiction": (
        ISSUE + b"[limits]\nconnections = 10\n",
        "tw.toml:13: limits.connections_per_network: is more than connections",
    ),
    "a group alone": (ISSUE + b'[workers]\ngroup = "mail"\n', "tw.toml:14: workers.group: needs workers.user"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_meant_is_refused_on_its_line(what: str) -> None:
    data, expected = BAD[what]
    assert any(expected in mistake for mistake in mistakes(data)), mistakes(data)


def test_every_rule_has_a_case_that_only_it_refuses() -> None:
    """A rule that could be taken out unnoticed is no rule."""
    silent = []
    for rule in RULES:
        others = tuple(other for other in RULES if other is not rule)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tidewaiter.config.meaning.RULES", others)
            if all(expected in "".join(mistakes(data)) for data, expected in BAD.values()):
                silent.append(rule.__name__)
    assert silent == []


OURSELVES = [
    ("127.0.0.1", "127.0.0.1:25"),
    ("127.0.0.1", "0.0.0.0:25"),
    ("127.9.9.9", "0.0.0.0:25"),
    ("localhost", "127.0.0.1:25"),
    ("localhost", "[::1]:25"),
    ("localhost", "0.0.0.0:25"),
    ("mx.localhost", "127.0.0.1:25"),
    ("0.0.0.0", "127.0.0.1:25"),
    ("0.0.0.0", "0.0.0.0:25"),
    ("::", "[::1]:25"),
    ("::1", "[::]:25"),
    ("::ffff:127.0.0.1", "127.0.0.1:25"),
    ("192.0.2.1", "192.0.2.1:25"),
]
OTHERS = [
    ("127.0.0.2", "127.0.0.1:25"),
    ("192.0.2.1", "0.0.0.0:25"),
    ("192.0.2.1", "127.0.0.1:25"),
    ("::1", "127.0.0.1:25"),
    ("mx.example", "0.0.0.0:25"),
    ("0.0.0.0", "192.0.2.1:25"),
]


def test_our_name_may_be_a_next_hop_where_it_surely_does_not_lead_to_us() -> None:
    assert mistakes(with_hop("smtp://mx.tidewaiter.test:2526", "0.0.0.0:2525")) == []
    assert mistakes(with_hop("smtp://mx.tidewaiter.test:2525", "127.0.0.1:2525")) == [], "only the machine can tell"


@pytest.mark.parametrize(("host", "listening"), OURSELVES)
def test_every_form_of_our_own_address_is_ourselves(host: str, listening: str) -> None:
    assert reaches(host, 25, read_endpoint(listening))
    assert not reaches(host, 26, read_endpoint(listening))


@pytest.mark.parametrize(("host", "listening"), OTHERS)
def test_another_address_is_not_ourselves(host: str, listening: str) -> None:
    assert not reaches(host, 25, read_endpoint(listening))
