"""A check for each row of docs/limits.md that bounds the examination, the spool, the log and the pages."""

import asyncio
import socket
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest

from tests.gateway.running import HOST, until
from tests.gateway.scene import MESSAGE, Check, Fix, Scene, scene
from tests.gateway.test_session import ATTACK
from tidewaiter.gateway.mail.examiner import Question
from tidewaiter.gateway.processes import declining
from tidewaiter.gateway.record.journal import Journal
from tidewaiter.gateway.record.pages import Page, Pages

REPAIRED: Final = '[[listener.exclusion]]\nnetworks = ["127.0.0.0/8"]\n----'
SOON: Final = 3.0


# Odd bytes, and what is asked about them.


async def _asked(folder: Path, content: bytes) -> Question:
    questions: list[Question] = []
    async with scene(folder, REPAIRED) as at:
        examiner: Any = at.gateway.worker.examiner
        ask = examiner.ask

        def listen(question: Question, then: Any) -> None:
            questions.append(question)
            ask(question, then)

        examiner.ask = listen
        caller = await at.ready()
        assert (await caller.data(content)).startswith("250 ")
        await at.gateway.recorded()
        await at.honest()
    [question] = questions
    return question


async def windows(folder: Path, fix: Fix) -> None:
    odd = (b"y" * 70 + b"\r\n") * 60 + b"a\nb\r\n"
    fix(3)
    question = await _asked(folder, b"Subject: x\r\n\r\n" + odd * 6)
    assert len(question.windows) <= 3
    assert sum(len(window.raw) for window in question.windows) <= 3 * 1024


async def window_bytes(folder: Path, fix: Fix) -> None:
    fix(100)
    question = await _asked(folder, b"Subject: x\r\n\r\na\nb\r\n" + (b"y" * 70 + b"\r\n") * 300)
    assert 0 < sum(len(window.raw) for window in question.windows) <= 200, "one window, and a block beside it"


async def listed(folder: Path, fix: Fix) -> None:
    fix(3)
    async with scene(folder, REPAIRED) as at:
        for count, at_least in ((2, False), (5, True)):
            caller = await at.ready()
            assert (await caller.data(b"Subject: x\r\n\r\n" + b"a\n" * count + b"b\r\n")).startswith("250 ")
            await at.gateway.settled()
            await until(lambda: len(at.gateway.memory.transactions) == 1 + at_least, "a record")  # noqa: B023 - at once
            record = at.gateway.memory.transactions[-1]
            assert record.oddities == {"bare_lf": min(count, 3)}
            assert [finding.at_least for finding in record.findings] == [at_least]
        await at.honest()


async def _is_read(at: Scene) -> bool:
    """Tell whether it is found out what others would have read in a smuggled message."""
    memory, before = at.gateway.memory, len(at.gateway.memory.findings)
    caller = await at.ready()
    await caller.say("DATA")
    await caller.send(ATTACK)
    assert (await caller.reply()).startswith("550 5.6.0 ")
    await at.gateway.settled()
    await until(lambda: not at.gateway.worker.examiner._asked, "the end of the examination")
    await asyncio.sleep(0)
    return len(memory.findings) > before


async def waiting(folder: Path, fix: Fix) -> None:
    async with scene(folder) as at:
        fix(0)
        assert not await _is_read(at)
        fix(64)
        assert await _is_read(at)
        await at.honest()


async def examiner_seconds(folder: Path, fix: Fix) -> None:
    async with scene(folder) as at:
        fix(0.0)
        assert not await _is_read(at)
        fix(30.0)
        assert await _is_read(at)
        await at.honest()


# Room, log, pages.


async def lack_seconds(folder: Path, fix: Fix) -> None:
    async with scene(folder, spool_total=60_000) as at:
        for seconds, lines_so_far in ((10.0, 1), (10.0, 1), (0.0, 2)):
            fix(seconds)
            caller = await at.ready(mail="MAIL FROM:<a@client.test> SIZE=70000")
            assert (await caller.say("DATA")).startswith("452 4.3.1 ")
            await asyncio.sleep(0)
            assert len(at.gateway.memory.told("no room for a message")) == lines_so_far
        assert at.gateway.memory.told("no room for a message")[1]["messages"] == 2
        await at.honest()


async def disk_kept(folder: Path, fix: Fix) -> None:
    fix(1000)
    async with scene(folder) as at:
        room, content = at.gateway.worker.room, MESSAGE + (b"x" * 70 + b"\r\n") * 5000
        for disk, reply in ((1000 + 500_000, "250 "), (1000 + 300_000, "452 4.3.1 ")):
            room.disk, room.written = disk, 0
            caller = await at.ready()
            assert (await caller.data(content)).startswith(reply)
        await at.honest()


