"""`tidewaiter lab`: nobody is asked whom the user did not name (promise 11), and the exit code says how it went."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tidewaiter.cli import main
from tidewaiter.cli.exit import Exit
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.rig.player import Player, playing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.timeout(300)

ME = "me@mine.test"
SENDER = """\
import smtplib, sys
port, recipient, file = sys.argv[1:]
with smtplib.SMTP("127.0.0.1", int(port), local_hostname="a.test") as client:
    client.sendmail("a@a.test", [recipient], open(file, "rb").read())
"""


@contextmanager
def played(row: str) -> Iterator[tuple[str, Player]]:
    """Play a row in a thread of its own, and give its address."""
    reader = dialects()[row].reader
    assert reader
    player, address, leave, loop = Player(reader, size=500), [], asyncio.Event(), asyncio.new_event_loop()
    listening = threading.Event()

    async def play() -> None:
        async with playing(player) as port:
            address.append(f"127.0.0.1:{port}")
            listening.set()
            await leave.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(play(),))
    thread.start()
    try:
        assert listening.wait(10)
        yield address[0], player
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()
        loop.close()


@pytest.fixture
def reached() -> Iterator[set[object]]:
    """Collect every address that this process connects or sends to, or asks the name of, while the test runs."""
    addresses, watching = set[object](), [True]

    def hear(event: str, words: tuple[object, ...]) -> None:
        if watching and event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            addresses.add(words[1])
        elif watching and event in ("socket.getaddrinfo", "socket.gethostbyname"):
            addresses.add(words[0])

    sys.addaudithook(hear)  # there is no way to take one away
    yield addresses
    watching.clear()


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb",
    [
        ["conform", "haraka-3.3.4"],
        pytest.param(["learn", "--mode", "first line ended in LF"], marks=pytest.mark.soak),
    ],
    ids=["conform", "learn"],
)
def test_no_host_is_reached_but_the_one_that_was_named(verb: list[str], reached: set[object]) -> None:
    with played("haraka-3.3.4") as (address, _):
        assert main(["lab", *verb, address, "--recipient", ME]) == Exit.GOOD
    host, port = address.split(":")
    assert reached - {host} == {(host, int(port))}


@pytest.mark.parametrize("verb", [["learn"], ["conform", "strict"]])
def test_a_host_without_a_recipient_is_not_asked(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with played("aiosmtpd-1.4.4") as (address, player):
        with pytest.raises(SystemExit) as left:
            main(["lab", *verb, address])
        assert left.value.code == Exit.USAGE
        assert "--recipient" in capsys.readouterr().err
        assert player.taken == []


def test_nobody_is_sent_anything_but_the_recipient_that_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    with played("aiosmtpd-1.4.4") as (address, player):
        assert main(["lab", "conform", "aiosmtpd-1.4.4", address, "--recipient", ME]) == Exit.GOOD
        assert {path for each in player.taken for path in each.forward_paths} == {b"TO:<me@mine.test>"}
    assert "CONFORMS to aiosmtpd-1.4.4" in capsys.readouterr().out


@pytest.mark.slow
def test_a_server_that_differs_from_the_row_is_bad_news_with_a_shortest_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with played("aiosmtpd-1.4.4") as (address, _):
        assert main(["lab", "conform", "aiosmtpd-1.4.6", address, "--recipient", ME]) == Exit.BAD
    assert "body: behind LF . CR LF the server says ended, the row content" in capsys.readouterr().out


@pytest.mark.slow
def test_learning_names_the_row_that_is_equal(capsys: pytest.CaptureFixture[str]) -> None:
    with played("aiosmtpd-1.4.4") as (address, _):
        argv = ["lab", "learn", address, "--recipient", ME, "--mode", "body", "--format", "json"]
        assert main(argv) == Exit.GOOD
    found = json.loads(capsys.readouterr().out)
    assert found["modes"]["body"]["output"].count("ended") == 1
    assert found["modes"]["body"]["checked"] == "synchronised"
    assert [row["row"] for row in found["rows"] if row["equal"]] == ["aiosmtpd-1.4.4"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_server_that_is_not_there_is_one_of_which_nothing_can_be_told(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["lab", "learn", "127.0.0.1:1", "--recipient", ME, "--format", form])
    assert left.value.code == Exit.UNKNOWN
    assert "no connection to 127.0.0.1:1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        ["learn", "nowhere", "--recipient", ME],
        ["learn", "127.0.0.1:1", "--recipient", ME, "--size-limit", "0"],
        ["conform", "strict", "127.0.0.1:1", "--recipient", ME, "--size-limit", "-1"],
        ["learn", "127.0.0.1:99999", "--recipient", ME],
        ["learn", "127.0.0.1:1", "--recipient", "a@b.test>\r\nRCPT TO:<c@d.test"],
        ["conform", "curl-7.88", "127.0.0.1:1", "--recipient", ME],
        ["writer", "aiosmtpd-1.4.4", "--command", "true"],
        ["writer", "curl-7.88"],
        ["writer", "curl-7.88", "--command", "no-such-program"],
        ["writer", "curl-7.88", "--command", "true 'x"],
        ["writer", "curl-7.88", "--command", "true {user}"],
        ["writer", "curl-7.88", "--command", "true {port"],
        ["writer", "curl-7.88", "--command", " "],
        ["writer", "curl-7.88", "--command", "true", "--listen", "99999"],
        ["writer", "curl-7.88", "--relay", "127.0.0.1:1", "--recipient", ME],
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", *argv]) == Exit.USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "length", "code"),
    [("smtplib-3.11-bytes", "3", Exit.GOOD), ("smtplib-3.11-bytes", "1", Exit.UNKNOWN), ("curl-7.88", "2", Exit.BAD)],
)
def test_a_sender_is_held_against_a_row(
    row: str, length: str, code: Exit, tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    script = f"{tmp_path}/send.py"
    with open(script, "w") as file:  # noqa: PTH123 - its path is a word of the command
        file.write(SENDER)
    command = f"{sys.executable} {script} {{port}} {{recipient}} {{file}}"
    assert main(["lab", "writer", row, "--length", length, "--command", command]) == code
    word = {Exit.GOOD: "EQUAL", Exit.UNKNOWN: "COULD NOT TELL", Exit.BAD: "DIFFERS"}[code]
    said = capsys.readouterr().out
    assert word in said
    assert ("EQUAL" in said) is (code is Exit.GOOD)


def test_a_command_that_cannot_be_run_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "no-program"
    script.write_text("neither a script nor a program")
    script.chmod(0o755)
    assert main(["lab", "writer", "curl-7.88", "--length", "1", "--command", str(script)]) == Exit.USAGE
    [line] = capsys.readouterr().err.splitlines()
    assert "no-program" in line


def test_a_command_that_sends_nothing_is_one_of_which_nothing_can_be_told() -> None:
    assert main(["lab", "writer", "curl-7.88", "--length", "0", "--command", "true"]) == Exit.UNKNOWN
