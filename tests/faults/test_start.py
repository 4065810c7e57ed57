"""A worker that does not come up: its clients are answered, its share goes to others, and the log has the cause."""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

import pytest
import trustme

from tests.gateway.family import CONFIGURATION, SECONDS, Family

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RUN = [sys.executable, "-m", "tidewaiter", "run", "--config"]
ENOUGH = 20
"""Connections among which each of two workers has some, but once in half a million times."""
LISTENING = "0A"
GREETED_SECONDS = 10.0
"""More than a failing start takes; where the share is not given away, ten clients wait for it one after another."""


@pytest.fixture
def family(tmp_path: Path) -> Family:
    """Not started yet; its workers need the file `key`."""
    certificate = trustme.CA().issue_cert("mx.tidewaiter.test")
    certificate.private_key_pem.write_to_path(tmp_path / "key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "certificate")
    text = CONFIGURATION.format(workers="")
    tls = 'role = "inbound"\ntls = "starttls"\ncertificate = "certificate"\nkey = "key"'
    (tmp_path / "tidewaiter.toml").write_text(text.replace('role = "inbound"', tls))
    return Family(tmp_path, command=RUN)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def first_lines(family: Family, number: int) -> list[bytes]:
    """What so many clients hear first, who connect at once."""
    with ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(family.address, timeout=GREETED_SECONDS))
            for _ in range(number)
        ]
        return [_first_line(stack.enter_context(client.makefile("rb"))) for client in clients]


def _first_line(lines: BufferedReader) -> bytes:
    try:
        return lines.readline()[:4]
    except TimeoutError:
        return b"none"


def listening(port: int) -> int:
    """How many sockets listen on that port of 127.0.0.1."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    return sum(row[1] == f"0100007F:{port:04X}" and row[3] == LISTENING for row in rows)


def test_the_share_of_a_worker_that_does_not_come_up_goes_to_others_until_one_does(
    family: Family, tmp_path: Path
) -> None:
    with family:
        family.serving()
        assert set(first_lines(family, ENOUGH)) == {b"220 "}
        (tmp_path / "key").rename(tmp_path / "aside")
        os.kill(family.pid_of("tidewaiter.gateway.worker"), signal.SIGKILL)
        assert set(first_lines(family, ENOUGH)) == {b"220 ", b"421 "}, "who waited for the dead one"
        cause = family.wait_for("process fails")
        assert (cause["errno"], str(tmp_path / "key") in cause["path"]) == ("ENOENT", True)
        family.wait_for("worker does not come up, others get its share")
        assert listening(family.address[1]) == 1
        assert set(first_lines(family, ENOUGH)) == {b"220 "}
        (tmp_path / "aside").rename(tmp_path / "key")
        family.wait_for("worker has its share again")
        assert listening(family.address[1]) == 2
        assert set(first_lines(family, ENOUGH)) == {b"220 "}
        family.last_words()


def test_where_no_worker_comes_up_connections_are_refused_and_a_stop_is_obeyed(family: Family, tmp_path: Path) -> None:
    family.file.write_text(family.file.read_text().replace("count = 2", "count = 1"))
    with family:
        family.serving()
        (tmp_path / "key").unlink()
        os.kill(family.pid_of("tidewaiter.gateway.worker"), signal.SIGKILL)
        family.wait_for("worker does not come up, others get its share")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(family.address, timeout=30)
        family.last_words()
