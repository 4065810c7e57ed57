"""What rows say of each content, held against the same rules written by hand; and a sender that strays is found."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.emissions import contents, mismatches, said_by, said_by_relay
from tidewaiter.lab.target import Target
from tidewaiter.lab.writer import by_command, through_relay
from tidewaiter.lines.symbol import spell, symbols
from tidewaiter.model.dialect import STRICT
from tidewaiter.rig.player import Player, playing
from tidewaiter.rig.sink import Sink, sinking

if TYPE_CHECKING:
    from pathlib import Path

CURL = dialects()["curl-7.88"]
STUFFED = re.compile(rb"(\A|\r\n)\.")
# A sender in a few lines that does as curl does, and forgets to stuff the dot behind a NUL.
STRAYING = """\
import re, socket, sys
port, recipient, file = sys.argv[1:]
content = re.sub(rb"(\\A|\\r\\n)\\.(?!\\0)", rb"\\1..", open(file, "rb").read())
end = b"" if content.endswith(b"\\r\\n") or not content else b"\\r\\n"
with socket.create_connection(("127.0.0.1", int(port))) as server:
    said = server.makefile("rb")
    said.readline()
    for line in (b"HELO a.test", b"MAIL FROM:<a@a.test>", b"RCPT TO:<%s>" % recipient.encode(), b"DATA"):
        server.sendall(line + b"\\r\\n")
        said.readline()
    server.sendall(content + end + b".\\r\\n")
    said.readline()
"""


def test_there_is_every_content_once() -> None:
    assert len(set(contents(5))) == sum(6**length for length in range(6)) == 9331


def test_a_row_says_what_the_rule_written_by_hand_says() -> None:
    for word, wire in said_by(CURL, contents(4)).items():
        content = spell(word)
        end = b".\r\n" if content.endswith(b"\r\n") or not content else b"\r\n.\r\n"
        assert wire == STUFFED.sub(rb"\1..", content) + end


def test_the_standard_relays_content_repaired_and_stuffed_anew() -> None:
    said = said_by_relay(STRICT, contents(4))
    assert symbols(b".\r\n") not in said  # it ends the message early, so that nothing is learned of the writer
    for word, wire in said.items():
        content = re.sub(rb"(\A|\r\n)\.", rb"\1", spell(word) + b"\r\n")
        content = re.sub(rb"\r\n|\n", b"\r\n", re.sub(rb"\r(?!\n)|\0", b" ", content))
        assert wire == re.sub(rb"(?m)^\.", b"..", content) + b".\r\n"


@pytest.mark.slow
def test_a_sender_that_forgets_to_stuff_is_found_with_the_content_that_shows_it(tmp_path: Path) -> None:
    script = tmp_path / "send.py"
    script.write_text(STRAYING)
    words = [symbols(content) for content in (b"", b"x\r\n", b".", b"x\r\n.x", b".\0", b"x\r\n.\0")]

    async def sent() -> None:
        sink = Sink()
        async with sinking(sink) as port:
            argv = [sys.executable, str(script), "{port}", "{recipient}", "{file}"]
            emitted = await by_command(argv, words, sink, port)
        found = mismatches(emitted, said_by(CURL, words))
        assert [(spell(each.content), each.sender) for each in found] == [
            (b".\0", b".\0\r\n.\r\n"),
            (b"x\r\n.\0", b"x\r\n.\0\r\n.\r\n"),
        ]

    asyncio.run(sent())


def test_a_relay_that_takes_messages_and_sends_none_is_seen_to_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert STRICT.reader
    player = Player(STRICT.reader)
    monkeypatch.setattr("tidewaiter.lab.writer.QUEUED", 0.05)

    async def sent() -> None:
        async with playing(player) as port:
            words = list(said_by_relay(STRICT, contents(1)))
            emitted = await through_relay(Target("127.0.0.1", port, "me@mine.test"), words, Sink())
        assert set(emitted.values()) == {None}
        assert len(player.taken) == len(words)

    asyncio.run(sent())
