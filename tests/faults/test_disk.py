"""Every call of the file thread on the way of a message fails once (promise 4)."""

import asyncio
import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from tests.faults.failing import CALLS, EVERY, FULL, REACTIONS, Failing, Fault, failing
from tests.gateway.next_hop import NextHop
from tests.gateway.running import INBOUND, SECONDS, Caller, RunningGateway, running_gateway, until
from tidewaiter.delivery.maildir import DoubtError, take_back

pytestmark = [pytest.mark.slow, pytest.mark.interpreted, pytest.mark.timeout(3600)]
Count = Callable[[str, int, int], int]

MESSAGE = b"Subject: large\r\n\r\n" + b"A line of some length.\r\n" * 30_000
"""More than two blocks of the spool."""
DONE = ("rename", "mkdir", "unlink", "fsync", "write", "writev")
"""Calls that may have done their work though they say that they failed."""


def configuration(hop: str) -> str:
    return INBOUND.format(hops=f'"{hop}"', listener="", route="", limits='spool_memory = "1KiB"')


async def deliver(gateway: RunningGateway) -> str:
    async with await Caller.call(gateway.port) as caller:
        await caller.envelope()
        return await caller.data(MESSAGE)


def played(folder: Path, hop: str, *faults: Fault, fresh: bool = True) -> tuple[Failing, str, RunningGateway]:
    """Send a message while the disk fails, then another one, which must be taken."""
    folder.mkdir()
    for name in ("tmp", "new", "cur") if not fresh else ():
        (folder / "mail" / name).mkdir(parents=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(_played(folder, hop, faults), SECONDS))


async def _played(folder: Path, hop: str, faults: Sequence[Fault]) -> tuple[Failing, str, RunningGateway]:
    async with running_gateway(folder, configuration(hop)) as gateway:
        with failing(*faults) as disk:
            said = await deliver(gateway)
            await gateway.settled()
            done: asyncio.Future[object] = gateway.worker.loop.create_future()
            gateway.worker.room.files.run(lambda: None, done.set_result)
            await done  # the spool's file is closed behind the reply
        first = await gateway.recorded()
        assert (await deliver(gateway)).startswith("250 "), "the fault has passed"
        await gateway.settled()
        assert gateway.worker.room.used == gateway.worker.room.memory_used == 0
        assert first.reply == said
    return disk, said, gateway


def faults(counts: dict[str, int], *, every: bool) -> Iterator[Fault]:
    """One at each occurrence, and at the last of each call one for each reaction; or all of all."""
    for call in CALLS:
        for number in range(1, counts.get(call, 0) + 1):
            last = number == counts[call]
            for error in EVERY if every else REACTIONS if last else (errno.EIO,):
                yield Fault(call, number, error)
            if call in DONE:
                yield Fault(call, number, errno.EIO, done=True)


def true_reply(said: str, fault: Fault) -> bool:
    """No room is said where there is none, and there only."""
    full = fault.error in FULL and fault.call != "pread"
    return said.startswith("452 4.3.1 " if full else "451 4.3.0 ")


def told(gateway: RunningGateway, fault: Fault) -> bool:
    """The log has the fault by its name, and where it was."""
    first = gateway.memory.transactions[0]
    name = errno.errorcode[fault.error]
    lines = [f"{line['errno']}: {line['path']}" for line in gateway.memory.told("spool fails")]
    return any(name in line and "/" in line for line in (*lines, first.next_hop_reply))


def judge_maildir(folder: Path, said: str, gateway: RunningGateway, fault: Fault | None) -> None:
    found = list((folder / "mail" / "new").iterdir())
    first = gateway.memory.transactions[0]
    here = [file for file in found if first.id.encode() in file.read_bytes()]
    assert list((folder / "mail" / "tmp").iterdir()) == [], fault
    if said.startswith("250 "):
        assert (len(here), first.outcome) == (1, "delivered"), fault
        assert fault is None or fault.call == "close" or fault == ("mkdir", fault.number, errno.EIO, True), fault
    else:
        assert fault is not None, said
        assert true_reply(said, fault), (fault, said)
        assert here == [], fault
        assert first.outcome == "deferred", fault
        assert told(gateway, fault), fault
    assert len(found) == len(here) + 1


