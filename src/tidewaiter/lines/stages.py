"""What is done to content on its way in or out, stage after stage: the words of a row, run over classes of bytes.

| words | meaning |
|---|---|
| `CR LF -> LF; CR -> SP` | write the right side for the left, all rules at once, leftmost, longest; or `nothing` |
| `stuff after P`, `unstuff after P` | add a dot before, take away, a dot where `P` has just been read |
| `refuse P` | send nothing of a message in which `P` occurs |
| `fold N with TOKENS` | break a line that reaches N bytes |
| `prepend TOKENS` | write these before everything |

The start of the content counts as the start of a line.
A stage is a value without memory: its state is handed in and out, so that products of machines can be walked.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol, TypeVar

from tidewaiter.lines.pattern import (
    EMPTY,
    NOTHING,
    Pattern,
    PatternError,
    after,
    anywhere,
    matches_empty,
    parse,
    word,
)
from tidewaiter.lines.symbol import Symbol, Word

SCALE: Final = 5
"""What a counted limit becomes in a product: counting to 998 there would only repeat what counting to 5 shows."""


class RefusedError(Exception):
    """The writer refuses to send this message at all."""


S = TypeVar("S", bound=Hashable)


class Stage(Protocol[S]):
    """One stage: from a state and a symbol to a state and what comes out."""

    @property
    def start(self) -> S:
        """The state before the first symbol."""

    def feed(self, state: S, symbol: Symbol) -> tuple[S, Word]:
        """Take one symbol; raises RefusedError."""

    def finish(self, state: S) -> Word:
        """Give what was held back."""


@dataclass(frozen=True)
class Rewrite:
    """Leftmost-longest replacement, all rules at once; the state is what may still become a match."""

    rules: tuple[tuple[Pattern, Word], ...]
    start: Word = ()

    def feed(self, state: Word, symbol: Symbol) -> tuple[Word, Word]:
        """Take one symbol."""
        held = bounded((*state, symbol))
        length, replacement, rests = self._longest(held)
        if length == len(held) and self._longest(state) == (len(state), replacement, rests):
            # All of it is matched and nothing else may follow than before: a longer word would say no more.
            return state, ()
        return self._munch(held, last=False)

    def finish(self, state: Word) -> Word:
        """Give what was held back."""
        return self._munch(state, last=True)[1]

    def _munch(self, held: Word, *, last: bool) -> tuple[Word, Word]:
        out: Word = ()
        while held:
            length, replacement, rests = self._longest(held)
            if not last and any(rest not in (NOTHING, EMPTY) for rest in rests):
                break
            out += replacement if length else held[:1]
            held = held[max(length, 1) :]
        return held, out

    @cache  # noqa: B019 - a stage lives as long as the row it was compiled from
    def _longest(self, held: Word) -> tuple[int, Word, tuple[Pattern, ...]]:
        """Find the longest match at the front, what is written for it, and what may still follow in each rule."""
        best: tuple[int, Word] = (0, ())
        rests = []
        for pattern, replacement in self.rules:
            rest = pattern
            for length, symbol in enumerate(held, 1):
                rest = after(rest, symbol)
                if matches_empty(rest) and length > best[0]:
                    best = (length, replacement)
            rests.append(rest)
        return *best, tuple(rests)


@dataclass(frozen=True)
class Stuff:
    """A dot before a dot, where `behind` has just been read."""

    behind: Pattern
    dots: int
    """How many dots one becomes: 2 stuffs, 0 unstuffs."""
    start: Pattern | None = None
    """None stands for the start of a line that nothing precedes."""

    def feed(self, state: Pattern | None, symbol: Symbol) -> tuple[Pattern, Word]:
        """Take one symbol."""
        here = symbol is Symbol.DOT and (state is None or matches_empty(state))
        return after(self.behind if state is None else state, symbol), (symbol,) * (self.dots if here else 1)

    def finish(self, state: Pattern | None) -> Word:  # noqa: ARG002 - as every stage
        """Nothing is held back."""
        return ()


@dataclass(frozen=True)
class Refuse:
    """Send nothing of a message in which the pattern occurs."""

    start: Pattern

    def feed(self, state: Pattern, symbol: Symbol) -> tuple[Pattern, Word]:
        """Take one symbol."""
        state = after(state, symbol)
        if matches_empty(state):
            raise RefusedError
        return state, (symbol,)

    def finish(self, state: Pattern) -> Word:  # noqa: ARG002 - as every stage
        """Nothing is held back."""
        return ()


@dataclass(frozen=True)
class Fold:
    """Break a line that reaches `limit` bytes."""

    limit: int
    broken: Word
    start: int = 0

    def feed(self, state: int, symbol: Symbol) -> tuple[int, Word]:
        """Take one symbol."""
        if symbol is Symbol.LF:
            return 0, (symbol,)
        if state < self.limit or symbol is Symbol.CR:
            return min(state + 1, self.limit), (symbol,)
        indent = self.broken[::-1].index(Symbol.LF) if Symbol.LF in self.broken else 0
        return indent + 1, (*self.broken, symbol)

    def finish(self, state: int) -> Word:  # noqa: ARG002 - as every stage
        """Nothing is held back."""
        return ()


@dataclass(frozen=True)
class Prepend:
    """Write `first` before everything."""

    first: Word
    start: bool = False

    def feed(self, state: bool, symbol: Symbol) -> tuple[bool, Word]:  # noqa: FBT001 - a state like any other
        """Take one symbol."""
        return True, (symbol,) if state else (*self.first, symbol)

    def finish(self, state: bool) -> Word:  # noqa: FBT001 - a state like any other
        """Write it even before nothing."""
        return () if state else self.first


def bounded(held: Word) -> Word:
    """Keep a run of one symbol finite: what is true of `SCALE` of them is true of more."""
    run = held[-SCALE - 1 :]
    return held[:-1] if len(run) > SCALE and len(set(run)) == 1 else held


def stage(words: str, *, scaled: bool) -> Stage[Any]:
    """Compile one stage; raises PatternError for words that are none."""
    if "->" in words:
        return Rewrite(tuple(_rule(rule) for rule in words.split(";")))
    verb, _, rest = words.strip().partition(" ")
    if verb in ("stuff", "unstuff") and rest.startswith("after "):
        return Stuff(anywhere(rest.removeprefix("after ")), 2 if verb == "stuff" else 0)
    if verb == "refuse":
        return Refuse(anywhere(rest))
    if verb == "prepend":
        return Prepend(word(rest))
    limit, with_, broken = rest.partition(" with ")
    if verb == "fold" and with_ and limit.isascii() and limit.isdigit():
        return Fold(min(int(limit), SCALE) if scaled else int(limit), word(broken))
    raise PatternError(f"{words!r} is no stage: there are A -> B, stuff after, unstuff after, refuse, fold, prepend")


def _rule(words: str) -> tuple[Pattern, Word]:
    left, arrow, right = words.partition("->")
    if not arrow:
        raise PatternError(f"{words.strip()!r} has no ->")
    return parse(left), () if right.strip() == "nothing" else word(right)


@dataclass(frozen=True)
class Pipeline:
    """Stages in their order, as one."""

    stages: tuple[Stage[Any], ...]

    @property
    def start(self) -> tuple[Hashable, ...]:
        """The states before the first symbol."""
        return tuple(each.start for each in self.stages)

    def feed(self, states: tuple[Any, ...], word_: Word) -> tuple[tuple[Any, ...], Word]:
        """Take symbols through every stage; raises RefusedError."""
        after_ = []
        for each, state in zip(self.stages, states, strict=True):
            state, word_ = _feed(each, state, word_)  # noqa: PLW2901 - the state goes on, through this stage only
            after_.append(state)
        return tuple(after_), word_

    def finish(self, states: tuple[Any, ...]) -> Word:
        """Empty every stage into the next."""
        held: Word = ()
        for each, state in zip(self.stages, states, strict=True):
            state, held = _feed(each, state, held)  # noqa: PLW2901 - as above
            held += each.finish(state)
        return held


def _feed(each: Stage[S], state: S, word_: Word) -> tuple[S, Word]:
    out: Word = ()
    for symbol in word_:
        state, more = each.feed(state, symbol)
        out += more
    return state, out


def pipeline(stages: tuple[str, ...], *, scaled: bool = True) -> Pipeline:
    """Compile the stages of a row."""
    return Pipeline(tuple(stage(words, scaled=scaled) for words in stages))
