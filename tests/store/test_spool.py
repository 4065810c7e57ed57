"""The spool: what goes in comes out, in memory or through a file, within one room, and the room comes back."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.nameless import write_all
from tidewaiter.store.spool import BLOCK, DISK_KEPT, Lack, Spool, SpoolRoom

SECONDS = 10.0
Scene = Callable[[SpoolRoom], Awaitable[None]]


def play(folder: Path, scene: Scene, *, message: int = 10, memory: int = 10**6, total: int = 10**9) -> None:
    async def within() -> None:
        files = FileThread(asyncio.get_running_loop())
        room = SpoolRoom(files, str(folder), message, memory, total, disk=10**12)
        try:
            await asyncio.wait_for(scene(room), SECONDS)
        finally:
            files.close()
        assert (room.used, room.memory_used) == (0, 0)

    asyncio.run(within())


async def settle(spool: Spool, caught_up: asyncio.Event) -> None:
    spool.flush()
    while not spool.complete:
        caught_up.clear()
        await caught_up.wait()
        spool.flush()


async def content(spool: Spool, room: SpoolRoom) -> bytes:
    """Read it back as a next hop's connection does, and as a Maildir does, and hold the two to be equal."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()
    room.files.run(lambda: b"".join(spool.pieces()), done.set_result)
    whole = await done
    read = b"".join(spool.blocks)
    while not spool.in_memory:
        block: asyncio.Future[object] = loop.create_future()
        spool.read(len(read), block.set_result)
        got = await block
        assert isinstance(got, bytes)
        if not got:
            break
        read += got
    assert read == whole
    return read


@settings(max_examples=30)
@given(st.lists(st.binary(max_size=40), max_size=20), st.booleans())
def test_what_goes_in_comes_out(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], in_turns: bool) -> None:
    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        spool = Spool(room, caught_up.set)
        for piece in pieces:
            spool.write(piece)
            if in_turns:
                await asyncio.sleep(0)
        await settle(spool, caught_up)
        assert await content(spool, room) == b"".join(pieces)
        assert spool.size == len(b"".join(pieces))
        spool.close()

    play(tmp_path_factory.mktemp("spool"), scene)


