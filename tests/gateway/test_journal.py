import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.gateway.stand_in import transaction
from tidewaiter.gateway.record.journal import QUEUE_LINES, Journal, call_now, encode, logger, open_log, tell_faults
from tidewaiter.store.records import Transaction

HOSTILE = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text(st.sampled_from('\r\n\x00\x0b\x0c\x1b\x1c\x7f\x85\u2028\u2029\u202e"\\{}a\ud800\U0001f600'), max_size=60),
)
"""Whatever a client may send, as it may reach a log; half surrogates too."""


@given(HOSTILE, HOSTILE, st.lists(HOSTILE, max_size=3))
@example("a\u2028b", "250 ok", [])
@example("jos\xe9@\u4f8b.test \u202e", "250 ok", ["\u05d0\x7f\x9b"])
def test_no_input_can_add_a_line_or_a_character_that_is_not_printable(
    helo: str, reply: str, recipients: list[str]
) -> None:
    record = msgspec.structs.replace(transaction("01"), helo=helo, reply=reply, recipients=tuple(recipients))
    line = encode(record)
    assert line.decode().isprintable()
    assert json.loads(line)["helo"] == helo, "and nothing is lost"


def test_letters_of_every_script_can_be_read() -> None:
    names = "josé Łódź Ελλάδα Київ 例え भारत \U0001f600"
    assert names.encode() in encode(msgspec.structs.replace(transaction("01"), reverse_path=names))
    assert rb"a\u202eb \u2028 \u0085 \u007f" in encode({"event": names, "reason": "a\u202eb \u2028 \x85 \x7f"})


@given(HOSTILE)
def test_an_event_with_hostile_words_is_one_line(words: str) -> None:
    with tempfile.TemporaryFile() as file:
        logger(Journal(file.fileno(), call_now)).warning("hop down", reason=words, **{"a key": words})
        file.seek(0)
        (line,) = file.read().splitlines(keepends=True)
        assert line.endswith(b"\n")
        assert json.loads(line)["reason"] == words


def test_an_exception_is_one_line_too() -> None:
    with tempfile.TemporaryFile() as file:
        try:
            Path("two\nlines").read_bytes()
        except FileNotFoundError:
            logger(Journal(file.fileno(), call_now)).exception("fault")
        file.seek(0)
        (line,) = file.read().splitlines()
        assert "Traceback (most recent call last):\n" in json.loads(line)["exception"]


def test_an_exception_in_a_callback_is_a_line_and_no_traceback_over_many() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        tell_faults(loop, logger(Journal(file.fileno(), call_now), worker=0))
        loop.call_soon(Path("two\nlines").read_bytes)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with tempfile.TemporaryFile() as file:
        asyncio.run(scenario())
        file.seek(0)
        (line,) = map(json.loads, file.read().splitlines())
        assert (line["event"], line["worker"]) == ("fault", 0)
        assert "FileNotFoundError" in line["exception"]


def test_what_the_worker_logs_is_what_the_clerk_reads() -> None:
    record = transaction("01")
    assert msgspec.json.decode(encode(record), type=Transaction) == record


class Pipe:
    """A log whose reader the test plays."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK)
        self.turn: list[Any] = []
        self.journal = Journal(self.writer, self.turn.append)

    def end_turn(self) -> None:
        turn, self.turn[:] = list(self.turn), []
        for call in turn:
            call()

    def read(self) -> bytes:
        data = b""
        while True:
            try:
                data += os.read(self.reader, 1 << 20)
            except BlockingIOError:
                return data

    def drain(self) -> bytes:
        data = self.read()
        while self.journal.waiting:
            self.journal.flush()
            data += self.read()
        return data


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    os.close(opened.reader)
    os.close(opened.writer)


def test_the_lines_of_one_turn_are_written_at_its_end(pipe: Pipe) -> None:
    pipe.journal.write(b"one")
    pipe.journal.write(b"two")
    assert pipe.read() == b""
    assert len(pipe.turn) == 1, "and by one call"
    pipe.end_turn()
    assert pipe.read() == b"one\ntwo\n"


def test_a_reader_that_sleeps_delays_nothing_and_its_losses_are_owned_up_to(pipe: Pipe) -> None:
    line = b"x" * 99
    for _ in range(QUEUE_LINES + 2000):
        pipe.journal.write(line)
        pipe.end_turn()
    assert pipe.journal.dropped > 0
    lost = pipe.journal.dropped_total
    *lines, last = pipe.drain().split(b"\n")[:-1]
    assert json.loads(last) == {"event": "log lines dropped", "count": lost}
    assert lines == [line] * (QUEUE_LINES + 2000 - lost)


def test_a_line_longer_than_a_pipe_holds_arrives_whole(pipe: Pipe) -> None:
    long = b"y" * 100_000
    for line in (b"before", long, b"after"):
        pipe.journal.write(line)
    pipe.end_turn()
    assert pipe.drain() == b"before\n" + long + b"\nafter\n"


def test_a_full_disk_costs_lines_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryFile() as file:
        journal = Journal(file.fileno(), call_now)

        def full(_: int, __: bytes) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            journal.write(b"kept")
        journal.write(b"next")
        file.seek(0)
        assert file.read() == b"kept\nnext\n"


def test_a_log_file_is_appended_to_and_not_for_everyone(tmp_path: Path) -> None:
    file = tmp_path / "log"
    for line in (b"one", b"two"):
        descriptor = open_log(str(file))
        Journal(descriptor, call_now).write(line)
        os.close(descriptor)
    assert file.read_bytes() == b"one\ntwo\n"
    assert file.stat().st_mode & 0o007 == 0


TO_STANDARD_ERROR = (
    "from tidewaiter.gateway.record.journal import *; Journal(open_log(None), call_now).write(b'a line')"
)


@pytest.mark.parametrize("kind", ["file", "pipe", "socket"])
def test_standard_error_may_be_anything_and_is_never_waited_for(kind: str, tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    log = tmp_path / "log"
    with ours, theirs, log.open("wb") as file:
        stderr = {"file": file.fileno(), "pipe": subprocess.PIPE, "socket": theirs.fileno()}[kind]
        ended = subprocess.run([sys.executable, "-c", TO_STANDARD_ERROR], stderr=stderr, check=True)
        theirs.close()
        assert log.read_bytes() + ours.recv(99) + (ended.stderr or b"") == b"a line\n"


def test_lines_that_fill_a_write_exactly_are_one_write(pipe: Pipe) -> None:
    most = pipe.journal._most
    for length in (9, most - 9 - 2, 1):
        pipe.journal.write(b"x" * length)
    assert len(pipe.journal._chunk()) == most
    assert pipe.journal._chunk() == b"x\n"


def test_what_is_said_for_developers_alone_is_no_line(pipe: Pipe) -> None:
    log = logger(pipe.journal, worker=0)
    log.debug("quiet")
    log.info("loud")
    pipe.end_turn()
    assert [json.loads(line)["event"] for line in pipe.read().splitlines()] == ["loud"]
