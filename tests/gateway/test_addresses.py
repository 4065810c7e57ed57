import time
from ipaddress import ip_address

import pytest

from tidewaiter.gateway.host import addresses
from tidewaiter.gateway.host.addresses import is_ours, look_up

SILENT = "import time; time.sleep(600)"


def test_an_address_of_this_machine_is_ours_and_no_other_is() -> None:
    assert is_ours(ip_address("127.0.0.9"))
    assert is_ours(ip_address("::1"))
    assert not is_ours(ip_address("240.0.0.2"))
    assert not is_ours(ip_address("100::2"))


def test_where_sockets_may_be_bound_to_any_address_not_all_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_binds", lambda *_: True)  # as ip_nonlocal_bind makes it
    assert is_ours(ip_address("127.0.0.1"))
    assert not is_ours(ip_address("240.0.0.2"))


def test_a_name_stands_for_its_addresses() -> None:
    assert ip_address("127.0.0.1") in look_up(["localhost"])["localhost"]


def test_a_resolver_that_fails_gives_no_address() -> None:
    assert look_up(["a" * 64]) == {"a" * 64: []}, "no resolver takes so long a label"
    assert look_up(["localhost"], program="print('no address')") == {"localhost": []}


def test_where_no_program_can_be_started_a_name_gives_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/missing/python")
    assert look_up(["localhost"]) == {"localhost": []}


def test_a_resolver_that_is_silent_is_not_waited_for() -> None:
    begun = time.monotonic()
    assert look_up([f"{number}.test" for number in range(9)], 0.1, SILENT)["8.test"] == []
    assert time.monotonic() - begun < 60, "it would be silent for ten minutes"
