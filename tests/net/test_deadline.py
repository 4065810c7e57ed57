"""A deadline: late once, not before its time, and moved without a new timer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from tidewaiter.net import deadline as deadline_module
from tidewaiter.net.deadline import Deadline


class Loop(asyncio.SelectorEventLoop):
    """One that counts its timers."""

    timers = 0

    def call_at(self, *arguments: Any, **options: Any) -> asyncio.TimerHandle:  # type: ignore[override]  # all it takes
        self.timers += 1
        return super().call_at(*arguments, **options)


def play(scene: Callable[[Deadline, list[float]], Awaitable[None]]) -> list[float]:
    late: list[float] = []

    async def within() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop, lambda: late.append(loop.time()))
        await scene(deadline, late)
        deadline.close()

    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(within())
    return late


def waiting(*seconds: float) -> Callable[[Deadline, list[float]], Awaitable[None]]:
    """Set it anew with each, and see that it is late after the last and not before."""

    async def scene(deadline: Deadline, late: list[float]) -> None:
        due = 0.0
        for each in seconds:
            due = asyncio.get_running_loop().time() + each
            deadline.set(each)
        while not late:
            await asyncio.sleep(0.005)
        assert late[0] >= due - 0.001

    return scene


def test_it_is_late_once_and_not_before_its_time() -> None:
    async def scene(deadline: Deadline, late: list[float]) -> None:
        due = asyncio.get_running_loop().time() + 0.02
        deadline.set(0.02)
        while not late:
            await asyncio.sleep(0.005)
        assert late[0] >= due - 0.001
        await asyncio.sleep(0.03)

    assert len(play(scene)) == 1


def test_moved_on_it_is_late_at_the_new_time() -> None:
    assert len(play(waiting(0.01, 0.05))) == 1


def test_moved_forward_it_is_not_late_at_the_old_time() -> None:
    async def scene(deadline: Deadline, late: list[float]) -> None:
        deadline.set(60)
        deadline.set(0.01)
        while not late:
            await asyncio.sleep(0.005)

    assert len(play(scene)) == 1


def test_cleared_or_closed_it_is_never_late() -> None:
    async def scene(deadline: Deadline, _: list[float]) -> None:
        deadline.set(0.01)
        deadline.clear()
        await asyncio.sleep(0.03)
        deadline.set(0.01)
        deadline.close()
        await asyncio.sleep(0.03)

    assert play(scene) == []


@pytest.mark.interpreted
def test_a_long_wait_is_looked_at_in_between_and_not_late_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline_module, "LOOK_SECONDS", 0.01)
    assert len(play(waiting(0.05))) == 1


def test_long_waits_of_any_length_share_one_timer() -> None:
    async def scene(deadline: Deadline, _: list[float]) -> None:
        loop = cast(Loop, asyncio.get_running_loop())
        for seconds in (600.0, 300.0, 180.0, 60.0, 900.0):
            deadline.set(seconds)
        assert loop.timers == 1
        deadline.set(5.0)
        assert loop.timers == 2

    assert play(scene) == []
