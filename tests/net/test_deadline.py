"""A deadline: late once, not before its time, moved without a timer, and looked after by a watch that can rest."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from tidewaiter.net.deadline import LOOK_SECONDS, Deadline, Watch

Late = list[float]
Scene = Callable[[Watch, Deadline, Late], Awaitable[None]]


class Loop(asyncio.SelectorEventLoop):
    """One that counts its timers, and keeps what failed."""

    def __init__(self) -> None:
        """Start with none."""
        super().__init__()
        self.timers = 0
        self.faults: list[str] = []
        self.set_exception_handler(lambda _, context: self.faults.append(context["message"]))

    def call_at(self, *arguments: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]  # all it takes
        self.timers += 1
        return super().call_at(*arguments, **options)


def play(scene: Scene) -> tuple[Late, Loop]:
    late: Late = []

    async def within() -> None:
        watch = Watch(asyncio.get_running_loop())
        deadline = Deadline(watch, lambda: late.append(watch.loop.time()))
        await scene(watch, deadline, late)
        deadline.close()

    loop = Loop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(within())
    return late, loop


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


def _has(late: Late, times: int) -> bool:
    return len(late) == times


@pytest.mark.parametrize("waits", [(0.02,), (0.0,), (0.15,), (0.25, 0.05), (0.01, 0.25), (60.0, 0.01), (0.0, 0.35)])
def test_it_is_late_once_after_what_was_set_last_and_not_before(waits: tuple[float, ...]) -> None:
    async def scene(watch: Watch, deadline: Deadline, late: Late) -> None:
        due = 0.0
        for seconds in waits:
            due = watch.loop.time() + seconds
            deadline.set(seconds)
        await until(lambda: late)
        assert late[0] >= due
        await asyncio.sleep(3 * LOOK_SECONDS)

    assert len(play(scene)[0]) == 1


def test_set_between_two_looks_it_is_not_late_before_its_time() -> None:
    async def scene(watch: Watch, deadline: Deadline, late: Late) -> None:
        Deadline(watch, lambda: None).set(60)
        await asyncio.sleep(0.8 * LOOK_SECONDS)
        due = watch.loop.time() + 0.5 * LOOK_SECONDS
        deadline.set(0.5 * LOOK_SECONDS)
        await until(lambda: late)
        assert late[0] >= due

    assert len(play(scene)[0]) == 1


def test_moved_again_and_again_it_is_never_late() -> None:
    async def scene(_watch: Watch, deadline: Deadline, late: Late) -> None:
        # Long enough that a busy machine does not make it late, and moved for longer than that.
        for _ in range(15):
            deadline.set(10 * LOOK_SECONDS)
            await asyncio.sleep(LOOK_SECONDS)
        assert not late

    play(scene)


def test_cleared_or_closed_it_is_never_late() -> None:
    async def scene(_watch: Watch, deadline: Deadline, _: Late) -> None:
        deadline.set(0.01)
        deadline.clear()
        await asyncio.sleep(4 * LOOK_SECONDS)
        deadline.set(0.01)
        deadline.close()
        await asyncio.sleep(4 * LOOK_SECONDS)

    assert play(scene)[0] == []


def test_it_can_be_set_again_once_it_was_late() -> None:
    async def scene(_watch: Watch, deadline: Deadline, late: Late) -> None:
        for times in (1, 2):
            deadline.set(0.01)
            await until(partial(_has, late, times))

    assert len(play(scene)[0]) == 2


def test_one_that_fails_takes_no_other_with_it() -> None:
    async def scene(watch: Watch, deadline: Deadline, late: Late) -> None:
        def fail() -> None:
            raise RuntimeError

        failing = [Deadline(watch, fail) for _ in range(5)]
        for each in (*failing, deadline):
            each.set(0.01)
        await until(lambda: late)
        deadline.set(0.01)
        await until(lambda: len(late) == 2)

    late, loop = play(scene)
    assert len(late) == 2
    assert len(loop.faults) == 5


def test_what_one_that_is_late_closes_is_not_late_itself() -> None:
    async def scene(watch: Watch, _deadline: Deadline, late: Late) -> None:
        def close_all() -> None:
            late.append(watch.loop.time())
            for each in both:
                each.close()

        both = [Deadline(watch, close_all) for _ in range(2)]
        for each in both:
            each.set(0.01)
        await asyncio.sleep(4 * LOOK_SECONDS)

    assert len(play(scene)[0]) == 1


def test_a_thousand_deadlines_moved_a_thousand_times_cost_no_timer_each() -> None:
    async def scene(watch: Watch, _deadline: Deadline, _late: Late) -> None:
        many = [Deadline(watch, lambda: None) for _ in range(1000)]
        for round_number in range(1000):
            many[round_number].set(600.0)
            many[0].set(float(round_number))
        for each in many:
            each.close()

    # Most of them are looks; how many there are depends on how fast this machine is.
    assert play(scene)[1].timers < 100


def test_with_no_deadline_left_nothing_wakes_the_loop() -> None:
    async def scene(watch: Watch, deadline: Deadline, late: Late) -> None:
        deadline.set(0.01)
        await until(lambda: late)
        await asyncio.sleep(2 * LOOK_SECONDS)
        before = watch.loop.timers  # type: ignore[attr-defined]  # it is ours
        await asyncio.sleep(5 * LOOK_SECONDS)
        assert watch.loop.timers == before + 1  # type: ignore[attr-defined]  # the sleep's own
        deadline.set(0.01)
        await until(lambda: len(late) == 2)

    assert len(play(scene)[0]) == 2


def test_one_that_is_closed_long_before_its_time_is_let_go_of() -> None:
    async def scene(watch: Watch, deadline: Deadline, _late: Late) -> None:
        deadline.set(600.0)
        deadline.close()
        await asyncio.sleep(3 * LOOK_SECONDS)
        before = watch.loop.timers  # type: ignore[attr-defined]  # it is ours
        await asyncio.sleep(5 * LOOK_SECONDS)
        assert watch.loop.timers == before + 1  # type: ignore[attr-defined]  # the sleep's own

    assert play(scene)[0] == []
