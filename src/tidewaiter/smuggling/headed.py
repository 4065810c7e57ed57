"""The gateway with what writes the header section between its reader and its writer: the code that mail runs through.

Behind the section it is `Ours`. Before, each way in which it may go on is walked: our `Received` alone, the empty line
behind it or before any later line, and `X-Mailbox-Line`. A field's name is bounded by a count, which is scaled down
here to `NAME` octets, and white space behind it to `WHITE`.
"""

import re
from collections import deque
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

from tidewaiter.lines import header
from tidewaiter.lines.emitter import Emitted
from tidewaiter.lines.scan import flush, step
from tidewaiter.lines.stages import RefusedError
from tidewaiter.lines.symbol import BYTES, FINE, REPRESENTATIVE, Symbol, Word, symbols
from tidewaiter.model.sentence import Sentence
from tidewaiter.smuggling.ours import Block, Ours, State
from tidewaiter.smuggling.proof import ProofError

NAME: Final = len(b"From")
WHITE: Final = 1
SCALED: Final = header.patterns_for(NAME, WHITE)
DEPTH: Final = 6
"""Words this long from every state: a field, its end, and the start of the next line."""
CUT_LETTERS: Final = (Symbol.CR, Symbol.LF, Symbol.SP, Symbol.COLON, Symbol.OTHER)
"""What lines are made of, for long words; short ones are made of every letter."""

_DECIDE: Final = (Symbol.COLON, Symbol.BEYOND, Symbol.OTHER, Symbol.SP)
"""What comes behind a name that is held."""
_MAILBOX: Final = re.compile(rb">*(?:F(?:r(?:o(?:m ?)?)?)?)?\r?")
_NAME_BYTES: Final = bytes(byte for byte in range(0x21, 0x7F) if byte not in b":.")
_ALIKE: Final = bytes.maketrans(_NAME_BYTES + b"\t\0\r", b"x" * len(_NAME_BYTES) + b"   ")


@dataclass(frozen=True)
class Headed(Ours):
    """`Ours` from the first byte of the content on."""

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """The classes of bytes that matter to the section too."""
        return FINE

    @property
    def start(self) -> State:
        """Before the first line."""
        return super().start._replace(header=header.FIRST)

    def pass_on(self, state: State, block: bytes) -> Block:
        """Read a block and write it anew."""
        read = step(state.reading, block, self.rules, counted=self.counted)
        if read.state.refused:
            return Block(State(read.state, None), b"", read.ended)
        content, after = _headed(state.header, read.content, last=read.ended)
        writer, wire = self.writer(state)
        wire += writer.write(content)
        return Block(State(read.state, writer.state, after), wire, read.ended)

    def feed(self, state: State, symbol: Symbol) -> Emitted[State]:
        """Take one symbol; raises RefusedError once the message is refused."""
        fed = _fed(self, state, symbol)
        if fed.state.reading.refused:
            raise RefusedError
        return fed

    def finish(self, state: State) -> Word:
        """Write the rest and the end; raises RefusedError."""
        writer, wire = self.writer(state)
        if self.counted:
            rest = flush(state.reading, self.rules)
            if rest.state.refused:
                raise RefusedError
            wire += writer.write(_headed(state.header, rest.content, last=True)[0])
        return symbols(wire + writer.finish())


@cache
def _fed(ours: Headed, state: State, symbol: Symbol) -> Emitted[State]:
    block = ours.pass_on(state, REPRESENTATIVE[symbol])
    after = block.state._replace(header=alike(block.state.header))
    return Emitted(after, symbols(block.wire), block.ended)


def _headed(state: header.State, content: bytes, *, last: bool) -> tuple[bytes, header.State]:
    said = header.step(state, content, SCALED)
    if not last:
        return said.content, said.state
    rest = header.flush(said.state, SCALED)
    return said.content + rest.content, rest.state


def alike(state: header.State) -> header.State:
    """Put the representative of its class for each byte that is held, where it cannot become a mailbox's first line."""
    if state.place == header.START and _MAILBOX.fullmatch(state.held):
        return state
    tail = b"\r" if state.held.endswith(b"\r") else b""
    return state._replace(held=state.held.removesuffix(b"\r").translate(_ALIKE) + tail)


def header_states() -> tuple[header.State, ...]:
    """Explore the states of the section's writer alone."""
    seen = {header.FIRST: None}
    queue = deque(seen)
    while queue:
        state = queue.popleft()
        for symbol in FINE:
            after = alike(header.step(state, REPRESENTATIVE[symbol], SCALED).state)
            if after not in seen:
                seen[after] = None
                queue.append(after)
    return tuple(seen)


def prove_header_classes() -> int:
    """Show that every byte behaves as its representative, read or held; the number of transitions compared."""
    compared = 0
    for state, value in product(header_states(), range(256)):
        byte = bytes([value])
        compared += _prove_alike(state, byte, state, REPRESENTATIVE[_class(value)])
        if byte in _NAME_BYTES and b"x" in state.held:
            held = state._replace(held=state.held.replace(b"x", byte))
            if alike(held) == state:
                compared += sum(
                    _prove_alike(held, REPRESENTATIVE[each], state, REPRESENTATIVE[each]) for each in _DECIDE
                )
    return compared


def _prove_alike(mine: header.State, byte: bytes, theirs: header.State, other: bytes) -> int:
    one, two = header.step(mine, byte, SCALED), header.step(theirs, other, SCALED)
    if (alike(one.state), symbols(one.content), one.odd) != (alike(two.state), symbols(two.content), two.odd):
        raise ProofError(
            Sentence("{byte!r} does not behave as {other!r} in {state}", byte=byte, other=other, state=mine)
        )
    return 1


def _class(value: int) -> Symbol:
    byte = bytes([value])
    for symbol in FINE:
        if REPRESENTATIVE[symbol] == byte:
            return symbol
    return Symbol.OTHER if byte in _NAME_BYTES else Symbol.BEYOND


def prove_header_cuts(depth: int = DEPTH) -> int:
    """Show that a word and the same word with its last byte cut off are written alike; the number of words compared."""
    compared = 0
    for state in header_states():
        compared += _prove_cuts(state, b"", FINE, 2) + _prove_cuts(state, b"", CUT_LETTERS, depth)
    return compared


def _prove_cuts(state: header.State, word: bytes, letters: tuple[Symbol, ...], depth: int) -> int:
    if not depth:
        return 0
    before = header.step(state, word, SCALED)
    compared = 0
    for symbol in letters:
        byte = REPRESENTATIVE[symbol]
        whole = header.step(state, word + byte, SCALED)
        cut = header.step(before.state, byte, SCALED)
        if (whole.state, whole.content) != (cut.state, before.content + cut.content):
            raise ProofError(
                Sentence(
                    "{word!r} is read differently with its last byte apart, from {state}", word=word + byte, state=state
                )
            )
        compared += 1 + _prove_cuts(state, word + byte, letters, depth - 1)
    return compared


assert set(BYTES) < set(FINE)
