"""What would this odd message have done elsewhere? Asked behind the reply, in a process of its own.

To run every known program's reading over an attacker's bytes costs far more than to send them.
So it is done outside the loop and outside its interpreter, at the lowest priority, for a bounded piece of each message,
for one message at a time, in bounded time; what does not fit is told without readings, and mail never waits.

    python -m tidewaiter.gateway.mail.examiner    # reads questions from standard input, writes answers, a line each
"""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

import msgspec

from tidewaiter.knowledge.dialects import dialects
from tidewaiter.model.dialect import Dialect
from tidewaiter.model.oddity import Oddity, Window
from tidewaiter.smuggling.evidence import SMUGGLED, Evidence, examine, printable
from tidewaiter.store.records import Finding, Reading

WAITING: Final = 64
"""Questions that may wait; a flood of odd messages is told by the first of them."""
SECONDS: Final = 30.0
"""How long one question may take: what is asked of the lowest priority has to wait where a machine is busy."""
NICE: Final = 19
_LINE_LIMIT: Final = 1024 * 1024

Then = Callable[[tuple[Finding, ...]], None]


class Question(msgspec.Struct, frozen=True):
    """One odd message."""

    rule: str
    """The rule that fires where nobody would have been fooled: the kind of the first oddity."""
    offset: int
    windows: tuple[Window, ...]
    at_least: bool = False
    """More was odd than is listed."""

    @classmethod
    def about(cls, oddities: Sequence[Oddity], windows: Iterable[Window], *, at_least: bool) -> "Question":
        """Ask about all that was kept: `lines.evidence` bounds it."""
        return cls(oddities[0].kind.value.replace("_", "-"), oddities[0].offset, tuple(windows), at_least)

    @property
    def unread(self) -> Finding:
        """The finding as far as it is known without reading."""
        return Finding(rule=self.rule, offset=self.offset, at_least=self.at_least)


class _Asked(NamedTuple):
    question: Question
    then: Then


class Examiner:
    """The worker's end; the process is started with the first question."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start nothing yet."""
        self._loop = loop
        self._asked: deque[_Asked] = deque()
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None

    def ask(self, question: Question, then: Then) -> None:
        """Have `then` called with the findings, at the latest when it is clear that there will be no reading."""
        if len(self._asked) >= WAITING:
            then((question.unread,))
            return
        self._asked.append(_Asked(question, then))
        if self._task is None:
            self._task = self._loop.create_task(self._work())
            self._task.add_done_callback(self._rest)

    async def close(self) -> None:
        """Answer what waits without readings, and end the process."""
        self._give_up()
        if self._task is not None:
            if self._process is not None:
                with suppress(ProcessLookupError):  # it has just gone by itself
                    self._process.kill()
            await asyncio.wait([self._task])

    def _give_up(self) -> None:
        while self._asked:
            asked = self._asked.popleft()
            asked.then((asked.question.unread,))

    def _rest(self, task: "asyncio.Task[None]") -> None:
        self._task = None
        if not task.cancelled() and task.exception() is not None:
            self._give_up()

    async def _work(self) -> None:
        """Put one question after another to a process; one that does not answer in time is replaced."""
        while self._asked:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tidewaiter.gateway.mail.examiner"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=_LINE_LIMIT,
            )
            try:
                while self._asked and await self._put(process):
                    pass
            finally:
                self._process = None
                with suppress(ProcessLookupError):
                    process.kill()
                await process.communicate()

    async def _put(self, process: asyncio.subprocess.Process) -> bool:
        """Put the next question; false when the process is of no more use."""
        assert process.stdin is not None
        assert process.stdout is not None
        question, then = asked = self._asked[0]
        answer = b""
        try:
            async with asyncio.timeout(SECONDS):
                process.stdin.write(msgspec.json.encode(question) + b"\n")
                answer = await process.stdout.readline()
        except (TimeoutError, ConnectionError):
            pass
        if self._asked and self._asked[0] is asked:
            self._asked.popleft()
            then(msgspec.json.decode(answer, type=tuple[Finding, ...]) if answer else (question.unread,))
        return bool(answer)


def answer(question: Question, rows: Sequence[Dialect]) -> tuple[Finding, ...]:
    """Read the windows as every row would."""
    told = examine(question.windows, rows)
    rule = SMUGGLED if told.smuggled else question.rule
    offset = told.smuggled[0].offset if told.smuggled else question.offset
    return (Finding(rule=rule, offset=offset, readings=readings(told), at_least=question.at_least or told.cut),)


def readings(told: Evidence) -> tuple[Reading, ...]:
    """Say who would have seen which further message, then who would only have ended this one early."""
    counts = dict(told.messages)
    fooled = {row for each in told.smuggled for row in each.readers}
    early = tuple(row for row in counts if row not in fooled)
    smuggled = tuple(
        Reading(
            programs=each.readers,
            messages=max(counts.get(row, 1) for row in each.readers),
            reverse_path=printable(each.reverse_path),
            recipients=tuple(map(printable, each.forward_paths)),
            from_=printable(each.header_from),
        )
        for each in told.smuggled
    )
    return (*smuggled, Reading(programs=early, messages=1)) if early else smuggled


def main() -> None:
    """Answer until standard input ends."""
    os.nice(NICE)
    rows = tuple(dialects().values())
    for line in sys.stdin.buffer:
        findings = answer(msgspec.json.decode(line, type=Question), rows)
        sys.stdout.buffer.write(msgspec.json.encode(findings) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
