"""Fixed limits count: each row of docs/limits.md, shortened in the code, binds through the gateway, and is given back.

A row that has no check here fails `test_every_fixed_limit_has_a_check`; a constant that nothing looks at fails its
check, since what is awaited is what the shorter one brings.
"""

import re
from pathlib import Path

import pytest

from tests.gateway import fixed_clients, fixed_hops, fixed_records
from tests.gateway.scene import Check

PAGE = (Path(__file__).parents[2] / "docs/limits.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `([\w.]+)` \| [\d.]+ \|", PAGE, re.MULTILINE)
CHECKS: dict[str, Check] = {**fixed_clients.CHECKS, **fixed_hops.CHECKS, **fixed_records.CHECKS}

ELSEWHERE = {
    "gateway.processes.children.SILENCE_SECONDS": "gateway/test_children.py::test_a_child_whose_loop_hangs_is_silent",
    "delivery.addresses.AVOIDED_SECONDS": "delivery/test_addresses.py"
    "::test_an_address_that_failed_a_message_is_tried_behind_the_others_for_five_minutes",
    "store.horizon.SPEED": "store/test_horizon.py::test_a_clock_that_jumps_a_year_deletes_a_day_in_an_hour_and_is_told",
}
"""Rows that bound the supervisor, the clerk or the order of addresses: by which test they are held."""

pytestmark = pytest.mark.interpreted  # what is compiled has its constants within it


def test_every_fixed_limit_has_a_check() -> None:
    assert sorted([*CHECKS, *ELSEWHERE]) == sorted(ROWS)


@pytest.mark.parametrize("limit", ELSEWHERE)
def test_a_limit_that_is_checked_elsewhere_is(limit: str) -> None:
    file, _, name = ELSEWHERE[limit].partition("::")
    source = (Path(__file__).parents[1] / file).read_text(encoding="utf-8")
    assert f"def {name}(" in source
    assert limit.rpartition(".")[2] in source


@pytest.mark.parametrize("limit", CHECKS)
async def test_a_fixed_limit_binds_and_is_given_back(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, name = limit.rpartition(".")

    def fix(value: object, what: str = f"{module}.{name}") -> None:
        monkeypatch.setattr(f"tidewaiter.{what}", value)

    await CHECKS[limit](tmp_path, fix)
