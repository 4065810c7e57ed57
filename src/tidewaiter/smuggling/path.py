"""A path of mail as one machine: a writer, relays, a reader, walked together symbol by symbol.

An **attack** is a reader that sees the end before the last CR of the end that was written for it and goes on to
commands, or one that sees no end at all, so that the next message is swallowed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from tidewaiter.lines.emitter import Emitted
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.machine import State as Reading
from tidewaiter.lines.stages import Pipeline, RefusedError, bounded
from tidewaiter.lines.symbol import Symbol, Word
from tidewaiter.model.dialect import Then

Readings = frozenset[Reading]
"""Where a reader may stand: one state, or several for a program that behaves differently where a read ends,
since the sender and the network decide where that is."""


S = TypeVar("S")


class Source(Protocol[S]):
    """What writes DATA: a compiled row, or our own reader and writer."""

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """The classes of bytes that it tells apart."""

    @property
    def start(self) -> S:
        """The state before the first symbol."""

    def feed(self, state: S, symbol: Symbol) -> Emitted[S]:
        """Write one symbol; raises RefusedError."""

    def may_finish(self, state: S) -> bool:
        """The message may end here."""

    def finish(self, state: S) -> Word:
        """Write the rest and the end."""


class Split(Exception):  # noqa: N818 - not an error but the answer that is looked for
    """A reader on the path has ended where the writer had not, or not at all."""

    def __init__(self, hop: int, then: Then | None) -> None:
        """At which reader, and what follows there; None when it never ended."""
        super().__init__(hop, then)
        self.hop = hop
        self.then = then


class Lost(Exception):  # noqa: N818 - not an error: the message is refused or the connection closed, nobody is attacked
    """The message goes no further."""


@dataclass(frozen=True)
class Relay:
    """A program in the middle: it reads by its row and writes anew by its row."""

    reads: Splitter
    change: Pipeline
    writes: Source[Any]

    @property
    def start(self) -> "RelayState":
        """Before the first symbol."""
        return RelayState(_first(self.reads), (), self.change.start, self.writes.start)

    def passed_on(self, wire: Word) -> Word:
        """Write anew a whole message that came with its end."""
        state, sent = _relayed(0, self, self.start, wire[: -len(_LAST)], judged=False)
        return sent + self.rest(state)

    def rest(self, state: "RelayState") -> Word:
        """Write what is left once the end has been read: what is behind its dot was no content.

        Its dot is the last: an earlier one in what was held back only looked as if it were.
        """
        before = len(state.held) - 1 - state.held[::-1].index(Symbol.DOT) if Symbol.DOT in state.held else 0
        change, content = self.change.feed(state.change, state.held[:before])
        writing, sent = _written(self.writes, state.writing, content)
        writing, out = _written(self.writes, writing, self.change.finish(change))
        return sent + out + self.writes.finish(writing)


class RelayState(NamedTuple):
    """Where a relay stands."""

    reading: Readings
    held: Word
    """From a dot that may be the end's, until that is decided."""
    change: tuple[Any, ...]
    writing: Any


class PathState(NamedTuple):
    """Where all of them stand."""

    writing: Any
    relays: tuple[RelayState, ...]
    reading: Readings


class Fed(NamedTuple):
    """What one symbol of content did."""

    state: PathState
    ended: bool
    """The content ended itself with it."""


