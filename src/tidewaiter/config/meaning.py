"""Mistakes that types cannot see: open relays, loops to ourselves, keys that exclude each other.

Each rule is a function from settings to complaints, and `RULES` holds them all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address

from tidewaiter.config.place import Complaint, Path
from tidewaiter.config.settings import HopTls, Listener, ListenerTls, Role, Settings
from tidewaiter.config.values import Endpoint, Network, TcpHop
from tidewaiter.model.position import Position, Positions
from tidewaiter.model.sentence import Sentence

RFC_MINIMUM_SECONDS = {
    "greeting": 300,
    "mail": 300,
    "rcpt": 300,
    "data": 120,
    "block": 180,
    "end": 600,
}
"""RFC 5321 §4.5.3.2: "the following timeouts SHOULD be used"; less makes loss and duplicates."""

GLOBAL_UNICAST = IPv6Network("2000::/3")
"""RFC 4291 §2.4 and IANA: whoever connects by IPv6 from outside has an address of these."""

LOOPS = Sentence("is one of our own listeners: mail loops")
"""Said here of what the file shows, and in gateway/host/requirements.py of what only the machine can tell."""


def mistakes_of_meaning(settings: Settings) -> Iterator[Complaint]:
    """Every complaint of every rule."""
    for rule in RULES:
        yield from rule(settings)


def _open_relay(settings: Settings) -> Iterator[Complaint]:
    if not any(listener.role is Role.INBOUND for listener in settings.listener):
        return
    for place, route in enumerate(settings.route):
        if "*" in route.domains and Role.INBOUND in route.roles:
            yield (
                ("route", place, "domains", route.domains.index("*")),
                Sentence('makes inbound listeners an open relay; name the domains, or set roles = "outbound"'),
            )


def _relays_for_nobody(settings: Settings) -> Iterator[Complaint]:
    for place, listener in enumerate(settings.listener):
        if listener.role is Role.OUTBOUND and not listener.networks:
            yield ("listener", place, "networks"), Sentence("an outbound listener must name who may relay")
        if listener.role is Role.INBOUND and listener.networks:
            yield ("listener", place, "networks"), Sentence("only an outbound listener has them")


def _everyone_relays(settings: Settings) -> Iterator[Complaint]:
    for place, listener in enumerate(settings.listener):
        path = ("listener", place, "networks")
        alone = [which for which, network in enumerate(listener.networks) if _is_everyone([network])]
        for which in alone:
            yield (*path, which), Sentence("lets everyone relay: an open relay; name your own networks")
        if not alone and _is_everyone(listener.networks):
            yield path, Sentence("together let everyone relay: an open relay; name your own networks")


def _is_everyone(networks: Sequence[Network]) -> bool:
    """Whether no client of some version of IP is left out; two halves are as much as the whole."""
    fours = collapse_addresses(network for network in networks if isinstance(network, IPv4Network))
    sixes = collapse_addresses(network for network in networks if isinstance(network, IPv6Network))
    return any(network.prefixlen == 0 for network in fours) or any(map(GLOBAL_UNICAST.subnet_of, sixes))


def _ourselves(settings: Settings) -> Iterator[Complaint]:
    for place, route in enumerate(settings.route):
        for which, hop in enumerate(route.next_hop):
            if isinstance(hop, TcpHop) and any(
                reaches(hop.host, hop.port, listener.address) or _is_called_ours(hop, listener.address, settings)
                for listener in settings.listener
            ):
                yield ("route", place, "next_hop", which), LOOPS


def _is_called_ours(hop: TcpHop, listening: Endpoint, settings: Settings) -> bool:
    """Whether it is our own name; at home, where only we connect, another may have that name."""
    return hop.host == settings.hostname and hop.port == listening.port and not listening.host.is_loopback


def reaches(host: str, port: int, listening: Endpoint) -> bool:
    """Whether a connection to the host and port would surely come to that listener.

    What a name stands for is not known here, but for `localhost`, which RFC 6761 §6.3 fixes.
    """
    if port != listening.port:
        return False
    return any(_same_host(address, listening.host) for address in _addresses(host))


def _addresses(host: str) -> list[IPv4Address | IPv6Address]:
    if host == "localhost" or host.endswith(".localhost"):
        return [ip_address("127.0.0.1"), ip_address("::1")]
    try:
        address = ip_address(host)
    except ValueError:
        return []
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return [mapped or address]


def _same_host(address: IPv4Address | IPv6Address, listening: IPv4Address | IPv6Address) -> bool:
    if address.version != listening.version:
        return False
    if address.is_unspecified:  # Linux connects 0.0.0.0 and :: to this machine
        return listening.is_loopback or listening.is_unspecified
    return address == listening or (listening.is_unspecified and address.is_loopback)


def _certificates(settings: Settings) -> Iterator[Complaint]:
    for place, listener in enumerate(settings.listener):
        for name in ("certificate", "key"):
            given = getattr(listener, name) is not None
            if given == (listener.tls is ListenerTls.OFF):
                missing = Sentence('is missing for tls = "{tls}"', tls=listener.tls.value)
                yield ("listener", place, name), Sentence("has no use while tls is off") if given else missing
    for place, route in enumerate(settings.route):
        if route.ca is not None and route.tls is not HopTls.VERIFY:
            yield ("route", place, "ca"), Sentence('has no use unless tls = "verify"')


def _repeated_addresses(settings: Settings) -> Iterator[Complaint]:
    seen: set[Endpoint] = set()
    for place, listener in enumerate(settings.listener):
        if listener.address.port and listener.address in seen:
            yield ("listener", place, "address"), Sentence("is the address of an earlier listener")
        seen.add(listener.address)


def _unreachable(settings: Settings) -> Iterator[Complaint]:
    roles = {listener.role for listener in settings.listener}
    seen: set[tuple[str, Role]] = set()
    for place, route in enumerate(settings.route):
        if roles.isdisjoint(route.roles):
            yield ("route", place, "roles"), Sentence("no listener has such a role, so nothing comes here")
        for which, domain in enumerate(route.domains):
            claims = {(domain, role) for role in route.roles}
            if claims & seen:
                yield (
                    ("route", place, "domains", which),
                    Sentence("is in an earlier route, which gets its mail"),
                )
            seen |= claims


def _impossible_repair(settings: Settings) -> Iterator[Complaint]:
    for path, positions in _all_positions(settings.listener):
        if positions.long_line is Position.REPAIR:
            yield (*path, "long_line"), Sentence("cannot be repaired: folding a line breaks its signature")


def _all_positions(listeners: Iterable[Listener]) -> Iterator[tuple[Path, Positions]]:
    for place, listener in enumerate(listeners):
        yield ("listener", place, "data"), listener.data
        yield ("listener", place, "bdat"), listener.bdat
        for which, exclusion in enumerate(listener.exclusion):
            yield ("listener", place, "exclusion", which, "data"), exclusion.data
            yield ("listener", place, "exclusion", which, "bdat"), exclusion.bdat


def _hasty(settings: Settings) -> Iterator[Complaint]:
    for place, route in enumerate(settings.route):
        for name, least in RFC_MINIMUM_SECONDS.items():
            if getattr(route.timeouts, name) < least:
                path = ("route", place, "timeouts", name)
                yield path, Sentence("is less than the {least}s of RFC 5321 §4.5.3.2", least=least)


def _contradictory_limits(settings: Settings) -> Iterator[Complaint]:
    limits = settings.limits
    for smaller, larger in (
        ("connections_per_network", "connections"),
        ("header_size", "message_size"),
        ("spool_memory", "spool_memory_total"),
        ("message_size", "spool_total"),
    ):
        if getattr(limits, smaller) > getattr(limits, larger):
            yield ("limits", smaller), Sentence("is more than {larger}", larger=larger)


def _group_alone(settings: Settings) -> Iterator[Complaint]:
    if settings.workers.group is not None and settings.workers.user is None:
        yield ("workers", "group"), Sentence("needs workers.user")


RULES: tuple[Callable[[Settings], Iterable[Complaint]], ...] = (
    _open_relay,
    _relays_for_nobody,
    _everyone_relays,
    _ourselves,
    _certificates,
    _repeated_addresses,
    _unreachable,
    _impossible_repair,
    _hasty,
    _contradictory_limits,
    _group_alone,
)
