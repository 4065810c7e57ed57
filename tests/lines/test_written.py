"""A writer's machine written out: it does what the writer does, in as few states as can be, and is drawn as it is."""

from itertools import product

import pytest
from hypothesis import given

from tests.strategies import words
from tidewaiter.lines.emitter import Emitter, emitter
from tidewaiter.lines.stages import RefusedError
from tidewaiter.lines.symbol import BYTES, Word, symbols
from tidewaiter.lines.written import Written, dot, written_out
from tidewaiter.model.dialect import WriterDialect
from tidewaiter.smuggling.path import written

END = symbols(b".\r\n")
WRITERS = {
    "stuffing": emitter(WriterDialect(("stuff after CR LF",))),
    "careless": emitter(WriterDialect((), ended="LF")),
    "refusing": emitter(WriterDialect(("refuse LF . LF", "LF -> CR LF; CR LF -> CR LF"))),
    "holding": emitter(WriterDialect(("CR LF -> LF; CR -> SP", "stuff after LF"))),
}


def as_written_out(machine: Written, content: Word, state: int = 0) -> Word | None:
    """What the written-out machine writes, from a state of it; None where it refuses."""
    wire: Word = ()
    for symbol in content:
        move = machine.next[state][BYTES.index(symbol)]
        if move is None:
            return None
        wire, state = wire + move[0], move[1]
    return wire + machine.final[state]


def as_it_writes(writer: Emitter, content: Word) -> Word | None:
    try:
        return written(writer, content)
    except RefusedError:
        return None


@pytest.mark.parametrize("name", WRITERS)
@given(content=words(9))
def test_a_writer_written_out_writes_what_the_writer_writes(name: str, content: Word) -> None:
    assert as_written_out(written_out(WRITERS[name]), content) == as_it_writes(WRITERS[name], content)


@pytest.mark.parametrize("name", WRITERS)
def test_a_writer_written_out_has_no_two_states_alike(name: str) -> None:
    machine = written_out(WRITERS[name])
    contents = [content for length in range(4) for content in product(BYTES, repeat=length)]
    states = range(len(machine.next))
    told = {tuple(as_written_out(machine, content, state) for content in contents) for state in states}
    assert len(told) == len(states) == len(machine.final)
    assert len(told) > 1


def test_states_are_numbered_as_they_are_met() -> None:
    met = [0]
    for at, row in enumerate(written_out(WRITERS["stuffing"]).next):
        assert met[at] == at
        met += [to for to in dict.fromkeys(move[1] for move in row if move) if to not in met]


def test_a_writer_can_be_drawn() -> None:
    assert dot(TOY, "toy") == (
        'digraph "toy" {\n'
        "  rankdir=LR;\n"
        '  label="toy"; labelloc=t;\n'
        '  0 [shape=circle, xlabel="end / CR LF . CR LF"];\n'
        '  1 [shape=circle, xlabel="end / . CR LF"];\n'
        '  refused [shape=box, label="refused"];\n'
        '  0 -> 0 [label="CR\\n.\\nNUL / nothing\\nSP\\nx"];\n'
        '  0 -> 1 [label="LF / CR LF"];\n'
        '  1 -> refused [label="CR\\nNUL"];\n'
        '  1 -> 1 [label="LF / CR LF CR"];\n'
        '  1 -> 0 [label=". / . .\\nSP\\nx"];\n'
        "}\n"
    )


def test_a_writer_that_refuses_nothing_is_drawn_without_a_box() -> None:
    assert "refused" not in dot(written_out(WRITERS["stuffing"]), "stuffing")


CR, LF, DOT, NUL, SP, OTHER = ((symbol,) for symbol in BYTES)
TOY = Written(
    (
        ((CR, 0), (CR + LF, 1), (DOT, 0), ((), 0), (SP, 0), (OTHER, 0)),
        (None, (CR + LF + CR, 1), (DOT + DOT, 0), None, (SP, 0), (OTHER, 0)),
    ),
    (CR + LF + END, END),
)
