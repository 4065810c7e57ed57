"""What is cut when a worker has to leave is told, message by message, and the client hears 421."""

import os
import signal
import socket
import sys
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path

import pytest

from tests.gateway.family import Family

pytestmark = pytest.mark.slow

RUN = (Path(sys.executable).with_name("tidewaiter"), "run", "--config")


def in_its_midst(family: Family) -> tuple[socket.socket, BufferedReader]:
    """Begin a message, and send no more of it."""
    client = socket.create_connection(family.address, timeout=60.0)
    replies = client.makefile("rb")
    replies.readline()
    for command in ("HELO client.test", "MAIL FROM:<a@client.test>", "RCPT TO:<b@inside.test>", "DATA"):
        client.sendall(command.encode() + b"\r\n")
        assert replies.readline()[:1] in b"23"
    client.sendall(b"Subject: x\r\n")
    return client, replies


def _stop(family: Family) -> None:
    family.signal(signal.SIGTERM)


def _stop_twice(family: Family) -> None:
    family.signal(signal.SIGTERM)
    family.signal(signal.SIGTERM)


def _kill_the_supervisor(family: Family) -> None:
    os.kill(family.process.pid, signal.SIGKILL)


@pytest.mark.parametrize("stop", [_stop, _stop_twice, _kill_the_supervisor])
def test_a_message_that_is_cut_has_its_line_and_its_client_hears_421(
    stop: Callable[[Family], None], tmp_path: Path
) -> None:
    with Family(tmp_path, workers='stop_time = "200ms"', command=RUN) as family:
        family.serving()
        client, replies = in_its_midst(family)
        with client, replies:
            stop(family)
            assert replies.readline().startswith(b"421 4.3.2 ")
            assert replies.read() == b""
        family.exit_code()
    told = [event for event in family.events if event["event"] in {"transaction", "refusal"}]
    assert [(each["outcome"], each["reply"][:9], each["size"]) for each in told] == [("deferred", "421 4.3.2", 12)]
