"""An error of the system is told by its name, its reason and its place."""

import errno

import pytest

from tidewaiter.store.told import in_a_line, told

FULL = "No space left on device"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "x"), {"errno": "ENOSPC", "reason": FULL, "path": "place"}),
        (OSError(errno.ENOSPC, "x", "a/b"), {"errno": "ENOSPC", "reason": FULL, "path": "a/b"}),
        (ValueError("no number"), {"errno": "", "reason": "no number", "path": "place"}),
        (ValueError(), {"errno": "", "reason": "ValueError", "path": "place"}),
    ],
)
def test_an_error_names_its_own_path_or_where_it_happened(error: Exception, said: dict[str, str]) -> None:
    assert told(error, "place") == said


def test_in_a_line_the_place_stands_behind_the_reason() -> None:
    assert in_a_line(OSError(errno.ENOSPC, "x"), "place") == f"ENOSPC, {FULL}: place"
    assert in_a_line(OSError(errno.ENOSPC, "x")) == f"ENOSPC, {FULL}"
    assert in_a_line(ValueError("why"), "place") == "why: place"
