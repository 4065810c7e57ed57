"""Does a gateway with few file descriptors say so, to who starts it and to each client that it sends away?"""

import resource
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateway.family import CONFIGURATION, SECONDS, Family
from tidewaiter.config import parse
from tidewaiter.gateway.processes.descriptors import ACCEPTED_AT_ONCE, OWN, Descriptors, needed

LIMIT = 64
GATEWAY = ("prlimit", f"--nofile={LIMIT}", sys.executable, "-m", "tidewaiter", "run", "--config")


def _first_words(connection: socket.socket) -> bytes:
    connection.settimeout(SECONDS)
    return connection.recv(200)


@pytest.mark.slow
def test_with_64_descriptors_a_start_warns_and_each_client_is_served_or_hears_421(tmp_path: Path) -> None:
    text = CONFIGURATION.format(workers="") + "[limits]\nexempt_networks = []\n"
    (tmp_path / "tidewaiter.toml").write_text(text.replace("count = 2", "count = 1"))
    with Family(tmp_path, command=GATEWAY) as family, ExitStack() as stack:
        warned = family.wait_for("few file descriptors")
        assert (warned["needed"], warned["limit"]) == (30_064, LIMIT)
        family.serving()
        for _ in range(3):
            with ExitStack() as crowd:
                callers = [crowd.enter_context(socket.create_connection(family.address)) for _ in range(90)]
                said = [_first_words(caller)[:9] for caller in callers]
                assert {words[:4] for words in said} == {b"220 ", b"421 "}, said
                assert said.count(b"421 4.3.2") > 50
            family.wait_for("no file descriptor is left")
        while True:  # those that left are seen one after the other
            caller = stack.enter_context(socket.create_connection(family.address))
            if _first_words(caller).startswith(b"220 "):
                break
            stack.pop_all().close()
        caller.sendall(b"EHLO x.test\r\n")
        assert caller.recv(1000).startswith(b"250")
        caller.close()
        assert not [line for line in family.last_words() if line["event"] == "fault"]


def test_the_last_descriptors_are_no_clients_and_few_are_divided() -> None:
    many = Descriptors(limit=1000, next_hops=40, first=20)
    last = 1000 - 40 - ACCEPTED_AT_ONCE
    assert (many.spent(last - 1), many.spent(last), many.clients) == (False, True, last - 20)
    few = Descriptors(limit=LIMIT, next_hops=40, first=20)
    assert (few.spent(LIMIT // 2 - 1), few.spent(LIMIT // 2), few.clients) == (False, True, 12)
    assert Descriptors(limit=LIMIT, next_hops=40, first=50).clients == 0


@pytest.mark.parametrize(("workers", "expected"), [(1, OWN + 30_000 + 80), (3, OWN + 10_000 + 26)])
def test_what_is_needed_grows_with_connections_and_next_hops_and_is_divided(workers: int, expected: int) -> None:
    hops = '["smtp://192.0.2.1", "smtp://192.0.2.2", "maildir:mail"]'
    settings = parse(CONFIGURATION.format(workers="").replace('"maildir:mail"', hops).encode(), "tw.toml")
    assert needed(settings, workers) == expected


def test_a_process_knows_its_own_limit() -> None:
    settings = parse(CONFIGURATION.format(workers="").encode(), "tw.toml")
    found = Descriptors.of_process(settings, 1)
    assert 0 < found.clients < found.limit
    assert found.limit == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
