"""A writer compiled: content in, DATA out, its own end last."""

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from tidewaiter.lines.pattern import ANY, EMPTY, Pattern, after, anywhere, either, many, matches_empty, word
from tidewaiter.lines.stages import Pipeline, pipeline
from tidewaiter.lines.symbol import BYTES, Symbol, Word
from tidewaiter.model.dialect import WriterDialect

LINE_END: Word = (Symbol.CR, Symbol.LF)


S = TypeVar("S")


class State(NamedTuple):
    """Where a writer stands."""

    stages: tuple[Any, ...]
    last: tuple[Pattern, ...]
    """For each pattern that decides what is written last, what of it is still missing."""


class Emitted(NamedTuple, Generic[S]):
    """What one symbol of content became."""

    state: S
    wire: Word
    ended: bool
    """The content ended itself with this symbol; only a writer that reads DATA first knows such an end."""


@dataclass(frozen=True)
class Emitter:
    """One writer row."""

    stages: Pipeline
    closing: tuple[tuple[Pattern, Word], ...]
    """What is written last, by what the wire ends in; the first that matches holds."""

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """The classes of bytes that a row knows."""
        return BYTES

    @property
    def start(self) -> State:
        """Before the first byte."""
        return State(self.stages.start, tuple(pattern for pattern, _ in self.closing))

    def feed(self, state: State, symbol: Symbol) -> Emitted[State]:
        """Write one symbol of content; raises RefusedError."""
        stages, wire = self.stages.feed(state.stages, (symbol,))
        return Emitted(State(stages, _read(state.last, wire)), wire, ended=False)

    def may_finish(self, state: State) -> bool:  # noqa: ARG002 - the content may end anywhere
        """The content may end here."""
        return True

    def finish(self, state: State) -> Word:
        """Write what was held back, the missing line end, and the end."""
        rest = self.stages.finish(state.stages)
        decided = zip(_read(state.last, rest), self.closing, strict=True)
        return rest + next(words for left, (_, words) in decided if matches_empty(left))


def _read(patterns: tuple[Pattern, ...], wire: Word) -> tuple[Pattern, ...]:
    for symbol in wire:
        patterns = tuple(after(pattern, symbol) for pattern in patterns)
    return patterns


def emitter(writer: WriterDialect, *, scaled: bool = True) -> Emitter:
    """Compile a writer row; raises PatternError for words that mean nothing."""
    final = word(writer.final)
    closing = [(anywhere(on), word(words)) for on, words in writer.closing]
    # The start of the content counts as the start of a line, so there `ended` has nothing to add.
    closing += [(either(EMPTY, anywhere(writer.ended)), final), (many(ANY), LINE_END + final)]
    return Emitter(pipeline(writer.stages, scaled=scaled), tuple(closing))