def test_small_messages_stay_in_memory_and_large_ones_leave_it(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        small, large = Spool(room, caught_up.set), Spool(room, caught_up.set)
        small.write(b"x" * 10)
        large.write(b"x" * (3 * BLOCK))
        assert (small.in_memory, large.in_memory) == (True, False)
        await settle(large, caught_up)
        assert room.memory_used == 10
        small.close()
        large.close()

    play(tmp_path, scene)


def test_when_memory_is_used_up_even_small_messages_go_to_a_file(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        spools = [Spool(room, lambda: None) for _ in range(3)]
        for spool in spools:
            spool.write(b"x" * 8)
        assert [spool.in_memory for spool in spools] == [True, True, False]
        for spool in spools:
            spool.close()

    play(tmp_path, scene, memory=20)


def test_who_writes_faster_than_the_disk_is_told_to_wait(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        spool = Spool(room, caught_up.set)
        spool.write(b"x" * BLOCK)
        assert not spool.behind
        spool.write(b"x" * BLOCK)
        assert spool.behind
        await settle(spool, caught_up)  # type: ignore[unreachable]  # a write changes `behind`, which types do not see
        assert not spool.behind
        spool.close()

    play(tmp_path, scene)


def test_a_room_that_is_used_up_fails_the_message_and_keeps_none_of_it(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        first, second = Spool(room, lambda: None), Spool(room, lambda: None)
        first.write(b"x" * 60)
        second.write(b"x" * 60)
        assert (first.failed, second.failed, room.used) == (False, True, 60)
        second.write(b"x")
        assert (second.size, room.used) == (0, 60)
        first.close()

    play(tmp_path, scene, message=1000, total=100)


def test_a_disk_with_little_left_takes_no_file_and_memory_goes_on(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        room.disk = DISK_KEPT + 3 * BLOCK
        large = Spool(room, caught_up.set)
        for _ in range(3):
            large.write(b"x" * BLOCK)
            await settle(large, caught_up)
        assert (large.failed, room.disk_left) == (False, 0)
        large.write(b"x" * (BLOCK + 1))
        large.flush()
        assert large.failed
        assert large.lack == Lack(4 * BLOCK + 1, DISK_KEPT, 4 * BLOCK + 1, 10**9)
        small = Spool(room, caught_up.set)
        small.write(b"x" * 10)
        small.flush()
        assert (small.failed, small.in_memory, small.complete) == (False, True, True)
        small.close()

    play(tmp_path, scene)


def test_a_disk_that_says_no_fails_the_message(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        spool = Spool(room, caught_up.set)
        spool.write(b"x" * 100)
        await caught_up.wait()
        assert spool.failed
        spool.close()

    play(tmp_path / "missing", scene)


def test_a_message_of_many_blocks_is_handed_over_block_by_block_and_ends(tmp_path: Path) -> None:
    whole = b"".join(bytes([letter]) * BLOCK for letter in b"abc") + b"d"

    async def scene(room: SpoolRoom) -> None:
        caught_up, done = asyncio.Event(), asyncio.get_running_loop().create_future()
        spool = Spool(room, caught_up.set)
        spool.write(whole)
        await settle(spool, caught_up)
        room.files.run(lambda: list(islice(spool.pieces(), 9)), done.set_result)
        assert [piece[:1] for piece in await done] == [b"a", b"b", b"c", b"d"]
        spool.close()

    play(tmp_path, scene)


@pytest.mark.parametrize("taken", [0, 1, 3, 5, 8])
def test_what_the_kernel_leaves_of_a_write_is_written_too(
    taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a signal comes in the midst of it, or room is short for a moment."""
    file, write = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT), os.write
    monkeypatch.setattr(os, "writev", lambda file, blocks: write(file, b"".join(blocks)[:taken]))
    monkeypatch.setattr(os, "write", lambda file, rest: write(file, rest[:2]))
    write_all(file, [b"abc", b"de", b"fgh"])
    assert os.pread(file, 99, 0) == b"abcdefgh"
    os.close(file)


def test_the_files_have_no_name_so_that_nothing_is_left_behind(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        spool = Spool(room, caught_up.set)
        spool.write(b"x" * 1000)
        await settle(spool, caught_up)
        assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240  # the test looks, not the loop
        spool.close()

    play(tmp_path, scene)


def test_closed_while_it_is_being_written_it_gives_its_room_back_once(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        spool = Spool(room, lambda: None)
        spool.write(b"x" * 1000)
        spool.close()
        await asyncio.sleep(0.05)

    play(tmp_path, scene)


def test_the_free_disk_is_looked_at_off_the_loop(tmp_path: Path) -> None:
    async def scene(room: SpoolRoom) -> None:
        room.disk = room.written = 10_000
        assert room.lack(1000) == Lack(needed=1000, disk_free=0, spool_used=0, spool_total=10**9)
        room.look()
        while room.written:
            await asyncio.sleep(0.001)
        assert room.lack(1000) is None
        there = os.statvfs(tmp_path)
        assert abs(room.disk - there.f_bavail * there.f_frsize) < room.disk / 10, "in bytes, and not in blocks"

    play(tmp_path, scene)


@pytest.mark.parametrize("in_file", [False, True])
def test_what_is_closed_while_it_is_read_is_not_taken_for_the_whole(tmp_path: Path, in_file: bool) -> None:
    """A worker that is told to leave gives the room back while the file thread writes into a Maildir."""

    async def scene(room: SpoolRoom) -> None:
        caught_up = asyncio.Event()
        spool = Spool(room, caught_up.set)
        spool.write(b"x" * (room.message_memory + 1 if in_file else 10))
        await settle(spool, caught_up)
        assert spool.in_memory is not in_file
        spool.close()
        with pytest.raises(OSError, match="canceled"):
            list(spool.pieces())

    play(tmp_path, scene)
