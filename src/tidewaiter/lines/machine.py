"""A dialect compiled: what a program does with each class of bytes, state by state.

`Splitter` answers where the content ends.  An end is `A . B`: the dot counts where `A` has just been read, and the
content has ended once `B` follows.  One automaton watches every pattern of the row at once, and a mode only says which
of them mean something, so that going from one mode to another forgets nothing of what was read before.
"""

from typing import NamedTuple

from tidewaiter.lines.pattern import NOTHING, Pattern, PatternError, after, anywhere, either, matches_empty, parse, word
from tidewaiter.lines.symbol import Symbol
from tidewaiter.model.dialect import NORMAL, OVERSIZE, ReaderDialect, Then

Tails = tuple[tuple[int, Pattern], ...]


class State(NamedTuple):
    """Where a reader stands in the content."""

    mode: str
    context: tuple[Pattern, ...]
    """For each `A` and each `goes` pattern of the row, what may still follow."""
    tails: Tails
    """The ends whose dot has been read, with what of `B` is missing."""


class Read(NamedTuple):
    """What one symbol did."""

    state: State
    end: Then | None
    """The content has ended here, or the program has answered at once."""


class Splitter:
    """Where the content ends for one reader."""

    def __init__(self, reader: ReaderDialect) -> None:
        """Compile the row; raises PatternError for words that mean nothing."""
        self._modes = dict(reader.modes)
        words = sorted({end.on for _, mode in reader.modes for end in mode.ends})
        self._behind = [_behind(on) for on in words]
        self._then = {name: {words.index(end.on): end.then for end in mode.ends} for name, mode in self._modes.items()}
        triggers = sorted({on for _, mode in reader.modes for on, _ in mode.goes if on != OVERSIZE})
        self._goes = {
            name: tuple((len(words) + triggers.index(on), to) for on, to in mode.goes if on != OVERSIZE)
            for name, mode in self._modes.items()
        }
        self._oversize = {name: dict(mode.goes).get(OVERSIZE) for name, mode in self._modes.items()}
        self._watched = [(on, on.partition(".")[0]) for on in words] + [(on, on) for on in triggers]
        self.start = State(NORMAL, tuple(_watch(on, start=reader.start) for _, on in self._watched), ())
        self.sees_edges = any("EDGE" in on for on, _ in self._watched)

    def feed(self, state: State, symbol: Symbol) -> Read:
        """Read one symbol of content."""
        if symbol is Symbol.EDGE:
            state = self._edge(state)
            return Read(state, self._end_of(state) if self.sees_edges else None)
        context = tuple(after(pattern, symbol) for pattern in state.context)
        tails = {which: after(rest, symbol) for which, rest in state.tails}
        if symbol is Symbol.DOT:
            # What was read before the dot decides whether it stands at the start of a line.
            for which, behind in enumerate(self._behind):
                if matches_empty(state.context[which]):
                    tails[which] = either(tails.get(which, NOTHING), behind)
        alive = tuple((which, tails[which]) for which in sorted(tails) if tails[which] is not NOTHING)
        return self._judged(State(state.mode, context, alive))

    def oversize(self, state: State) -> Read | None:
        """Pass the size limit here; None where the row says nothing of it."""
        target = self._oversize[state.mode]
        return None if target is None else self._go(state, target)

    def rejects(self, state: State) -> bool:
        """Content is read on, but the message is already lost."""
        return self._modes[state.mode].rejects

    def _judged(self, state: State) -> Read:
        end = self._end_of(state)
        if end:
            return Read(self.start if end.goes_on == "content" else state, end)
        for which, target in self._goes[state.mode]:
            if matches_empty(state.context[which]):
                return self._go(state, target)
        return Read(state, None)

    def _end_of(self, state: State) -> Then | None:
        meant = self._then[state.mode]
        for which, rest in state.tails:
            if which in meant and matches_empty(rest):
                return meant[which]
        return None

    @staticmethod
    def _go(state: State, target: str | Then) -> Read:
        return Read(state, target) if isinstance(target, Then) else Read(state._replace(mode=target), None)

    def _edge(self, state: State) -> State:
        if not self.sees_edges:
            return state
        # An edge is no byte: a pattern that does not ask for one goes on as if there were none.
        context = tuple(either(pattern, after(pattern, Symbol.EDGE)) for pattern in state.context)
        tails = tuple((which, either(rest, after(rest, Symbol.EDGE))) for which, rest in state.tails)
        return State(state.mode, context, tails)


def _behind(on: str) -> Pattern:
    """What follows the dot of an end."""
    _, dot, behind = on.partition(".")
    if not dot or "." in behind:
        raise PatternError(f"{on!r}: an end has one dot, with what comes before it and what comes behind it")
    return parse(behind)


def _watch(on: str, *, start: str) -> Pattern:
    pattern = anywhere(on)
    if not on.strip().startswith("^"):
        for symbol in word(start):
            pattern = after(pattern, symbol)
    return pattern
