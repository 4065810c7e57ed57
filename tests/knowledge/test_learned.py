"""The page that says how rows and real programs compared leaves out no row that was asked."""

from pathlib import Path

import pytest

from tests.knowledge.test_dialects import BOOTED
from tidewaiter.knowledge.dialects import dialects

PAGE = (Path(__file__).parents[2] / "docs" / "learned.md").read_text(encoding="utf-8")
ASKED = [name for name in dialects() if name.startswith((*BOOTED, "smtpd", "twisted"))]


@pytest.mark.parametrize("name", ASKED)
def test_every_row_that_was_asked_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_page_names_no_row_that_is_not_there() -> None:
    rows = dialects()
    named = [line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert named
    assert all(name in rows for name in named)
