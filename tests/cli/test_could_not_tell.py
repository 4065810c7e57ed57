"""What could not be told is never safe, equal or exit code 0: each way in which a verdict can fail to be reached."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_lab import ME
from tests.lab.odd import Choosy, Closing, Tarpit, varying
from tests.lab.played import PLAYED
from tidewaiter.cli import dialect_text, lab_text, main
from tidewaiter.cli.exit import Exit
from tidewaiter.lab import conform as conforming
from tidewaiter.lab.emissions import Mismatch
from tidewaiter.lab.fit import fits
from tidewaiter.lab.learning import Asking, Learned, Untold
from tidewaiter.lab.modes import BODY, MODES
from tidewaiter.lab.target import Target, UntoldError
from tidewaiter.lab.writer import Compared, compare_command
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.table import table_of
from tidewaiter.model.dialect import STRICT, Unknown
from tidewaiter.model.sentence import Sentence
from tidewaiter.rig.player import HOST, Line, Player
from tidewaiter.smuggling import product
from tidewaiter.smuggling.product import Answer, smuggle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOOD = ("EQUAL", "CONFORMS", "SAFE")
UNKNOWN = replace(STRICT, id="unknown", unknown=(Unknown("reader.normal.ends"),))


def mortal(sessions: int) -> type[Line]:
    """A server that greets as many sessions as that, and is never heard of again."""
    turns = itertools.count(1)

    class Mortal(Line):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            if next(turns) > sessions:
                transport.close()
            else:
                super().connection_made(transport)

    return Mortal


@contextmanager
def serving(line: type[Line], size: int = 500) -> Iterator[str]:
    """Serve in a thread of its own, as a program beside the command line would, and give the address."""
    assert STRICT.reader
    player, loop, address = Player(STRICT.reader, size=size), asyncio.new_event_loop(), []
    listening, leave, lines = threading.Event(), asyncio.Event(), list[Line]()

    def greet() -> Line:
        lines.append(line(player))
        return lines[-1]

    async def serve() -> None:
        server = await loop.create_server(greet, HOST, 0, backlog=512)
        async with server:
            address.append(f"{HOST}:{server.sockets[0].getsockname()[1]}")
            listening.set()
            await leave.wait()
            for _ in range(3):  # asyncio leaves a socket open that was accepted when its server is closed at once
                await asyncio.sleep(0)
        for _ in range(9):  # what is still being accepted comes in the loop's next turns, and goes in one more
            for each in lines:
                each._close()
            await asyncio.sleep(0)

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert listening.wait(10)
        yield address[0]
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()
        loop.close()


def code_of(argv: list[str]) -> int:
    """The exit code, however it is left."""
    try:
        return main(argv)
    except SystemExit as left:
        return int(left.code or 0)


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("verb", [["learn", "--mode", "body"], ["conform", "strict"]], ids=["learn", "conform"])
@pytest.mark.parametrize(
    "line",
    [lambda: Closing, lambda: Tarpit, lambda: Choosy, varying, lambda: mortal(9)],
    ids=["closes", "is silent", "refuses the recipient", "varies", "dies"],
)
def test_a_server_of_which_nothing_can_be_told_is_neither_equal_nor_conforms(
    line: Callable[[], type[Line]],
    verb: list[str],
    form: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tidewaiter.lab.target.Target", partial(Target, within=0.5, silence=0.5, pause=0.02))
    with serving(line()) as address:
        code = code_of(["lab", *verb, address, "--recipient", ME, "--format", form])
    said = capsys.readouterr().out
    assert code in (Exit.UNKNOWN, Exit.BAD)
    assert code == Exit.UNKNOWN or verb[0] == "conform"
    assert not [word for word in GOOD if word in said]
    assert '"equal": true' not in said


def test_a_mode_out_of_reach_is_said_and_what_was_asked_besides_does_not_make_it_good(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(Line, size=1 << 30) as address:
        assert code_of(["lab", "conform", "strict", address, "--recipient", ME]) == Exit.UNKNOWN
        said = capsys.readouterr().out
        asked = ["lab", "learn", address, "--recipient", ME, "--mode", "over the size limit", "--format", "json"]
        assert code_of(asked) == Exit.UNKNOWN
    assert "over the size limit: COULD NOT TELL: its size limit is 1073741824 octets" in said
    assert "CONFORMS" not in said
    told = json.loads(capsys.readouterr().out)["modes"]["over the size limit"]
    assert told["could_not_tell"].startswith("its size limit is 1073741824 octets")


def learned() -> Learned:
    assert STRICT.reader
    return Learned(BODY, table_of(Splitter(STRICT.reader)), "pipelined", None, 7, 1.0)


def test_a_row_that_fits_what_was_learned_is_not_equal_where_a_mode_was_not() -> None:
    found: list[Learned | Untold] = [learned(), Untold(MODES["header"], Sentence("the server names no size limit"))]
    ranked = fits([learned()], [STRICT])
    assert ranked[0].equal
    assert "EQUAL to strict" in lab_text.learned(found[:1], ranked)
    assert "EQUAL" not in lab_text.learned(found, ranked)
    assert "COULD NOT TELL whether it is strict" in lab_text.learned(found, ranked)
    assert [row["equal"] for row in lab_text.learned_data(found, ranked)["rows"]] == [False]


@pytest.mark.parametrize(("length", "equal"), [(0, False), (2, False), (3, True), (5, True)])
def test_contents_that_are_too_short_show_no_equality(length: int, equal: bool) -> None:
    few = Compared("curl-7.88", 7, length, ())
    assert few.equal is equal
    assert ("EQUAL" in lab_text.compared(few)) is equal
    assert lab_text.compared_data(few)["equal"] is equal
    differs = replace(few, mismatches=(Mismatch((), b"", None),))
    assert not differs.equal
    assert "DIFFERS" in lab_text.compared(differs)


def test_a_row_that_is_not_known_is_conformed_to_by_nobody_and_equalled_by_nobody() -> None:
    with serving(Line) as address, asyncio.Runner() as runner, pytest.raises(UntoldError, match="unknown"):
        conforming.conform(Asking(Target(HOST, int(address.split(":")[1]), ME), runner), UNKNOWN, [STRICT])
    with pytest.raises(UntoldError, match="unknown"):
        compare_command(UNKNOWN, ["true"], 0)


def test_a_product_with_too_many_states_is_not_safe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(product, "STATES", 3)
    assert main(["dialect", "smuggle", "ours", "aiosmtpd-1.4.6"]) == Exit.UNKNOWN
    said = capsys.readouterr().out
    assert "COULD NOT TELL: the product has too many states" in said
    assert main(["dialect", "smuggle", "ours", "aiosmtpd-1.4.6", "--format", "json"]) == Exit.UNKNOWN
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["safe_within_size_limits"], told["attack"]) == ("could not tell", False, None)


@pytest.mark.parametrize("states", [3, 2_000_000])
def test_an_answer_says_why_it_is_none(states: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(product, "STATES", states)
    reader = UNKNOWN if states > 3 else replace(STRICT, reader=PLAYED["refuses a bare LF at the end"])
    answer = smuggle(STRICT, (), reader)
    assert answer.verdict == "could not tell"
    assert answer.why
    assert "COULD NOT TELL" in dialect_text.Told(answer, ("strict", reader.id), within=False, unsafe=False).text()


def test_an_answer_without_a_reason_is_still_none() -> None:
    told = dialect_text.Told(Answer("could not tell", 1), ("a", "b"), within=False, unsafe=False)
    assert "COULD NOT TELL" in told.text()
    assert not told.data()["safe_within_size_limits"]