async def journal_lines(folder: Path, fix: Fix) -> None:
    write = Journal._write
    async with scene(folder) as at:
        journal, caller = at.gateway.worker.recorder._journal, await at.call()
        fix(3)
        fix(lambda _journal, _chunk: 0, "gateway.record.journal.Journal._write")
        await caller.say("MAIL FROM:<a@client.test>")
        for _ in range(8):
            assert (await caller.say("RCPT TO:<b@elsewhere.test>")).startswith("554 "), "mail does not wait for the log"
        assert (len(journal._lines), journal.dropped > 0) == (3, True)
        fix(write, "gateway.record.journal.Journal._write")
        journal.flush()
        await until(lambda: at.gateway.memory.told("log lines dropped"), "the line that owns up to it")
        await at.honest()


async def outbox_lines(folder: Path, fix: Fix) -> None:
    fix(3)
    async with scene(folder) as at:
        recorder = at.gateway.worker.recorder
        for _ in range(5):
            await at.honest()
        await at.gateway.settled()
        assert (recorder._outbox.waiting, recorder._outbox.dropped) == (3, 2)
        recorder._take_counts()
        await until(lambda: at.gateway.memory.told("records dropped"), "the line that owns up to it")
        assert recorder._outbox.dropped == 0
        assert len(at.gateway.memory.transactions) == 5, "the log has everything"


async def _page(request: bytes) -> bytes:
    """What the clerk's pages answer, and then close."""
    loop = asyncio.get_running_loop()
    pages = {"/livez": lambda: Page(HTTPStatus.OK, "text/plain", b"alive\n")}
    server = await loop.create_server(lambda: Pages(pages, loop), HOST, 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(request)
    try:
        async with asyncio.timeout(SOON):
            return (await reader.read()).split(b"\r\n")[0]
    except ConnectionError:
        return b""
    finally:
        writer.close()
        server.close()


async def request_bytes(_: Path, fix: Fix) -> None:
    fix(100)
    assert await _page(b"GET /livez HTTP/1.1\r\nX: " + b"y" * 100) == b"HTTP/1.1 431 Request Header Fields Too Large"
    assert await _page(b"GET /livez HTTP/1.1\r\n\r\n") == b"HTTP/1.1 200 OK"


async def request_seconds(_: Path, fix: Fix) -> None:
    fix(0.2)
    assert await _page(b"GET /livez HTTP/1.1\r\n") == b""
    assert await _page(b"GET /livez HTTP/1.1\r\n\r\n") == b"HTTP/1.1 200 OK"


async def declined_at_once(folder: Path, fix: Fix) -> None:
    fix(3)
    async with scene(folder) as at:
        with socket.create_server((HOST, 0), backlog=8) as listening, ExitStack() as stack:
            listening.setblocking(False)  # noqa: FBT003 - it has no name for it
            waiting = [stack.enter_context(socket.socket()) for _ in range(5)]
            for one in waiting:
                one.setblocking(False)  # noqa: FBT003 - it has no name for it
                await at.gateway.worker.loop.sock_connect(one, listening.getsockname())
            heard: list[str] = []
            for so_far in (3, 5):
                declining._send_away(listening, b"421 4.3.2 come again\r\n")
                new = waiting[len(heard) : so_far]
                heard += [(await at.gateway.worker.loop.sock_recv(one, 9)).decode() for one in new]
                assert heard == ["421 4.3.2"] * so_far
                for one in waiting[so_far:]:
                    with pytest.raises(BlockingIOError):
                        one.recv(9)
        await at.honest()


CHECKS: dict[str, Check] = {
    "lines.evidence.WINDOWS": windows,
    "lines.evidence.WINDOW_BYTES": window_bytes,
    "lines.reader.LISTED": listed,
    "gateway.mail.examiner.WAITING": waiting,
    "gateway.mail.examiner.SECONDS": examiner_seconds,
    "gateway.mail.worker_context.LACK_SECONDS": lack_seconds,
    "store.spool.DISK_KEPT": disk_kept,
    "gateway.record.journal.QUEUE_LINES": journal_lines,
    "gateway.record.outbox.QUEUE_LINES": outbox_lines,
    "gateway.processes.declining.AT_ONCE": declined_at_once,
    "gateway.record.pages.REQUEST_BYTES": request_bytes,
    "gateway.record.pages.REQUEST_SECONDS": request_seconds,
}
