"""Can a message be smuggled from this writer past this reader?  Walk the product of their machines and see.

Breadth first, so that the first attack met is a shortest one; to the end, so that none means that there is none.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, Literal, NamedTuple

from tidewaiter.lines.emitter import emitter
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.stages import pipeline
from tidewaiter.lines.symbol import Symbol, Word
from tidewaiter.model.dialect import Dialect, Then
from tidewaiter.model.sentence import Sentence, SentenceError
from tidewaiter.smuggling.path import Lost, Path, PathState, Relay, Source, Split, written

STATES: Final = 2_000_000
"""A product larger than this is given up as could not tell; the largest of real rows has some thousands."""

OVERSIZE: Final = "past the size limit"
Move = Symbol | Literal["past the size limit"]


class PlaceError(SentenceError, ValueError):
    """A row cannot take the place on the path that it is given."""


@dataclass(frozen=True, slots=True)
class Attack:
    """The shortest content that splits."""

    content: tuple[Move, ...]
    """What the attacker gives to the writer, byte class by byte class."""
    wire: Word
    """What that reader is sent of it, with the end that was written for it."""
    hop: int
    """Which reader splits: 0 is the first behind the writer."""
    then: Then | None
    """What that reader does at its false end; None when it sees no end and swallows the next message."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Safe for every input, an attack, or could not tell."""

    verdict: Literal["safe", "attack", "could not tell"]
    states: int
    """States of the product that were walked."""
    attack: Attack | None = None
    why: Sentence | None = None
    """What is not known, where the verdict is could not tell."""


class _Node(NamedTuple):
    state: PathState
    before: "_Node | None"
    move: Move | None


def smuggle(
    writer: Dialect | Source[Any], relays: tuple[Dialect, ...], reader: Dialect, *, limits: bool = True
) -> Answer:
    """Ask whether any content given to `writer`, a row or our own code, is read as two messages, or as none, behind it.

    An unknown field is each of its values: the answer is could not tell where they disagree.
    Without `limits` no reader ever passes its size limit.
    Raises PlaceError for a row that cannot take the place it is given.
    """
    if isinstance(writer, Dialect) and writer.writer and writer.writer.passes_on:
        raise PlaceError(
            Sentence("{row} only passes on what it has read: it can be a relay, not the first writer", row=writer.id)
        )
    rows = (*((writer,) if isinstance(writer, Dialect) else ()), *relays, reader)
    undecided = [row.id for row in rows if not row.candidates()]
    if undecided:
        return Answer("could not tell", 0, why=Sentence("{row}: a field that decides is unknown", row=undecided[0]))
    writers = [source(row) for row in writer.candidates()] if isinstance(writer, Dialect) else [writer]
    answers = [
        walk(compile_path(first, tuple(middle), last), limits=limits)
        for first, *middle, last in product(writers, *(row.candidates() for row in (*relays, reader)))
    ]
    if len({answer.verdict for answer in answers}) == 1:
        return answers[0]
    return Answer("could not tell", answers[0].states, why=Sentence("the values of an unknown field disagree"))


def compile_path(writer: Source[Any], relays: tuple[Dialect, ...], reader: Dialect) -> Path:
    """Compile the rows of a path."""
    return Path(writer, tuple(_relay(row) for row in relays), splitter(reader))


def source(row: Dialect) -> Source[Any]:
    """Compile a row as a writer."""
    if row.writer is None:
        raise PlaceError(Sentence("{row} says nothing of how it writes", row=row.id))
    return emitter(row.writer)


def splitter(row: Dialect) -> Splitter:
    """Compile a row as a reader."""
    if row.reader is None:
        raise PlaceError(Sentence("{row} says nothing of how it reads", row=row.id))
    return Splitter(row.reader)


def _relay(row: Dialect) -> Relay:
    reads = splitter(row)
    return Relay(reads, pipeline(row.reader.change if row.reader else ()), source(row))


def walk(path: Path, *, limits: bool = True) -> Answer:
    """Walk every state that any content can bring the path to.

    Without `limits` no reader ever passes its size limit: what is true then is true of messages that it offers to take.
    """
    seen: set[PathState] = set()
    queue: deque[_Node] = deque()
    coming: Iterable[_Node | Attack] = (_Node(path.start, None, None),)
    while True:
        for after in coming:
            if attack := after if isinstance(after, Attack) else _arrive(path, after, seen, queue):
                return Answer("attack", len(seen), attack)
        if len(seen) > STATES:
            return Answer("could not tell", len(seen), why=Sentence("the product has too many states"))
        if not queue:
            return Answer("safe", len(seen))
        coming = _steps(path, queue.popleft(), limits=limits)


def _arrive(path: Path, node: _Node, seen: set[PathState], queue: deque[_Node]) -> Attack | None:
    """Let the message end here before anything longer is tried: where the end alone splits, that attack is shorter."""
    if node.state in seen:
        return None
    seen.add(node.state)
    queue.append(node)
    ended = _tried(path, node, _end) if path.writer.may_finish(node.state.writing) else None
    return ended if isinstance(ended, Attack) else None


def _steps(path: Path, node: _Node, *, limits: bool) -> Iterator["_Node | Attack"]:
    """Everything that can happen next: a byte comes, a limit is passed."""
    for symbol in path.writer.letters:
        after = _tried(path, _Node(node.state, node, symbol), _feed)
        if after:
            yield after
    for state in path.oversize(node.state) if limits else ():
        yield _Node(state, node, OVERSIZE)


def _end(path: Path, node: _Node) -> _Node:
    path.finish(node.state)
    return node


def _feed(path: Path, node: _Node) -> _Node | None:
    assert isinstance(node.move, Symbol)
    fed = path.feed(node.state, node.move)
    if fed.ended:
        path.finish(fed.state)
        return None
    return node._replace(state=fed.state)


def _tried(path: Path, node: _Node, act: Callable[[Path, _Node], _Node | None]) -> "_Node | Attack | None":
    try:
        return act(path, node)
    except Lost:
        return None
    except Split as split:
        content = _moves(node)
        return Attack(content, sent_to(path, split.hop, content), split.hop, split.then)


def _moves(node: _Node) -> tuple[Move, ...]:
    moves: list[Move] = []
    while node.before is not None and node.move is not None:
        moves.append(node.move)
        node = node.before
    return tuple(reversed(moves))


def sent_to(path: Path, hop: int, content: tuple[Move, ...]) -> Word:
    """Write `content` and its end, as the reader at `hop` is sent them."""
    wire = written(path.writer, tuple(symbol for symbol in content if isinstance(symbol, Symbol)))
    for relay in path.relays[:hop]:
        wire = relay.passed_on(wire)
    return wire
