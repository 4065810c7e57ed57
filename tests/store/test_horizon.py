"""No clock deletes the record at once (issue 14)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.store.horizon import SPEED, Horizon

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MONTH, YEAR, DAY, MINUTE = timedelta(days=30), timedelta(days=365), timedelta(days=1), timedelta(minutes=1)


def test_while_the_clock_is_right_what_is_too_old_goes_within_a_minute() -> None:
    horizon = Horizon(MONTH)
    for minute in range(100):
        now = NOW + minute * MINUTE
        assert horizon.move(NOW - MONTH, now, minute * 60.0) == now - MONTH
        assert not horizon.is_behind(now)


def test_a_clock_that_jumps_a_year_deletes_a_day_in_an_hour_and_is_told() -> None:
    horizon = Horizon(MONTH)
    horizon.move(NOW - MONTH, NOW, 0.0)
    deleted = horizon.move(NOW - MONTH, NOW + YEAR, 3600.0) - (NOW - MONTH)
    assert deleted == timedelta(hours=SPEED)
    assert horizon.is_behind(NOW + YEAR)
    assert horizon.move(NOW - MONTH + deleted, NOW + 2 * MINUTE, 3660.0) == NOW - MONTH + 2 * MINUTE, "set right again"
    assert not horizon.is_behind(NOW)


def test_a_clerk_that_starts_behind_the_jump_begins_at_the_oldest_record() -> None:
    assert Horizon(MONTH).move(NOW - MONTH, NOW + YEAR, 77.0) == NOW - MONTH


def test_records_from_before_a_clock_was_set_do_not_hold_up_the_others() -> None:
    horizon = Horizon(MONTH)
    first = datetime(1970, 1, 1, tzinfo=UTC)
    horizon.move(first, NOW, 0.0)
    assert horizon.move(first, NOW, 60.0) > first, "those go"
    assert horizon.move(NOW - MONTH, NOW, 120.0) >= NOW - 2 * MONTH, "and the way to the next is not 56 years long"


@given(st.lists(st.tuples(st.floats(0, 7200), st.integers(-400, 400)), min_size=1))
def test_whatever_the_clock_does_it_goes_no_faster_than_that_and_nothing_young_is_deleted(
    steps: list[tuple[float, int]],
) -> None:
    """Of a store that is full of records, each minute one."""
    horizon, monotonic, oldest = Horizon(MONTH), 0.0, NOW - MONTH
    horizon.move(oldest, NOW, monotonic)
    for seconds, days in steps:
        monotonic += seconds
        now = NOW + days * DAY
        deleted_until = horizon.move(oldest, now, monotonic)
        assert deleted_until <= now - MONTH
        rounding = timedelta(seconds=1)
        assert deleted_until <= NOW - MONTH + SPEED * timedelta(seconds=monotonic) + rounding
        oldest = max(oldest, deleted_until)
