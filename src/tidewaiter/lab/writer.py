"""Does this sender write as its row says?  Every content up to a length, given to it, and what it emits byte for byte.

A sender is either a command, which is given each content in a file, or a relay, which is given each word as DATA and
sends on to our sink what it made of it.  A relay adds header lines of its own, so there only the body is compared, and
a number in the subject says which message it is.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

from tidewaiter.lab.session import called, envelope
from tidewaiter.lab.target import Target, UntoldError
from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.stages import RefusedError, pipeline
from tidewaiter.lines.symbol import BYTES, Word, spell, symbols
from tidewaiter.model.dialect import Dialect
from tidewaiter.rig.caller import Caller, ClosedError, SilenceError
from tidewaiter.rig.sink import Sink, sinking
from tidewaiter.smuggling.path import Relay, written

LENGTH: Final = 5
"""Longer than any memory that a writer has been seen to have."""
END: Final = b"\r\n.\r\n"
QUEUED: Final = 20.0
"""Seconds without a message after which nothing more is expected of a relay's queue."""
COMMANDS: Final = 4
"""Processes at once."""
_NUMBER: Final = re.compile(rb"^Subject: number ([0-9]+)\r?$", re.MULTILINE)

Emissions = Mapping[Word, bytes | None]
"""What became of each content: the bytes of DATA behind 354, or None where nothing was sent."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A content of which sender and row make different things; None is: nothing is sent."""

    content: Word
    sender: bytes | None
    row: bytes | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A sender held against its row."""

    row: str
    contents: int
    """How many were compared."""
    mismatches: tuple[Mismatch, ...]


def compare_command(row: Dialect, argv: Sequence[str], length: int = LENGTH, port: int = 0) -> Compared:
    """Hold a command against its row; raises UntoldError where nothing at all was sent."""
    words = list(contents(length))
    return _compared(row, said_by(row, words), port, lambda sink, at: by_command(argv, words, sink, at))


def compare_relay(row: Dialect, target: Target, length: int = LENGTH, port: int = 0) -> Compared:
    """Hold a relay that sends on to our `port` against its row; raises UntoldError where it takes or sends nothing."""
    said = said_by_relay(row, contents(length))
    return _compared(row, said, port, lambda sink, _: through_relay(target, said, sink))


def _compared(row: Dialect, said: Emissions, port: int, send: Callable[[Sink, int], Awaitable[Emissions]]) -> Compared:
    async def compared() -> Compared:
        sink = Sink()
        async with sinking(sink, port) as at:
            sent = await send(sink, at)
        if not sink.messages:
            raise UntoldError("nothing was sent to the sink")
        return Compared(row.id, len(said), tuple(mismatches(sent, said)))

    return asyncio.run(compared())


def contents(length: int = LENGTH) -> Iterator[Word]:
    """Give every content up to `length` bytes, one byte for each class, shortest first."""
    for size in range(length + 1):
        yield from product(BYTES, repeat=size)


def mismatches(sent: Emissions, said: Emissions) -> list[Mismatch]:
    """Compare what a sender sent with what its row says, shortest content first."""
    return [Mismatch(word, wire, said[word]) for word, wire in sent.items() if wire != said[word]]


def said_by(row: Dialect, words: Iterable[Word]) -> Emissions:
    """Write each content as the row says."""
    assert row.writer
    writes = emitter(row.writer, scaled=False)
    return {word: _spelled(partial(written, writes, word)) for word in words}


def said_by_relay(row: Dialect, words: Iterable[Word]) -> Emissions:
    """Read each word as DATA and write it anew, as the row says: the bodies, without words that its reader ends early.

    A message that its reader refuses is one of which nothing is sent.
    """
    assert row.reader
    assert row.writer
    reads, writes = Splitter(row.reader), emitter(row.writer, scaled=False)
    relay = Relay(reads, pipeline(row.reader.change, scaled=False), writes)
    said: dict[Word, bytes | None] = {}
    for word in words:
        wire = symbols(_message(0, word))
        accepted = _accepts(reads, wire)
        if accepted is not None:
            whole = _spelled(partial(relay.passed_on, wire)) if accepted else None
            said[word] = whole and _body(whole)
    return said


def _accepts(reads: Splitter, wire: Word) -> bool | None:
    """Whether the reader takes this message at its last byte; None where it ends elsewhere."""
    state = reads.start
    for place, symbol in enumerate(wire, 1):
        read = reads.feed(state, symbol)
        if read.end:
            refused = read.end.goes_on == "close" or not read.end.accepted
            return False if refused else (True if place == len(wire) else None)
        state = read.state
    return None


def _spelled(write: Callable[[], Word]) -> bytes | None:
    try:
        return spell(write())
    except RefusedError:
        return None


def _message(number: int, word: Word) -> bytes:
    return b"Subject: number %d\r\n\r\n%b%b" % (number, spell(word), END)


def _body(wire: bytes) -> bytes:
    return wire.partition(b"\r\n\r\n")[2]


async def by_command(argv: Sequence[str], words: Iterable[Word], sink: Sink, port: int) -> Emissions:
    """Run the command once for each content; in its words {port}, {file} and {recipient} are filled in.

    Raises OSError where it cannot be run.
    """
    words = list(words)
    free = asyncio.Semaphore(COMMANDS)
    with tempfile.TemporaryDirectory() as folder:
        async with asyncio.TaskGroup() as group:
            for file in _files(Path(folder), words):
                group.create_task(_run(argv, file, port, free))
    numbered = {message.forward_paths[0].partition("@")[0]: message.wire for message in sink.messages}
    return {word: numbered.get(str(number)) for number, word in enumerate(words)}


def _files(folder: Path, words: list[Word]) -> list[Path]:
    files = [folder / str(number) for number in range(len(words))]
    for file, word in zip(files, words, strict=True):
        file.write_bytes(spell(word))
    return files


async def _run(argv: Sequence[str], file: Path, port: int, free: asyncio.Semaphore) -> None:
    filled = [each.format(port=port, file=file, recipient=f"{file.name}@sink.test") for each in argv]
    nothing = asyncio.subprocess.DEVNULL
    async with free:
        process = await asyncio.create_subprocess_exec(*filled, stdin=nothing, stdout=nothing, stderr=nothing)
        await process.wait()


async def through_relay(target: Target, words: Iterable[Word], sink: Sink) -> Emissions:
    """Give each word to a relay as DATA, and give the bodies that arrive at the sink.

    Raises UntoldError where the relay takes no message at all.
    """
    words = list(words)
    waiting = iter(list(enumerate(words)))
    taken: list[int] = []
    await asyncio.gather(*(_feed(target, waiting, taken) for _ in range(target.side_by_side)))
    await sink.until(len(taken), QUEUED)
    arrived = {int(found[1]): _body(each.wire) for each in sink.messages if (found := _NUMBER.search(each.wire))}
    return {word: arrived.get(number) for number, word in enumerate(words)}


async def _feed(target: Target, waiting: Iterator[tuple[int, Word]], taken: list[int]) -> None:
    """Give messages to the relay until there are no more, on one connection as long as they are taken."""
    caller = await called(target)
    for number, word in waiting:
        if not await _given(caller, target, _message(number, word)):
            # What was refused may have ended early, so that bytes of ours are being read as commands.
            caller.hang_up()
            caller = await called(target)
            continue
        taken.append(number)
    caller.hang_up()


async def _given(caller: Caller, target: Target, message: bytes) -> bool:
    await envelope(caller, target)
    with suppress(ClosedError, SilenceError):
        return (await caller.ask(message, target.within)).good
    return False
