"""Our own reader and writer as a machine: no row that says how they behave, but the very code that mail runs through.

`Ours` feeds one representative byte at a time to `lines.scan.step` and `lines.writer.Writer`.
That this tells everything about blocks, cuts and the other 250 bytes is what `smuggling.proof` shows.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from tidewaiter.lines.emitter import Emitted
from tidewaiter.lines.header import BEHIND
from tidewaiter.lines.header import State as Heading
from tidewaiter.lines.scan import CHUNK_START, DATA_START, Rules, flush, rules_for, step
from tidewaiter.lines.scan import State as Reading
from tidewaiter.lines.stages import RefusedError
from tidewaiter.lines.symbol import BYTES, REPRESENTATIVE, Symbol, Word, symbols
from tidewaiter.lines.writer import Writer
from tidewaiter.model.position import Positions

RECEIVED: Final = b"Received: from x\r\n\tby x; x\r\n"
"""What we write before every content, in the classes that matter: two lines, the second folded."""


class State(NamedTuple):
    """Where our reader and our writer stand."""

    reading: Reading
    writing: bytes | None
    """None before the first byte has been written."""
    header: Heading = BEHIND
    """Where the header section stands; behind it what is read is what is written (`smuggling.headed`)."""


class Block(NamedTuple):
    """What a block of wire became."""

    state: State
    wire: bytes
    ended: bool


class Writing(Protocol):
    """`lines.writer.Writer`, or one with a fault that the proof must find."""

    @property
    def state(self) -> bytes:
        """What it remembers."""

    def write(self, content: bytes) -> bytes:
        """Write the next piece of content."""

    def finish(self) -> bytes:
        """End the message."""


@dataclass(frozen=True)
class Ours:
    """The gateway between a wire and the next hop's: DATA, or with `counted` BDAT, in; DATA out."""

    positions: Positions
    counted: bool = False

    @cached_property
    def rules(self) -> Rules:
        """The positions, compiled."""
        return rules_for(self.positions)

    @property
    def letters(self) -> tuple[Symbol, ...]:
        """The classes of bytes that it tells apart."""
        return BYTES

    @property
    def start(self) -> State:
        """Behind the CR LF of the DATA command, or before the first chunk."""
        return State(CHUNK_START if self.counted else DATA_START, None)

    def pass_on(self, state: State, block: bytes) -> Block:
        """Read a block and write it anew."""
        read = step(state.reading, block, self.rules, counted=self.counted)
        if read.state.refused:
            # Nothing of a refused message reaches the next hop, so how far the writer had come does not matter.
            return Block(State(read.state, None), b"", read.ended)
        writer, wire = self.writer(state)
        wire += writer.write(read.content)
        return Block(State(read.state, writer.state), wire, read.ended)

    def writer(self, state: State) -> tuple[Writing, bytes]:
        """Give the writer as it stands there, and what it has just written before the content."""
        if state.writing is not None:
            return Writer(state.writing), b""
        writer = Writer()
        return writer, writer.write(RECEIVED)

    def feed(self, state: State, symbol: Symbol) -> Emitted[State]:
        """Take one symbol; raises RefusedError once the message is refused."""
        block = self.pass_on(state, REPRESENTATIVE[symbol])
        if block.state.reading.refused:
            raise RefusedError
        return Emitted(block.state, symbols(block.wire), block.ended)

    def may_finish(self, state: State) -> bool:  # noqa: ARG002 - a counted message may end anywhere
        """DATA ends itself; a counted message ends where its count says."""
        return self.counted

    def finish(self, state: State) -> Word:
        """Write the rest and the end; raises RefusedError."""
        writer, wire = self.writer(state)
        if self.counted:
            rest = flush(state.reading, self.rules)
            if rest.state.refused:
                raise RefusedError
            wire += writer.write(rest.content)
        return symbols(wire + writer.finish())
