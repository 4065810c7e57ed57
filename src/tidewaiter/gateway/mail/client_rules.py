"""How a client stands with a listener: all that its address alone decides, decided once for all its connections."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from tidewaiter.config.settings import Limits, Listener, Role
from tidewaiter.gateway.processes.connections import Connections

STRANGER: Final = -1
"""The number of those whom no exclusion holds."""


@dataclass(frozen=True, slots=True)
class ClientRules:
    """One client's."""

    address: str
    """Its IP address in its one form, without the zone that a link-local one has."""
    row: int
    """Where its network's connections are counted: the number of its IPv4 /24 or IPv6 /64."""
    rows: tuple[int, ...]
    """Where they are counted for each network that holds it: of IPv6 also its /56 and its /48."""
    limits: tuple[int, ...]
    """How many there may be, for each of `rows`; none where they do not hold for it."""
    exclusion: int
    """The number of the first exclusion that holds it, or `STRANGER`."""
    may_send: bool
    """It may send at all: an outbound listener is for those whom it names."""


def rules_of(host: str, listener: Listener, limits: Limits, connections: Connections) -> ClientRules:
    """Look up the client whose address, as its socket tells it, is `host`."""
    client = ip_address(host.partition("%")[0])
    rows = connections.rows(client)
    sizes = limits.connections_per_network, limits.connections_per_56, limits.connections_per_48
    held = [number for number, each in enumerate(listener.exclusion) if _within(client, each.networks)]
    return ClientRules(
        address=str(client),
        row=rows[0],
        rows=rows,
        limits=() if _within(client, limits.exempt_networks) else sizes[: len(rows)],
        exclusion=held[0] if held else STRANGER,
        may_send=listener.role is Role.INBOUND or _within(client, listener.networks),
    )


def _within(client: IPv4Address | IPv6Address, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(client in network for network in networks)
