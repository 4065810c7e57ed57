"""A deadline: late once, not before its time, and moved without a new timer."""

import asyncio
from collections.abc import Awaitable, Callable

from tidewaiter.net.deadline import Deadline


def play(scene: Callable[[Deadline, list[float]], Awaitable[None]]) -> list[float]:
    late: list[float] = []

    async def within() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop, lambda: late.append(loop.time()))
        await scene(deadline, late)
        deadline.close()

    asyncio.run(within())
    return late


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
    async def scene(deadline: Deadline, late: list[float]) -> None:
        deadline.set(0.01)
        due = asyncio.get_running_loop().time() + 0.05
        deadline.set(0.05)
        while not late:
            await asyncio.sleep(0.005)
        assert late[0] >= due - 0.001

    assert len(play(scene)) == 1


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