@dataclass(frozen=True)
class Path:
    """Writer, relays, reader."""

    writer: Source[Any]
    relays: tuple[Relay, ...]
    reader: Splitter

    @property
    def start(self) -> PathState:
        """Before the first symbol."""
        return PathState(self.writer.start, tuple(relay.start for relay in self.relays), _first(self.reader))

    def feed(self, state: PathState, symbol: Symbol) -> Fed:
        """Take one symbol of content; raises Split or Lost."""
        try:
            writing, wire, ended = self.writer.feed(state.writing, symbol)
            return Fed(self._on(state._replace(writing=writing), wire), ended)
        except RefusedError:
            raise Lost from None

    def oversize(self, state: PathState) -> Iterator[PathState]:
        """Let one of the readers pass its size limit here."""
        yield from (state._replace(reading=passed) for passed in _oversize(self.reader, state.reading))
        for at, (relay, each) in enumerate(zip(self.relays, state.relays, strict=True)):
            for passed in _oversize(relay.reads, each.reading):
                moved = each._replace(reading=passed)
                yield state._replace(relays=(*state.relays[:at], moved, *state.relays[at + 1 :]))

    def finish(self, state: PathState) -> None:
        """End the message; raises Split or Lost."""
        try:
            wire = self.writer.finish(state.writing)
            for hop, (relay, each) in enumerate(zip(self.relays, state.relays, strict=True)):
                _to_the_end(relay.reads, each.reading, wire, hop)
                after, sent = _relayed(hop, relay, each, wire[: -len(_LAST)], judged=False)
                wire = sent + relay.rest(after)
        except RefusedError:
            raise Lost from None
        _to_the_end(self.reader, state.reading, wire, len(self.relays))

    def _on(self, state: PathState, wire: Word) -> PathState:
        relays = []
        for hop, (relay, each) in enumerate(zip(self.relays, state.relays, strict=True)):
            each, wire = _relayed(hop, relay, each, wire)  # noqa: PLW2901 - the relay's next state
            relays.append(each)
        reading = state.reading
        for symbol in wire:
            reading = _read(self.reader, reading, symbol, len(self.relays))
        return PathState(state.writing, tuple(relays), reading)


_LAST: Final = (Symbol.CR, Symbol.LF)


def _first(reads: Splitter) -> Readings:
    return _edges(reads, {reads.start}, 0)


def _edges(reads: Splitter, readings: set[Reading], hop: int) -> Readings:
    """Let a read end here, or not; raises Split where that alone ends the content."""
    if reads.sees_edges:
        for read in [reads.feed(each, Symbol.EDGE) for each in readings]:
            if read.end and read.end.goes_on != "close":
                raise Split(hop, read.end)
            readings |= set() if read.end else {read.state}
    return frozenset(readings)


def _oversize(reads: Splitter, readings: Readings) -> Iterator[Readings]:
    passed = [reads.oversize(each) for each in readings]
    still = {read.state for read in passed if read and not read.end}
    if still:
        yield frozenset(still)


def _read(reads: Splitter, readings: Readings, symbol: Symbol, hop: int) -> Readings:
    still = set()
    for reading in readings:
        read = reads.feed(reading, symbol)
        if read.end is None:
            still.add(read.state)
        elif read.end.goes_on != "close":
            raise Split(hop, read.end)
    if not still:
        raise Lost
    return _edges(reads, still, hop)


def _to_the_end(reads: Splitter, readings: Readings, wire: Word, hop: int) -> None:
    """The end must be seen at the last CR or the last LF: one before it leaves bytes that are read as commands."""
    for symbol in wire[: -len(_LAST)]:
        readings = _read(reads, readings, symbol, hop)
    for symbol in wire[-len(_LAST) :]:
        read = [reads.feed(reading, symbol) for reading in readings]
        still = {each.state for each in read if each.end is None or each.end.goes_on == "content"}
        edges = [reads.feed(reading, Symbol.EDGE) for reading in still]
        readings = frozenset(still | {each.state for each in edges if each.end is None})
    # The writer waits for a reply, so behind the last byte a read does end.
    if any(reads.feed(reading, Symbol.EDGE).end is None for reading in readings):
        raise Split(hop, None)


def _relayed(hop: int, relay: Relay, state: RelayState, wire: Word, *, judged: bool = True) -> tuple[RelayState, Word]:
    reading, held, change, writing = state
    sent: Word = ()
    for symbol in wire:
        if judged:
            reading = _read(relay.reads, reading, symbol, hop)
        else:
            reading = frozenset(relay.reads.feed(each, symbol).state for each in reading)
        held = bounded((*held, symbol))
        if any(each.tails for each in reading):
            continue
        change, content = relay.change.feed(change, held)
        held = ()
        writing, out = _written(relay.writes, writing, content)
        sent += out
    return RelayState(reading, held, change, writing), sent


def _written(writer: Source[S], writing: S, content: Word) -> tuple[S, Word]:
    sent: Word = ()
    for symbol in content:
        writing, out, _ = writer.feed(writing, symbol)
        sent += out
    return writing, sent


def written(writer: Source[S], content: Word) -> Word:
    """Write a whole message and its end; raises RefusedError."""
    state = writer.start
    wire: Word = ()
    for symbol in content:
        state, more, ended = writer.feed(state, symbol)
        wire += more
        if ended:
            break
    return wire + writer.finish(state)
