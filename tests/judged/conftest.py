"""What was counted is told at the end of the run, beside the counts of tests/conftest.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Tell = Callable[[str], None]


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """Say one sentence in the summary of the run."""
    return lambda sentence: record_property("count", sentence)
