"""Does this sender write as its row says?  Every content up to a length, given to it, and what it emits byte for byte.

A sender is either a command, which is given each content in a file, or a relay, which is given each word as DATA and
sends on to our sink what it made of it.  A relay adds header lines of its own, so there only the body is compared, and
a number in the subject says which message it is.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidewaiter.lab.emissions import (
    LENGTH,
    Emissions,
    Mismatch,
    body,
    contents,
    message,
    mismatches,
    said_by,
    said_by_relay,
)
from tidewaiter.lab.session import called, envelope
from tidewaiter.lab.target import Target, UntoldError
from tidewaiter.lines.symbol import Word, spell
from tidewaiter.model.dialect import Dialect
from tidewaiter.model.sentence import Sentence
from tidewaiter.rig.caller import Caller, ClosedError, SilenceError
from tidewaiter.rig.sink import Sink, sinking

QUEUED: Final = 20.0
"""Seconds without a message after which nothing more is expected of a relay's queue."""
COMMANDS: Final = 4
"""Processes at once."""
_NUMBER: Final = re.compile(rb"^Subject: number ([0-9]+)\r?$", re.MULTILINE)


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
            raise UntoldError(Sentence("nothing was sent to the sink"))
        return Compared(row.id, len(said), tuple(mismatches(sent, said)))

    return asyncio.run(compared())


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
    numbered = {each.forward_paths[0].partition("@")[0]: each.wire for each in sink.messages}
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
    arrived = {int(found[1]): body(each.wire) for each in sink.messages if (found := _NUMBER.search(each.wire))}
    return {word: arrived.get(number) for number, word in enumerate(words)}


async def _feed(target: Target, waiting: Iterator[tuple[int, Word]], taken: list[int]) -> None:
    """Give messages to the relay until there are no more, on one connection as long as they are taken."""
    caller = await called(target)
    for number, word in waiting:
        if not await _given(caller, target, message(number, word)):
            # What was refused may have ended early, so that bytes of ours are being read as commands.
            caller.hang_up()
            caller = await called(target)
            continue
        taken.append(number)
    caller.hang_up()


async def _given(caller: Caller, target: Target, wire: bytes) -> bool:
    await envelope(caller, target)
    with suppress(ClosedError, SilenceError):
        return (await caller.ask(wire, target.within)).good
    return False
