"""What is known of a client: one value, replaced when more is known, never changed."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ClientRules:
    """How a client stands with a listener: all that its address alone decides."""

    address: str
    """Its IP address in its one form, without the zone that a link-local one has."""
    row: int
    """Where its network's connections are counted: the number of its IPv4 /24 or IPv6 /64."""
    rows: tuple[int, ...]
    """Where they are counted for each network that holds it: of IPv6 also its /56 and its /48."""
    limits: tuple[int, ...]
    """How many there may be, for each of `rows`; none where they do not hold for it."""
    exclusion: int
    """The number of the first exclusion that holds it, or -1 for a stranger."""
    may_send: bool
    """It may send at all: an outbound listener is for those whom it names."""


class Client:
    """One client, on one connection."""

    __slots__ = ("address", "erred", "hello", "network", "port", "protocol", "rules", "tls")

    def __init__(  # noqa: PLR0913 - it is all that is known
        self, rules: ClientRules, port: int, hello: str = "", protocol: str = "", tls: str = "", *, erred: bool = False
    ) -> None:
        """Keep all of it."""
        self.rules: Final = rules
        self.address: Final = rules.address
        """Its IP address as text."""
        self.network: Final = rules.row
        """The number of its network, which has a fair share of a next hop's connections."""
        self.port: Final = port
        self.hello: Final = hello
        """The name behind HELO or EHLO; empty before it."""
        self.protocol: Final = protocol
        """SMTP or ESMTP, by the command that it introduced itself with: what XCLIENT's PROTO takes."""
        self.tls: Final = tls
        """Protocol and cipher; empty in plain text."""
        self.erred: Final = erred
        """A next hop refused a sender or a recipient of its: servers count that against a connection."""

    def greeted(self, hello: str, protocol: str) -> "Client":
        """Give it as it introduced itself."""
        return Client(self.rules, self.port, hello, protocol, self.tls, erred=self.erred)

    def secured(self, tls: str) -> "Client":
        """Give it within TLS, where nothing is believed that it said before (promise 6)."""
        return Client(self.rules, self.port, tls=tls, erred=self.erred)

    def after_error(self) -> "Client":
        """Give it as one to whom a next hop said no."""
        return Client(self.rules, self.port, self.hello, self.protocol, self.tls, erred=True)

    def is_same(self, other: "Client | None") -> bool:
        """Tell whether a next hop would be told the same of both: the connection is one, and so is the name."""
        if other is None or other is self:
            return other is self
        return (other.port, other.address, other.hello) == (self.port, self.address, self.hello)