@pytest.mark.parametrize("fresh", [True, False], ids=["no Maildir yet", "a Maildir"])
def test_every_call_on_the_way_into_a_maildir_fails_once(
    tmp_path: Path, count: Count, fresh: bool, request: pytest.FixtureRequest
) -> None:
    clean, said, _ = played(tmp_path / "clean", "maildir:mail", fresh=fresh)
    assert said.startswith("250 ")
    runs = list(faults(clean.counts, every=request.config.getoption("--soak")))
    what = f"failures of a Maildir's disk{', made anew' if fresh else ''}"
    count(what, len(runs), sum(clean.counts.values()) * len(EVERY))
    assert {fault.call for fault in runs} >= {"open", "writev", "pread", "fsync", "close", "rename"}
    for number, fault in enumerate(runs):
        folder = tmp_path / str(number)
        disk, said, gateway = played(folder, "maildir:mail", fault, fresh=fresh)
        assert disk.failed or fault.call == "writev", f"{fault} never came, and not for want of segments"
        judge_maildir(folder, said, gateway, fault if disk.failed else None)
        with suppress(FileNotFoundError):
            remove(folder)


def test_what_was_refused_when_the_folder_was_synced_does_not_stay_in_new(tmp_path: Path) -> None:
    fault = Fault("fsync", 3, errno.EIO)
    _, said, gateway = played(tmp_path / "new", "maildir:mail", fault, fresh=False)
    judge_maildir(tmp_path / "new", said, gateway, fault)


@pytest.mark.parametrize(
    "second", [Fault("unlink", 1, errno.EIO), Fault("unlink", 2, errno.EIO), Fault("fsync", 4, errno.EIO)], ids=str
)
def test_what_was_refused_and_may_lie_in_new_is_doubtful(tmp_path: Path, second: Fault) -> None:
    """The folder's fsync fails, and then what would take the message back: nobody knows what a crash leaves."""
    last = Fault("fsync", 3, errno.EIO)
    _, said, gateway = played(tmp_path / "twice", "maildir:mail", last, second, fresh=False)
    assert said.startswith("451 4.3.0 ")
    [first, _] = gateway.memory.transactions
    found = list((tmp_path / "twice" / "mail" / "new").iterdir())
    there = [file for file in found if first.id.encode() in file.read_bytes()]
    assert (first.outcome, len(there)) == ("doubtful", 1 if second.call == "unlink" else 0)


def test_a_reader_that_was_faster_than_a_failing_disk_makes_it_doubtful(tmp_path: Path) -> None:
    """Dovecot has moved the message to `cur` when the fsync of `new` fails: it was read, and will come again."""
    place = tmp_path / "new" / "a"
    place.parent.mkdir()
    with pytest.raises(DoubtError, match="EIO"):
        take_back(tmp_path / "a", place, OSError(errno.EIO, "broken"))


@pytest.mark.parametrize("error", REACTIONS, ids=lambda error: errno.errorcode[error])
def test_a_spool_that_fails_says_why_and_where(tmp_path: Path, error: int) -> None:
    _, said, gateway = played(tmp_path / "spool", "maildir:mail", Fault("writev", 1, error))
    assert true_reply(said, Fault("writev", 1, error))
    [line] = gateway.memory.told("spool fails")
    assert (line["errno"], line["path"]) == (errno.errorcode[error], "state/spool")
    assert line["id"] == gateway.memory.transactions[0].id


async def test_a_disk_that_cannot_be_looked_at_is_not_full(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, configuration("maildir:mail")) as gateway:
        room = gateway.worker.room
        before = room.disk
        with failing(Fault("statvfs", 1, errno.EIO)):
            room.look()
            await until(lambda: room.trouble, "the look")
        assert room.disk == before, "what it was when somebody could look"
        room.disk = 0
        async with await Caller.call(gateway.port) as caller:
            await caller.envelope(mail="MAIL FROM:<a@client.test> SIZE=1000000")  # more than memory keeps
            assert (await caller.say("DATA")).startswith("451 4.3.0 ")
        room.look()
        await until(lambda: room.trouble is None, "the next look")
        assert (await deliver(gateway)).startswith("250 ")


async def test_a_message_that_cannot_be_read_back_is_451_and_the_log_says_why(tmp_path: Path) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(f"smtp://127.0.0.1:{hop.port}")) as gateway:
        with failing(Fault("pread", 1, errno.EIO)):
            assert (await deliver(gateway)).startswith("451 4.3.0 ")
            await gateway.settled()
        assert [line["errno"] for line in gateway.memory.told("spool fails")] == ["EIO"]
        assert hop.taken == []
        assert (await deliver(gateway)).startswith("250 ")


def remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
