"""One booted peer for all tests of a run, by name; a test of a peer that cannot run here is skipped with the reason."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.peers import registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.peers import Peer


def needed(name: str) -> None:
    """Skip the test when the peer called `name` cannot run here."""
    if reason := registry.why_not(name):
        pytest.skip(f"{name} {reason}")


@pytest.fixture(scope="session")
def booted() -> Iterator[Callable[[str], Peer]]:
    """Give the receiver of a name, booted by the first test that asks for it."""
    with ExitStack() as running:
        peers: dict[str, Peer] = {}

        def boot(name: str) -> Peer:
            needed(name)
            if name not in peers:
                peers[name] = running.enter_context(registry.receiver(name))
            return peers[name]

        yield boot


@pytest.fixture(scope="session")
def postfix(booted: Callable[[str], Peer]) -> Peer:
    """Postfix, of which `at` gives each setting."""
    return booted("postfix-3.7-no")


@pytest.fixture(scope="session")
def exim(booted: Callable[[str], Peer]) -> Peer:
    """Exim, of which `at` gives the one that does not insist on being waited for."""
    return booted("exim-4.96")
