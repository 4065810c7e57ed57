"""Which next hops are this gateway itself, by an address or a name that only the machine knows to be its own?

What the file itself shows is said by `config.meaning`.
"""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from tidewaiter.config.meaning import LOOPS, reaches
from tidewaiter.config.place import Complaint
from tidewaiter.config.settings import Settings
from tidewaiter.config.values import Endpoint, TcpHop
from tidewaiter.gateway.host.addresses import Address, is_ours, look_up

LookUp = Callable[[Iterable[str]], dict[str, list[Address]]]


def hops_to_ourselves(settings: Settings, look_up: LookUp = look_up) -> Iterator[Complaint]:
    """Complain of each; names are looked up only where the port is that of a listener."""
    ports = {listener.address.port for listener in settings.listener}
    hops = {
        ("route", place, "next_hop", which): hop
        for place, route in enumerate(settings.route)
        for which, hop in enumerate(route.next_hop)
        if isinstance(hop, TcpHop) and hop.port in ports
    }
    found = look_up({hop.host for hop in hops.values() if not _addresses(hop.host)})
    for path, hop in hops.items():
        addresses = _addresses(hop.host) or found[hop.host]
        if any(_leads_to(address, hop.port, one.address) for address in addresses for one in settings.listener):
            yield path, LOOPS


def _addresses(host: str) -> list[Address]:
    try:
        return [ip_address(host)]
    except ValueError:
        return []


def _leads_to(address: Address, port: int, listening: Endpoint) -> bool:
    address = getattr(address, "ipv4_mapped", None) or address
    everywhere = listening.host.is_unspecified and listening.host.version == address.version
    return reaches(str(address), port, listening) or (port == listening.port and everywhere and is_ours(address))
