"""The running gateway, learned from outside, is the standard's own machine in each position, state for state.

Three that know nothing of one another must agree: what is learned of `tidewaiter run` by its replies, the machine taken
from our code, and the standard with what a position refuses, written down here by hand.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest

from tests.judged.gateway import gateway
from tidewaiter.cli.machine_text import reader as reader_text
from tidewaiter.lab.expected import expected
from tidewaiter.lab.learning import Asking, Learned, learn_all
from tidewaiter.lab.modes import MODES
from tidewaiter.lab.session import END, REFUSED
from tidewaiter.lab.target import Target
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.symbol import REPRESENTATIVE, Symbol
from tidewaiter.lines.table import CLOSED, CONTENT, ENDED, Table, difference, explored
from tidewaiter.model.dialect import NORMAL, OVERSIZE, End, Mode, ReaderDialect, Then
from tidewaiter.model.position import STRANGERS_DATA, Position, Positions
from tidewaiter.smuggling.ours import Ours, State

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Count

TRUE_END: Final = "CR LF . CR LF"
ACCEPT: Final = End(TRUE_END, Then(accepted=True, code=250, goes_on="commands"))
TOO_BIG: Final = (
    "too big",
    Mode((End(TRUE_END, Then(accepted=False, code=552, goes_on="commands")),), rejects=True),
)
ODD: Final = ("odd", Mode((End(TRUE_END, Then(accepted=False, code=550, goes_on="close")),), rejects=True))
TOLERANT: Final = ReaderDialect(modes=((NORMAL, Mode((ACCEPT,), ((OVERSIZE, "too big"),))), TOO_BIG))
REFUSING: Final = ReaderDialect(
    modes=(
        (NORMAL, Mode((ACCEPT,), (("!CR LF", "odd"), ("CR !LF", "odd"), ("NUL", "odd"), (OVERSIZE, "too big")))),
        ODD,
        TOO_BIG,
    )
)
ALL: Final = {position: Positions(bare_lf=position, bare_cr=position, nul=position) for position in Position}
POSITIONS: Final = {
    "strangers": (STRANGERS_DATA, REFUSING),
    "note": (ALL[Position.NOTE], TOLERANT),
    "repair": (ALL[Position.REPAIR], TOLERANT),
    "refuse": (ALL[Position.REFUSE], REFUSING),
}
CONFIGURATION: Final = """\
[[listener]]
address = "127.0.0.1:0"
role = "inbound"
{data}
[[route]]
domains = ["inside.test"]
next_hop = "maildir:mail"
[limits]
message_size = "64KiB"
header_size = "64KiB"
[workers]
count = 1
"""


def explored_from_code(positions: Positions) -> Table:
    """Ask our own code what a session shows: the end refused is a close, which is all that a client sees of it."""
    ours = Ours(positions)
    start: State | str = ours.start

    def step(place: State | str, symbol: Symbol) -> State | str:
        return fed(place, REPRESENTATIVE[symbol])

    def fed(place: State | str, wire: bytes) -> State | str:
        if isinstance(place, str):
            return place
        block = ours.pass_on(place, wire)
        return (CLOSED if block.state.reading.refused else ENDED) if block.ended else block.state

    def said(place: State | str) -> str:
        end = place if isinstance(place, str) else fed(place, REFUSED + END)
        assert isinstance(end, str)
        return CONTENT if not isinstance(place, str) and end == ENDED else end

    return explored(start, step, said)


@pytest.mark.parametrize("name", POSITIONS)
def test_our_code_is_the_standard_in_each_position(name: str) -> None:
    positions, by_hand = POSITIONS[name]
    mine, theirs = explored_from_code(positions), expected(Splitter(by_hand), MODES["first line"], "pipelined")
    assert difference(mine, theirs) is None, reader_text(mine)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in ("strangers", "note") else pytest.mark.soak) for name in POSITIONS]
)
def test_the_running_gateway_is_learned_to_be_the_standard(name: str, tmp_path: Path, count: Count) -> None:
    modes = [MODES["first line"], *MODES.values()][: count("modes in which the gateway is learned", 1, 1 + len(MODES))]
    position = "" if name == "strangers" else f'{{ bare_lf = "{name}", bare_cr = "{name}", nul = "{name}" }}'
    rest = CONFIGURATION.format(data=position and f"data = {position}")
    with gateway(tmp_path, rest) as (port,), asyncio.Runner() as runner:
        target = Target("127.0.0.1", port, "me@inside.test", within=30.0)
        found = learn_all(Asking(target, runner), modes)
    for each in found:
        assert isinstance(each, Learned), each
        truth = expected(Splitter(POSITIONS[name][1]), each.mode, each.way)
        assert difference(each.table, truth) is None, f"{each.mode.name}\n{reader_text(each.table)}"
