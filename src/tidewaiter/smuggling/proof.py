"""The proof that nothing can be smuggled through the gateway, taken from its own code.

1. **Classes.** In every state each of the 256 bytes behaves as the representative of its class.
2. **Cuts.** From every state, every word up to a depth gives the same as one block and with its last byte cut off;
   by induction every cut of it does.
3. **Written.** Where nothing is only noted, what is written holds no bare CR, no bare LF, no NUL, and no line that
   opens with a dot but the last and the stuffed ones: no row is needed to see that it has one end.
4. **Ended.** From every state the standard's end ends the message, so that no message swallows the next.
5. **Read.** In every position, composed with every row that can read RFC 5321 at all, it leaves no attack.

What it does not cover is said in `NOT_COVERED`, and printed with it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.scan import END as TRUE_END
from tidewaiter.lines.stages import RefusedError
from tidewaiter.lines.symbol import BYTES, REPRESENTATIVE, Symbol, Word, spell, symbols
from tidewaiter.model.dialect import STRICT, Dialect
from tidewaiter.model.sentence import Sentence, SentenceError
from tidewaiter.smuggling.ours import Ours, State
from tidewaiter.smuggling.path import Path
from tidewaiter.smuggling.product import Answer, source, splitter, walk

NOT_COVERED: Final = (
    Sentence(
        "a program that no row describes, or that a row describes wrongly; the lab learns the real ones to find out"
    ),
    Sentence("a next hop that ends DATA where a limit is reached that it does not announce with SIZE"),
    Sentence("the envelope: it is explored apart, over all command sequences, in the tests of wire"),
    Sentence("what a program behind the next hop does with the content: compose its row as a further reader"),
)

DEPTH: Final = 7
"""Words this long from every state: longer than the longest memory of the reader (four bytes) and an end."""


class ProofError(SentenceError, AssertionError):
    """The code does not do what the proof needs; the message holds the counter-example."""


@dataclass(frozen=True, slots=True)
class Composed:
    """One row behind us, in one position."""

    row: str
    verdict: Literal["safe", "attack", "could not tell", "safe within its size limit", "unsafe behind any writer"]
    answer: Answer


def states(ours: Ours) -> tuple[State, ...]:
    """Explore the reachable states: feed a representative of each class until no new one appears."""
    seen = {ours.start: None}
    queue = deque(seen)
    while queue:
        state = queue.popleft()
        for symbol in BYTES:
            block = ours.pass_on(state, REPRESENTATIVE[symbol])
            if not block.ended and block.state not in seen:
                seen[block.state] = None
                queue.append(block.state)
    return tuple(seen)


def prove_classes(ours: Ours) -> int:
    """Show that every byte behaves as its representative; the number of transitions compared."""
    compared = 0
    for state, value in product(states(ours), range(256)):
        byte = bytes([value])
        mine = ours.pass_on(state, byte)
        (symbol,) = symbols(byte)
        theirs = ours.pass_on(state, REPRESENTATIVE[symbol])
        swapped = theirs.wire if symbol is not Symbol.OTHER else _swap(theirs.wire, byte)
        if (mine.state, mine.wire, mine.ended) != (theirs.state, swapped, theirs.ended):
            raise ProofError(
                Sentence(
                    "{byte!r} does not behave as {other!r} in {state}",
                    byte=byte,
                    other=REPRESENTATIVE[symbol],
                    state=state,
                )
            )
        compared += 1
    return compared


def _swap(wire: bytes, byte: bytes) -> bytes:
    """Put `byte` where the representative stood: last, since nothing is written behind an ordinary byte."""
    return wire[:-1] + byte if wire.endswith(REPRESENTATIVE[Symbol.OTHER]) else wire


def prove_cuts(ours: Ours, depth: int = DEPTH) -> int:
    """Show that a word and the same word with its last byte cut off are read alike; the number of words compared."""
    return sum(_prove_cuts(ours, state, b"", depth) for state in states(ours))


def _prove_cuts(ours: Ours, state: State, word: bytes, depth: int) -> int:
    before = ours.pass_on(state, word)
    if before.ended or not depth:
        return 0
    compared = 0
    for symbol in BYTES:
        byte = REPRESENTATIVE[symbol]
        whole = ours.pass_on(state, word + byte)
        cut = ours.pass_on(before.state, byte)
        # A refused message is not delivered, so there only the state and the end matter.
        wire = b"" if whole.state.reading.refused else before.wire + cut.wire
        if (whole.state, whole.ended, whole.wire) != (cut.state, cut.ended, wire):
            raise ProofError(
                Sentence(
                    "{word!r} is read differently with its last byte apart, from {state}", word=word + byte, state=state
                )
            )
        compared += 1 + _prove_cuts(ours, state, word + byte, depth - 1)
    return compared


def prove_written(ours: Ours) -> int:
    """Show, without any row, that what is written has one end; the number of states walked."""
    first = (ours.start, _Seen())
    seen = {first}
    queue = deque([first])
    while queue:
        state, told = queue.popleft()
        if ours.may_finish(state):
            _end(ours, state, told)
        for symbol in ours.letters:
            try:
                fed = ours.feed(state, symbol)
            except RefusedError:
                continue
            after = (fed.state, told.go(fed.wire))
            if fed.ended:
                _end(ours, *after)
            elif after not in seen:
                seen.add(after)
                queue.append(after)
    return len(seen)


def _end(ours: Ours, state: State, told: "_Seen") -> None:
    try:
        rest = ours.finish(state)
    except RefusedError:
        return
    told.go(rest[: -len(_END)]).must_be_at_a_line(rest)
    if rest[-len(_END) :] != _END:
        raise ProofError(Sentence("the end is written as {wire!r}", wire=spell(rest)))


_END: Final = (Symbol.DOT, Symbol.CR, Symbol.LF)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A monitor that knows nothing of reader or writer: the last bytes written."""

    last: Word = (Symbol.CR, Symbol.LF)

    def go(self, wire: Word) -> "_Seen":
        last = self.last
        for symbol in wire:
            if (last[-1] is Symbol.CR) != (symbol is Symbol.LF) or symbol is Symbol.NUL:
                raise ProofError(Sentence("an odd byte is written: {wire!r}", wire=spell((*last, symbol))))
            if last[-3:] == (Symbol.CR, Symbol.LF, Symbol.DOT) and symbol is not Symbol.DOT:
                raise ProofError(Sentence("a line opens with one dot: {wire!r}", wire=spell((*last, symbol))))
            last = (*last, symbol)[-3:]
        return _Seen(last)

    def must_be_at_a_line(self, rest: Word) -> None:
        if self.last[-2:] != (Symbol.CR, Symbol.LF):
            raise ProofError(Sentence("the end does not stand on a line of its own: {wire!r}", wire=spell(rest)))


