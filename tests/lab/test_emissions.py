"""What rows say of each content, held against the same rules written by hand; and a sender that strays is found."""

from __future__ import annotations

import asyncio
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.lab.played import PLAYED
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.emissions import contents, mismatches, refused_by_relay, said_by, said_by_relay
from tidewaiter.lab.target import Target, UntoldError
from tidewaiter.lab.writer import _gathered, by_command, through_relay
from tidewaiter.lines.symbol import spell, symbols
from tidewaiter.model.dialect import STRICT, Dialect, Then, WriterDialect
from tidewaiter.rig.player import HOST, Line, Player, playing
from tidewaiter.rig.sink import Sink, sinking

if TYPE_CHECKING:
    from pathlib import Path

    from tidewaiter.lab.emissions import Emissions

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


def relayed(line: type[Line], *, refused: bool) -> Emissions:
    """What a relay of which nothing arrives is seen to send of one content."""
    assert STRICT.reader
    player, words, lines = Player(STRICT.reader), [symbols(b"x")], list[Line]()

    def greet() -> Line:
        lines.append(line(player))
        return lines[-1]

    async def sent() -> Emissions:
        server = await asyncio.get_running_loop().create_server(greet, HOST, 0)
        async with server:
            target = Target(HOST, server.sockets[0].getsockname()[1], "me@mine.test", within=0.5, side_by_side=1)
            try:
                return await through_relay(target, words, Sink(), words if refused else [])
            finally:
                for each in lines:
                    each._close()
                await asyncio.sleep(0)

    return asyncio.run(sent())


class Mute(Line):
    """Says nothing to a message."""

    def _end(self, _: Then, *, last: bool) -> None:
        pass


class Leaving(Line):
    """Closes on a message."""

    def _end(self, _: Then, *, last: bool) -> None:  # noqa: ARG002 - its name is the player's
        self._close()


def test_a_relay_that_is_silent_is_not_one_that_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidewaiter.lab.writer.QUEUED", 0.05)
    with pytest.raises(UntoldError, match="no reply"):
        relayed(Mute, refused=False)
    assert list(relayed(Leaving, refused=True).values()) == [None]


def test_a_relay_that_takes_what_its_row_refuses_is_not_seen_to_refuse_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may lie in its queue: that nothing has come yet is no proof that nothing will."""
    monkeypatch.setattr("tidewaiter.lab.writer.QUEUED", 0.05)
    with pytest.raises(UntoldError, match="it took x, and sent nothing of it"):
        relayed(Line, refused=True)
    assert list(relayed(Line, refused=False).values()) == [None]


def test_of_two_messages_that_differ_none_is_chosen() -> None:
    assert _gathered([("0", b"a"), ("1", b"b"), ("0", b"a")]) == {"0": b"a", "1": b"b"}
    assert _gathered([("0", b"a"), ("0", b"b")]) == {"0": b"ab"}


def test_a_word_that_a_row_refuses_is_told_from_one_that_it_never_writes() -> None:
    refusing = PLAYED["refuses a bare LF at the end"]
    row = Dialect("row", "row", (), reader=refusing, writer=WriterDialect(("refuse NUL",)))
    words = [symbols(content) for content in (b"x", b"x\nx", b"\0")]
    assert refused_by_relay(row, words) == [symbols(b"x\nx")]
    assert [word for word, wire in said_by_relay(row, words).items() if wire is None] == words[1:]


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
