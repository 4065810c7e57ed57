"""A played program splits a stream as its words say, held against splitting by hand, and slices do not matter to it."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.model.dialect import NORMAL, STRICT, End, Mode, ReaderDialect, Then
from tidewaiter.rig.caller import Caller
from tidewaiter.rig.player import Line, Player, Taken, playing

if TYPE_CHECKING:
    from collections.abc import Sequence

ACCEPT = Then(accepted=True, code=250, goes_on="commands")
LENIENT = ReaderDialect(modes=((NORMAL, Mode((End("LF . CR? LF", ACCEPT),))),), lines=("CR LF", "LF"))
HEAD = b"EHLO a.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"
# An oracle by regular expression, which knows nothing of symbols or patterns.
ORACLES = {"strict": rb"(?:\A|\r\n)\.\r\n", "lenient": rb"(?:\A|\n)\.\r?\n"}
READERS = {"strict": STRICT.reader, "lenient": LENIENT}
pieces = st.lists(st.sampled_from([b"\r\n", b"\n", b"\r", b".", b"x", b"\0", b"\r\n.\r\n", b"\n.\n"]), max_size=12)


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self._closing = True

    def is_closing(self) -> bool:
        return self._closing


def play(reader: ReaderDialect, blocks: Sequence[bytes]) -> tuple[list[Taken], bytes]:
    player, wire = Player(reader), Wire()
    line = Line(player)
    line.connection_made(wire)
    for block in blocks:
        line.data_received(block)
    return player.taken, wire.written


@pytest.mark.parametrize("name", READERS)
@given(content=pieces)
def test_a_message_ends_where_its_words_say(name: str, content: list[bytes]) -> None:
    reader = READERS[name]
    assert reader
    wire = b"".join(content)
    taken, _ = play(reader, [HEAD, wire])
    found = re.search(ORACLES[name], wire)
    assert [each.wire for each in taken] == ([wire[: found.end()]] if found else [])


@given(content=pieces, cuts=st.lists(st.integers(0, 80)))
def test_slicing_never_changes_what_was_taken_or_answered(content: list[bytes], cuts: list[int]) -> None:
    wire = HEAD + b"".join(content) + b"\r\n.\r\nQUIT\r\n"
    places = [0, *sorted(cuts), len(wire)]
    blocks = [wire[start:end] for start, end in pairwise(places)]
    assert play(LENIENT, blocks) == play(LENIENT, [wire])


def test_a_program_that_drops_what_is_buffered_behind_an_end_drops_the_message_too() -> None:
    at_once = Then(accepted=True, code=250, goes_on="commands after edge")
    reader = ReaderDialect(modes=((NORMAL, Mode((End("LF . LF", at_once),))),), lines=("CR LF", "LF"))
    assert play(reader, [HEAD, b"x\n.\nNOOP\r\n"])[0] == []
    [taken] = play(reader, [HEAD, b"x\n.\n", b"NOOP\r\n"])[0]
    assert taken == Taken(b"FROM:<a@a.test>", (b"TO:<b@b.test>",), b"x\n.\n", accepted=True)


@pytest.mark.parametrize("kept", [True, False])
def test_an_envelope_that_survives_its_end_is_used_again(*, kept: bool) -> None:
    end = Then(accepted=False, code=451, goes_on="commands", envelope_kept=kept)
    reader = ReaderDialect(modes=((NORMAL, Mode((End("CR LF . CR LF", end),))),))
    _, said = play(reader, [HEAD, b".\r\nDATA\r\n"])
    assert said.splitlines()[-1][:3] == (b"354" if kept else b"503")


def test_a_program_that_stays_in_data_takes_what_follows_for_content_of_the_same_envelope() -> None:
    stays = Then(accepted=False, code=552, goes_on="content")
    end = Then(accepted=True, code=250, goes_on="commands")
    reader = ReaderDialect(
        modes=(
            (NORMAL, Mode((End("CR LF . CR LF", end),), (("NUL", "lost"),))),
            ("lost", Mode((End("CR LF . CR LF", stays),))),
        ),
        start="",
    )
    wire = b"\0\r\n.\r\nMAIL FROM:<c@c.test>\r\n.\r\n"
    [taken], said = play(reader, [HEAD, wire])
    assert taken == Taken(b"FROM:<a@a.test>", (b"TO:<b@b.test>",), wire, accepted=True)
    assert [line[:3] for line in said.splitlines()[-2:]] == [b"552", b"250"]


def test_replies_come_to_a_caller_whole_and_in_their_order() -> None:
    async def ask() -> list[int]:
        async with playing(Player(LENIENT)) as port:
            caller = await Caller.call("127.0.0.1", port, 5.0)
            caller.write(HEAD + b"x\n.\nNOOP\r\nQUIT\r\n")
            assert await caller.until(99, 5.0)
            assert caller.closed
            return [answer.code for answer in caller.replies]

    assert asyncio.run(ask()) == [220, 250, 250, 250, 354, 250, 250, 221]