def prove_ends(ours: Ours) -> int:
    """Show that the end is never lost, whatever came before it; the number of states it was tried from."""
    if ours.counted:
        return len(states(ours))  # a counted message ends where its count says, whatever it holds
    for state in states(ours):
        if not ours.pass_on(state, TRUE_END).ended:
            raise ProofError(Sentence("{wire!r} does not end the message from {state}", wire=TRUE_END, state=state))
    return len(states(ours))


def compose(ours: Ours, rows: Iterable[Dialect]) -> Iterator[Composed]:
    """Compose the gateway, as `ours` has it, with every reader of `rows`.

    A row that even the standard's own writer cannot protect is named so.
    One that goes astray only past its size limit is safe behind us: we give it no message larger than it takes.
    """
    for row in rows:
        if row.reader and not row.candidates():
            unknown = Sentence("{row}: a field that decides is unknown", row=row.id)
            yield Composed(row.id, "could not tell", Answer("could not tell", 0, why=unknown))
        for candidate in row.candidates():
            if candidate.reader:
                yield _composed(ours, row.id, splitter(candidate))


def _composed(ours: Ours, row: str, reads: Splitter) -> Composed:
    answer = walk(Path(ours, (), reads))
    if answer.verdict != "attack" or not _splits_anybody(reads, limits=True):
        return Composed(row, answer.verdict, answer)
    within = walk(Path(ours, (), reads), limits=False)
    if within.verdict == "safe":
        return Composed(row, "safe within its size limit", answer)
    # What only passing the limit does to the standard excuses no attack that we let through below it.
    if within.verdict == "attack" and not _splits_anybody(reads, limits=False):
        return Composed(row, "attack", within)
    return Composed(row, "unsafe behind any writer", answer)


def _splits_anybody(reads: Splitter, *, limits: bool) -> bool:
    return walk(Path(source(STRICT), (), reads), limits=limits).verdict == "attack"
