"""Which next hops take mail for this recipient?

The most exact name wins, wherever it stands in the configuration: the domain, then what lies below one, then any.
"""

from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from tidewaiter.model.domain import DomainError, ascii_domain

ANY = "*"
BELOW = "*."


class _Named(Protocol):
    @property
    def domains(self) -> tuple[str, ...]: ...


R = TypeVar("R", bound=_Named)


class RouteTable(Generic[R]):
    """The routes of one role."""

    def __init__(self, routes: Iterable[R]) -> None:
        """Index by name; of two routes for one name the first counts."""
        self._by_name: dict[str, R] = {}
        self._first: R | None = None
        for route in routes:
            self._first = self._first or route
            for name in route.domains:
                self._by_name.setdefault(name, route)

    def find(self, domain: str) -> R | None:
        """Find the route for a recipient's domain, or None: we do not relay there.

        No domain at all is `<postmaster>` (RFC 5321 §4.5.1), who is to be reached in any case: by the first route.
        """
        if not domain:
            return self._first
        try:
            name = ascii_domain(domain)
        except DomainError:
            return None
        return self._by_name.get(name) or self._below(name) or self._by_name.get(ANY)

    def _below(self, name: str) -> R | None:
        while (dot := name.find(".")) >= 0:
            name = name[dot + 1 :]
            if found := self._by_name.get(BELOW + name):
                return found
        return None
