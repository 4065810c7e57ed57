"""How a client stands with a listener: all that its address alone decides, decided once for all its connections."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from tidewaiter.config.settings import Limits, Listener, Role
from tidewaiter.gateway.processes.connections import Connections
from tidewaiter.model.client import ClientRules

STRANGER: Final = -1
"""The number of those whom no exclusion holds."""


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
