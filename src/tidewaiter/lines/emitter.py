"""A writer compiled: content in, DATA out, its own end last."""

from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from tidewaiter.lines.pattern import Pattern, after, anywhere, matches_empty, word
from tidewaiter.lines.stages import Pipeline, pipeline
from tidewaiter.lines.symbol import Symbol, Word
from tidewaiter.model.dialect import WriterDialect

LINE_END: Word = (Symbol.CR, Symbol.LF)


S = TypeVar("S")


class State(NamedTuple):
    """Where a writer stands."""

    stages: tuple[Any, ...]
    last: Pattern | None
    """What it takes for a line end, as far as it has been written; None before the first byte."""


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
    ended: Pattern
    final: Word

    @property
    def start(self) -> State:
        """Before the first byte."""
        return State(self.stages.start, None)

    def feed(self, state: State, symbol: Symbol) -> Emitted[State]:
        """Write one symbol of content; raises RefusedError."""
        stages, wire = self.stages.feed(state.stages, (symbol,))
        return Emitted(State(stages, self._last(state.last, wire)), wire, ended=False)

    def may_finish(self, state: State) -> bool:  # noqa: ARG002 - the content may end anywhere
        """The content may end here."""
        return True

    def finish(self, state: State) -> Word:
        """Write what was held back, the missing line end, and the end."""
        rest = self.stages.finish(state.stages)
        last = self._last(state.last, rest)
        return rest + (() if last is None or matches_empty(last) else LINE_END) + self.final

    def _last(self, last: Pattern | None, wire: Word) -> Pattern | None:
        for symbol in wire:
            last = after(self.ended if last is None else last, symbol)
        return last


def emitter(writer: WriterDialect, *, scaled: bool = True) -> Emitter:
    """Compile a writer row; raises PatternError for words that mean nothing."""
    return Emitter(pipeline(writer.stages, scaled=scaled), anywhere(writer.ended), word(writer.final))
