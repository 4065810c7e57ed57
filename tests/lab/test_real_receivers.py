"""The lab judges the rows: each real receiver reads as its row says; conformity takes minutes, learning hours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.lab.real import RECEIVERS, booted
from tidewaiter.cli.machine_text import reader as reader_text
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.conform import conform
from tidewaiter.lab.fit import fits
from tidewaiter.lab.learning import Asking, Learned, learn_all
from tidewaiter.lab.modes import BODY, MODES
from tidewaiter.lines.symbol import visible

if TYPE_CHECKING:
    from tests.conftest import Count

pytestmark = [pytest.mark.peers, pytest.mark.slow]

READERS = {name: row for name, row in dialects().items() if row.reader}
SETTINGS = tuple(name for name in RECEIVERS if name.startswith("sendmail-8.17-") and name != "sendmail-8.17-O-G-U")
SECONDS_LEARNED = ("aiosmtpd-1.4.4", "postfix-3.7-no", "haraka-3.3.3")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.soak if name in SETTINGS else ()) for name in RECEIVERS]
)
def test_a_real_receiver_conforms_to_its_row(name: str) -> None:
    with booted(name) as target, asyncio.Runner() as runner:
        found = conform(Asking(target, runner), READERS[name], READERS.values())
    assert [(each.mode.name, visible(each.word), each.server, each.row) for each in found.differences] == []
    assert [(each.mode.name, each.why) for each in found.untold] == []
    assert found.sessions <= 600


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in SECONDS_LEARNED else pytest.mark.soak) for name in RECEIVERS]
)
def test_a_real_receiver_is_learned_and_is_its_row(name: str, count: Count) -> None:
    modes = [*MODES.values()][: count("modes in which a real receiver is learned", 1, len(MODES))]
    assert BODY in modes
    with booted(name) as target, asyncio.Runner() as runner:
        found = learn_all(Asking(target, runner), modes)
    learned = [each for each in found if isinstance(each, Learned)]
    assert [each.mode for each in learned] == modes, found
    (fit,) = fits(learned, [READERS[name]])
    machines = "\n".join(f"{each.mode.name}\n{reader_text(each.table)}" for each in learned)
    assert fit.differences == (), machines
