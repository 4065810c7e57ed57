"""Whom a pool connects to and on which terms: a route's settings for one of its next hops."""

import ssl
from dataclasses import dataclass

from tidewaiter.config.settings import HopTls, Timeouts
from tidewaiter.config.values import SocketHop, TcpHop


@dataclass(frozen=True, slots=True)
class Target:
    """One next hop and its terms; equal targets share their connections."""

    hop: TcpHop | SocketHop
    hello: str
    """Our own name."""
    tls: HopTls
    context: ssl.SSLContext | None
    """For TLS towards it; None where `tls` is off."""
    timeouts: Timeouts

    @property
    def lmtp(self) -> bool:
        """It speaks LMTP."""
        return isinstance(self.hop, SocketHop) or self.hop.protocol == "lmtp"

    @property
    def implicit_tls(self) -> bool:
        """TLS begins with the first byte (RFC 8314)."""
        return isinstance(self.hop, TcpHop) and self.hop.protocol == "smtps"
