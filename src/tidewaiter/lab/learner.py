"""What machine is this reader?  Learned by asking (AALpy: Kearns and Vazirani's algorithm, Moore machines).

Each question is one session; a hypothesis is tried with every word of `words.trials`, many side by side.
"""

import asyncio
from collections.abc import Iterator
from typing import Final, Protocol

from aalpy.base import SUL, Oracle
from aalpy.learning_algs import run_KV

from tidewaiter.lab.asker import Asker
from tidewaiter.lab.target import UntoldError
from tidewaiter.lab.words import trials
from tidewaiter.lines.symbol import BYTES, Symbol, Word
from tidewaiter.lines.table import Table, explored
from tidewaiter.model.sentence import Sentence

LARGEST: Final = 80
"""States; the largest machine met in a real program has 15, so a server that needs more is one that varies."""


class _State(Protocol):
    """A state, as AALpy has it."""

    prefix: Word
    output: str
    transitions: dict[Symbol, "_State"]


class _Hypothesis(Protocol):
    """A machine, as AALpy has it."""

    states: list[_State]
    initial_state: _State


def learn(asker: Asker, runner: asyncio.Runner) -> Table:
    """Learn the machine, in its smallest form; raises UntoldError."""
    program = _Program(asker, runner)
    found = run_KV(
        list(BYTES), program, _Trials(program), "moore", cache_and_non_det_check=False, print_level=0
    )  # its cache would ask each prefix of a word; ours is in Asker
    table = _table(found)
    access = _access(found)
    runner.run(asker.confirm([*access, *((*word, symbol) for word in access for symbol in BYTES)]))
    return table


class _Program(SUL):  # type: ignore[misc]  # AALpy has no types
    """The server, as AALpy asks it: a word at a time."""

    def __init__(self, asker: Asker, runner: asyncio.Runner) -> None:
        super().__init__()
        self.asker = asker
        self.runner = runner

    def query(self, word: Word) -> list[str]:
        """Give the output behind the whole word: of all the outputs on the way the algorithm uses only the last."""
        return [self.runner.run(self.asker.say(tuple(word)))]

    def pre(self) -> None:
        """A session begins with each question."""

    def post(self) -> None:
        """And ends with it."""

    def step(self, letter: object) -> object:
        """Bytes are never asked one by one."""
        raise NotImplementedError


class _Trials(Oracle):  # type: ignore[misc]  # as above
    """Whether a hypothesis says what the server says."""

    def __init__(self, program: _Program) -> None:
        super().__init__(list(BYTES), program)
        self._program = program

    def find_cex(self, hypothesis: "_Hypothesis") -> Word | None:
        """Give a shortest word of the list on which they differ, asked twice; None where there is none."""
        if len(hypothesis.states) > LARGEST:
            raise UntoldError(
                Sentence(
                    "more than {count} states: the server varies with something that is not the content", count=LARGEST
                )
            )
        table, asker, run = _table(hypothesis), self._program.asker, self._program.runner.run
        for batch in _batches(trials(_access(hypothesis)), 4 * asker.target.side_by_side):
            for word, said in run(asker.say_all(batch, table.says)).items():
                if table.says(word) != said:
                    run(asker.confirm([word]))
                    return word
        return None


def _batches(words: list[Word], size: int) -> Iterator[list[Word]]:
    for start in range(0, len(words), size):
        yield words[start : start + size]


def _access(hypothesis: "_Hypothesis") -> list[Word]:
    return [tuple(state.prefix) for state in hypothesis.states]


def _table(hypothesis: "_Hypothesis") -> Table:
    states = {tuple(state.prefix): state for state in hypothesis.states}
    return explored(
        tuple(hypothesis.initial_state.prefix),
        lambda access, symbol: tuple(states[access].transitions[symbol].prefix),
        lambda access: states[access].output,
    )
