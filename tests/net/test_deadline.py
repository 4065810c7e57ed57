"""A deadline: late once, not before its time, moved without a timer, and looked after by a watch that can rest."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.net.deadline import LOOK_SECONDS, Deadline, Watch

LATENESS = 3 * LOOK_SECONDS
TINY = 1e-6
"""Above what adding tenths of a second is wrong by."""


class Clock(asyncio.AbstractEventLoop):
    """A loop on which time passes when the test says so."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self.timers = 0
        self.faults = 0
        self._waiting: list[tuple[float, int, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Any, *_: object, **__: object) -> asyncio.TimerHandle:
        self.timers += 1
        heapq.heappush(self._waiting, (self.now + delay, self.timers, callback))
        return asyncio.TimerHandle(self.now + delay, callback, (), self)

    def call_soon(self, callback: Any, *_: object, **__: object) -> asyncio.Handle:
        return self.call_later(0, callback)

    def get_debug(self) -> bool:
        return False

    def run(self, seconds: float) -> None:
        """Let so much time pass; what fails is counted, as a loop does that goes on."""
        end = self.now + seconds
        while self._waiting and self._waiting[0][0] <= end:
            self.now, _, callback = heapq.heappop(self._waiting)
            try:
                callback()
            except RuntimeError:
                self.faults += 1
        self.now = end


class Scene:
    """A watch, a deadline, and when it was late."""

    def __init__(self, now: float = 1000.0) -> None:
        self.clock = Clock(now)  # type: ignore[abstract]  # a watch calls no more of it
        self.watch = Watch(self.clock)
        self.late: list[float] = []
        self.deadline = self.another(lambda: self.late.append(self.clock.now))

    def another(self, late: Callable[[], None] = lambda: None) -> Deadline:
        return Deadline(self.watch, late)


@pytest.fixture
def scene() -> Scene:
    return Scene()


_SETTINGS = st.lists(st.tuples(st.floats(0, 0.5), st.none() | st.floats(0, 1)), min_size=1, max_size=12)
"""Pauses, each before a deadline is cleared, or set to so many seconds."""


@given(now=st.floats(0, 1e6), settings=_SETTINGS, busy=st.booleans())
def test_it_is_late_once_after_what_was_set_last_not_before_and_at_most_three_looks_behind(
    now: float, settings: list[tuple[float, float | None]], *, busy: bool
) -> None:
    scene = Scene(now)
    if busy:
        scene.another().set(60)
    settings.append((5, None))
    for (_, seconds), (until, _) in pairwise([(0.0, None), *settings]):
        at = scene.clock.now
        scene.deadline.clear() if seconds is None else scene.deadline.set(seconds)
        scene.clock.run(until)
        late, scene.late = scene.late, []
        if seconds is None or until <= seconds - TINY:
            assert late == [], "late without a reason, or before its time"
        elif late or until > seconds + LATENESS + TINY:
            [moment] = late
            assert at + seconds - TINY <= moment <= at + seconds + LATENESS + TINY


def test_moved_again_and_again_it_is_never_late(scene: Scene) -> None:
    for _ in range(100):
        scene.deadline.set(2 * LOOK_SECONDS)
        scene.clock.run(LOOK_SECONDS)
    assert scene.late == []


def test_cleared_or_closed_it_is_never_late(scene: Scene) -> None:
    scene.deadline.set(0.01)
    scene.deadline.clear()
    scene.clock.run(LATENESS)
    scene.deadline.set(0.01)
    scene.deadline.close()
    scene.clock.run(LATENESS)
    assert scene.late == []


def test_it_can_be_set_again_once_it_was_late(scene: Scene) -> None:
    for times in (1, 2):
        scene.deadline.set(0.01)
        scene.clock.run(LATENESS)
        assert len(scene.late) == times


def test_one_that_fails_takes_no_other_with_it(scene: Scene) -> None:
    def fail() -> None:
        raise RuntimeError

    for each in (*(scene.another(fail) for _ in range(5)), scene.deadline):
        each.set(0.01)
    scene.clock.run(LATENESS)
    assert (len(scene.late), scene.clock.faults) == (1, 5)
    scene.deadline.set(0.01)
    scene.clock.run(LATENESS)
    assert len(scene.late) == 2


def test_what_one_that_is_late_closes_is_not_late_itself(scene: Scene) -> None:
    def close_all() -> None:
        scene.late.append(scene.clock.now)
        for each in both:
            each.close()

    both = [scene.another(close_all) for _ in range(2)]
    for each in both:
        each.set(0.01)
    scene.clock.run(LATENESS)
    assert len(scene.late) == 1


def test_one_that_another_moves_at_the_last_moment_is_late_once(scene: Scene) -> None:
    def move() -> None:
        scene.late.append(scene.clock.now)
        if len(scene.late) == 1:
            for each in both:
                each.set(0.01)

    both = [scene.another(move) for _ in range(2)]
    for each in both:
        each.set(0.01)
    scene.clock.run(2 * LATENESS)
    assert len(scene.late) == 3


def test_a_thousand_deadlines_moved_a_thousand_times_cost_no_timer_each(scene: Scene) -> None:
    many = [scene.another() for _ in range(1000)]
    for number, each in enumerate(many):
        each.set(600.0)
        many[0].set(float(number))
    scene.clock.run(10 * LOOK_SECONDS)
    # The looks, and each time that the first one is judged.
    assert scene.clock.timers < 30


def test_with_no_deadline_left_nothing_wakes_the_loop(scene: Scene) -> None:
    scene.deadline.set(0.01)
    scene.clock.run(2 * LATENESS)
    before = scene.clock.timers
    scene.clock.run(60)
    assert scene.clock.timers == before
    scene.deadline.set(0.01)
    scene.clock.run(LATENESS)
    assert len(scene.late) == 2


def test_one_that_is_closed_long_before_its_time_is_let_go_of(scene: Scene) -> None:
    scene.deadline.set(600.0)
    scene.deadline.close()
    scene.clock.run(LATENESS)
    before = scene.clock.timers
    scene.clock.run(60)
    assert scene.clock.timers == before
