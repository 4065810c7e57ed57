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
    return booted("exim-4.96")


@pytest.fixture(scope="session")
def sendmail(booted: Callable[[str], Peer]) -> Peer:
    return booted("sendmail-8.17")


@pytest.fixture(scope="session")
def opensmtpd(booted: Callable[[str], Peer]) -> Peer:
    return booted("opensmtpd-6.8")


@pytest.fixture(scope="session")
def dovecot(booted: Callable[[str], Peer]) -> Peer:
    return booted("dovecot-lmtp-2.3.19")


@pytest.fixture(scope="session")
def smtp_server(booted: Callable[[str], Peer]) -> Peer:
    return booted("smtp-server-3.21.6")


@pytest.fixture(scope="session")
def lenient_aiosmtpd(booted: Callable[[str], Peer]) -> Peer:
    return booted("aiosmtpd-1.4.4")


@pytest.fixture(scope="session")
def lenient_haraka(booted: Callable[[str], Peer]) -> Peer:
    return booted("haraka-3.3.3")
