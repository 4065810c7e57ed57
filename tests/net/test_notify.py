import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidewaiter.net.notify import READY, STOPPING, Notifier, reloading


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """A service manager that listens, and the name it gives itself in the environment."""
    name = str(tmp_path / "notify") if request.param == "path" else f"@tidewaiter-{os.urandom(8).hex()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name.replace("@", "\0"))
        listening.settimeout(5)
        yield name, listening


def test_what_is_said_is_heard(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    Notifier({"NOTIFY_SOCKET": name}).say(READY, STOPPING)
    assert listening.recv(100) == b"READY=1\nSTOPPING=1"


def test_a_reload_says_since_when() -> None:
    first, second = reloading().split("\n")
    assert first == "RELOADING=1"
    assert second.removeprefix("MONOTONIC_USEC=").isdigit()


def test_children_do_not_inherit_the_watchdog() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    assert Notifier(environment).watchdog_seconds == 3
    assert environment == {"A": "b"}


@pytest.mark.parametrize("environment", [{}, {"WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "x"}])
def test_without_a_watchdog_of_ours_none_is_fed(environment: dict[str, str]) -> None:
    assert Notifier(environment).watchdog_seconds is None


def test_a_manager_that_is_gone_is_no_reason_to_stop(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).say(READY)
    Notifier({}).say(READY)


def test_a_manager_that_reads_nothing_delays_no_sign_of_life(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    for _ in range(1000):  # far more than its queue holds
        Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1"}).alive()
    assert listening.recv(100) == b"WATCHDOG=1"


def test_a_sign_of_life_is_given_three_times_as_often_as_asked(manager: tuple[str, socket.socket]) -> None:
    name, listening = manager
    notifier = Notifier({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000000"})
    for _ in range(10):
        notifier.alive()
    listening.recv(100)
    listening.settimeout(0)
    with pytest.raises(BlockingIOError):
        listening.recv(100)
