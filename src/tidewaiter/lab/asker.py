"""Many questions side by side: what has been asked is not asked again, and what has ended has ended.

Only *ended* absorbs: behind a close, a longer word may be content again, since what closed may have been the tail
that followed a bare CR.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Final

from tidewaiter.lab.meaning import TRUE_END, Meaning, calibrate
from tidewaiter.lab.modes import BODY
from tidewaiter.lab.session import ask, called, offers
from tidewaiter.lab.target import WAYS, WAYS_IN_WORDS, Target, UntoldError, Way
from tidewaiter.lines.symbol import Word, spell, visible
from tidewaiter.lines.table import CLOSED, ENDED, ENDED_REJECTED, WORDS
from tidewaiter.model.sentence import Sentence

ABSORBING: Final = (ENDED, ENDED_REJECTED)
AT_THE_DOOR: Final = 4
"""Sessions not yet greeted at once. OpenSMTPD queues 5 (SMTPD_BACKLOG); who comes after them is heard again when TCP
tries again, after up to half a minute, and a lab that hurries takes that for silence."""
TRIES: Final = 3
"""A server that is short of something is asked again before it is given up."""


class Asker:
    """Asks one server, one way, in one mode, and remembers."""

    def __init__(self, target: Target, manner_: "Manner", opening: bytes) -> None:
        self.target = target
        self.manner = manner_
        self.asked = 0
        """Sessions so far."""
        self.progress: Callable[[int], None] = lambda _: None
        """Told the number of sessions so far, after each."""
        self._opening = opening
        self._heard: dict[Word, str] = {}
        """What each word's first session said."""
        self._known: dict[Word, str] = {}
        """What each word says, an end before its last byte seen as that."""
        self._free = asyncio.Semaphore(target.side_by_side)
        self._door = asyncio.Semaphore(AT_THE_DOOR)

    async def say(self, word: Word, supposed: str | None = None) -> str:
        """Tell what the server makes of `word`; raises UntoldError.

        Bytes behind an end are commands, and may be odd enough for the server to hang up on them.  So a close is looked
        into, prefix by prefix, unless it is what was `supposed`.
        """
        for length in range(len(word) + 1):
            if self._known.get(word[:length]) in ABSORBING:
                return self._known[word[:length]]
        if word in self._known:
            return self._known[word]
        said = self._heard.get(word) or await self.again(word)
        if said == CLOSED == supposed:
            return said
        self._known[word] = await self._ended_before(word) or said if said == CLOSED else said
        return self._known[word]

    async def _ended_before(self, word: Word) -> str | None:
        for length in range(len(word)):
            said = await self.say(word[:length])
            if said in ABSORBING:
                return said
        return None

    async def again(self, word: Word) -> str:
        """Ask anew, whatever was said before; raises UntoldError."""
        async with self._free:
            said = await self._insist(word)
        self.asked += 1
        self.progress(self.asked)
        self._heard.setdefault(word, said)
        return said

    async def say_all(self, words: Iterable[Word], supposed: Callable[[Word], str | None]) -> dict[Word, str]:
        """Ask side by side; raises UntoldError."""
        return await self._together(lambda word: self.say(word, supposed(word)), list(words))

    async def all_again(self, words: Iterable[Word]) -> dict[Word, str]:
        """Ask side by side, each of them exactly once; raises UntoldError."""
        return await self._together(self.again, list(words))

    async def confirm(self, words: Iterable[Word]) -> None:
        """Ask again and compare; raises UntoldError for a server that does not always say the same."""
        for word, said in (await self._together(self.again, [word for word in words if word in self._heard])).items():
            if said != self._heard[word]:
                raise UntoldError(
                    Sentence(
                        "the server varies: {word} was {before}, and then {said}",
                        word=visible(word) or Sentence("nothing"),
                        before=WORDS[self._heard[word]],
                        said=WORDS[said],
                    )
                )

    async def _together(
        self, question: Callable[[Word], Coroutine[None, None, str]], words: list[Word]
    ) -> dict[Word, str]:
        """Wait for all of them; the first failure ends the others, and is raised as it is."""
        answers: dict[Word, str] = {}
        # A batch at a time, so that a word that ends spares the longer ones behind it that begin with it.
        for start in range(0, len(words), batch := 4 * self.target.side_by_side):
            asked = words[start : start + batch]
            failed: BaseException | None = None
            try:
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(question(word)) for word in asked]
            except* UntoldError as failures:
                failed = _first(failures)
            else:
                answers |= {word: task.result() for word, task in zip(asked, tasks, strict=True)}
            if failed:  # here, for what is raised within `except*` is put into a group again
                raise failed from None
        return answers

    async def _insist(self, word: Word) -> str:
        content = self._opening + spell(word)
        for left in reversed(range(TRIES)):
            try:
                async with self._door:
                    caller = await called(self.target)
                return self.manner.meaning.of(await ask(caller, self.target, self.manner.way, content))
            except UntoldError:
                if not left:
                    raise
                await asyncio.sleep(self.target.pause)
        raise AssertionError


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server may be asked, found out by trying."""

    way: Way
    meaning: Meaning
    limit: int | None
    """Its size limit in bytes, as it was given or as the server offers it."""


async def manner(target: Target, way: Way | None = None) -> Manner:
    """Find the fastest way (or try the given one) in which an end and content can be told apart; raises UntoldError."""
    offered = await offers(target)
    sizes = [int(line[5:]) for line in offered if line.startswith("SIZE ") and line[5:].isdecimal()]
    failures = []
    for each in (way,) if way else WAYS:
        try:
            meaning = await _calibrated(target, each)
        except UntoldError as failure:
            failures.append(Sentence("{way}: {why}", way=WAYS_IN_WORDS[each], why=failure.sentence))
        else:
            # What it offers is its limit: a smaller one that somebody names would never be passed.
            return Manner(each, meaning, (sizes[0] if sizes and sizes[0] else None) or target.limit)
    raise UntoldError(Sentence("{reasons}", reasons=tuple(failures)))


async def _calibrated(target: Target, way: Way) -> Meaning:
    honest = await ask(await called(target), target, way, BODY.head + b"x\r\n")
    ended = await ask(await called(target), target, way, BODY.head + b"x" + spell(TRUE_END))
    return calibrate(honest, ended)


def _first(failures: BaseExceptionGroup[UntoldError]) -> BaseException:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
