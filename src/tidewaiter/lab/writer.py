"""Does this sender write as its row says?  Every content up to a length, given to it, and what it emits byte for byte.

A sender is either a command, which is given each content in a file, or a relay, which is given each word as DATA and
sends on to our sink what it made of it.  A relay adds header lines of its own, so there only the body is compared, and
a number in the subject says which message it is.
"""

import asyncio
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tidewaiter.lab.emissions import (
    LEAST,
    LENGTH,
    Emissions,
    Mismatch,
    body,
    contents,
    message,
    mismatches,
    refused_by_relay,
    said_by,
    said_by_relay,
)
from tidewaiter.lab.session import called, envelope
from tidewaiter.lab.target import Target, UntoldError
from tidewaiter.lines.symbol import Word, spell, visible
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
    length: int
    """Up to how many bytes."""
    mismatches: tuple[Mismatch, ...]

    @property
    def equal(self) -> bool:
        """It was seen to write as the row says, in contents that are long enough to show it."""
        return not self.mismatches and self.length >= LEAST


def compare_command(row: Dialect, argv: Sequence[str], length: int = LENGTH, port: int = 0) -> Compared:
    """Hold a command against its row; raises UntoldError where nothing at all was sent."""
    words = list(contents(length))
    return _compared(row, said_by(row, words), length, port, lambda sink, at: by_command(argv, words, sink, at))


def compare_relay(row: Dialect, target: Target, length: int = LENGTH, port: int = 0) -> Compared:
    """Hold a relay that sends on to our `port` against its row.

    Raises UntoldError where it takes or sends nothing, and where it takes what the row refuses and sends nothing of it.
    """
    said = said_by_relay(row, contents(length))
    refused = refused_by_relay(row, said)
    return _compared(row, said, length, port, lambda sink, _: through_relay(target, said, sink, refused))


def _compared(
    row: Dialect, said: Emissions, length: int, port: int, send: Callable[[Sink, int], Awaitable[Emissions]]
) -> Compared:
    if not row.candidates():
        raise UntoldError(Sentence("{row}: a field that decides is unknown", row=row.id))

    async def compared() -> Compared:
        sink = Sink()
        async with sinking(sink, port) as at:
            sent = await send(sink, at)
        if not sink.messages:
            raise UntoldError(Sentence("nothing was sent to the sink"))
        return Compared(row.id, len(said), length, tuple(mismatches(sent, said)))

    return asyncio.run(compared())


async def by_command(argv: Sequence[str], words: Iterable[Word], sink: Sink, port: int) -> Emissions:
    """Run the command once for each content; in its words {port}, {file} and {recipient} are filled in.

    Raises OSError where it cannot be run.
    """
    words = list(words)
    free = asyncio.Semaphore(COMMANDS)
    with tempfile.TemporaryDirectory() as folder:
        failed: OSError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                for file in _files(Path(folder), words):
                    group.create_task(_run(argv, file, port, free))
        except* OSError as failures:
            failed = next(each for each in failures.exceptions if isinstance(each, OSError))
        if failed:  # here, for what is raised within `except*` is put into a group again
            raise failed
    numbered = _gathered((each.forward_paths[0].partition("@")[0], each.wire) for each in sink.messages)
    return {word: numbered.get(str(number)) for number, word in enumerate(words)}


def _gathered(messages: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Put together what was sent of each: of two that differ none is chosen, and both are kept."""
    found: dict[str, bytes] = {}
    for number, wire in messages:
        before = found.get(number, wire)
        found[number] = wire if before == wire else before + wire
    return found


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


async def through_relay(target: Target, words: Iterable[Word], sink: Sink, refused: Iterable[Word] = ()) -> Emissions:
    """Give each word to a relay as DATA, and give the bodies that arrive at the sink.

    Raises UntoldError where the relay takes no message at all, where it says nothing to one, and where it takes one
    that is to be refused and nothing of it arrives: that nobody waited long enough is no proof that nothing is sent.
    """
    words = list(words)
    waiting = iter(list(enumerate(words)))
    taken: list[int] = []
    await asyncio.gather(*(_feed(target, waiting, taken) for _ in range(target.side_by_side)))
    await sink.until(len(taken), QUEUED)
    found = ((_NUMBER.search(each.wire), body(each.wire)) for each in sink.messages)
    arrived = _gathered((number[1].decode(), wire) for number, wire in found if number)
    sent = {word: arrived.get(str(number)) for number, word in enumerate(words)}
    kept = {words[number] for number in taken} & {word for word in refused if sent[word] is None}
    if kept:
        raise UntoldError(Sentence("it took {content}, and sent nothing of it", content=visible(min(kept))))
    return sent


async def _feed(target: Target, waiting: Iterator[tuple[int, Word]], taken: list[int]) -> None:
    """Give messages to the relay until there are no more, on one connection as long as they are taken."""
    caller = await called(target)
    try:
        for number, word in waiting:
            if not await _given(caller, target, message(number, word)):
                # What was refused may have ended early, so that bytes of ours are being read as commands.
                caller.hang_up()
                caller = await called(target)
                continue
            taken.append(number)
    finally:
        caller.hang_up()


async def _given(caller: Caller, target: Target, wire: bytes) -> bool:
    await envelope(caller, target)
    try:
        return (await caller.ask(wire, target.within)).good
    except ClosedError:
        return False
    except SilenceError as error:
        raise UntoldError(error.sentence) from None
