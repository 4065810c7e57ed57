"""Does this server read as that row says?  A fixed suite, far smaller than learning, that tells it from its neighbours.

In each mode: a shortest word on which the row differs from each other row; every transition of the row's machine; and
behind them, as far as the budget goes, what tells its states apart (Chow's W-method, which finds any machine with as
many states that is another one).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import combinations, zip_longest
from typing import Final

from tidewaiter.lab.asker import ABSORBING, Asker, manner
from tidewaiter.lab.expected import expected
from tidewaiter.lab.fit import ENDS_ONLY, Difference, ends_only
from tidewaiter.lab.learning import Asking, Untold, asker_for
from tidewaiter.lab.modes import MODES, Mode
from tidewaiter.lab.target import UntoldError, Way
from tidewaiter.lines.machine import Splitter
from tidewaiter.lines.symbol import BYTES, Word
from tidewaiter.lines.table import Table, difference
from tidewaiter.model.dialect import Dialect
from tidewaiter.model.sentence import Sentence

BUDGET: Final = 550
"""Questions; with those to find out how to ask, and those asked twice, the sessions stay below 600."""
TWICE: Final = 6
"""Differences that are asked again, to know a server that varies from one that differs."""

Suite = dict[Mode, list[Word]]


@dataclass(frozen=True, slots=True)
class Conformed:
    """What the suite found."""

    row: str
    differences: tuple[Difference, ...]
    untold: tuple[Untold, ...]
    sessions: int


def conform(asking: Asking, row: Dialect, rows: Iterable[Dialect]) -> Conformed:
    """Ask a server the suite of `row`, whose neighbours are `rows`.

    Raises UntoldError where the server cannot be asked at all, or where nobody knows what the row says.
    """
    if not row.candidates():
        raise UntoldError(Sentence("{row}: a field that decides is unknown", row=row.id))
    differences: list[Difference] = []
    untold: list[Untold] = []
    sessions = 0
    how = asking.runner.run(manner(asking.target, asking.way))
    for mode, words in suite(row, rows, how.way).items():
        try:
            asker = asker_for(asking.target, how, mode)
            asker.progress = partial(asking.progress, mode)
            differences += asking.runner.run(_asked(asker, mode, words, _table(row, mode, how.way)))
            sessions += asker.asked
        except UntoldError as error:
            untold.append(Untold(mode, error.sentence))
    return Conformed(row.id, tuple(differences), tuple(untold), sessions)


async def _asked(asker: Asker, mode: Mode, words: list[Word], row: Table) -> list[Difference]:
    found = list(_differences(mode, await asker.all_again(words), row))
    await asker.confirm([each.word for each in found[:TWICE]])
    return found


def _differences(mode: Mode, said: dict[Word, str], row: Table) -> Iterator[Difference]:
    for word, answer in sorted(said.items(), key=lambda item: (len(item[0]), item[0])):
        server = ENDS_ONLY.get(answer, answer) if mode.in_header else answer
        if server != row.says(word):
            yield Difference(mode, word, server, row.says(word))


def _table(row: Dialect, mode: Mode, way: Way) -> Table:
    assert row.reader
    table = expected(Splitter(row.reader), mode, way)
    return ends_only(table) if mode.in_header else table


def suite(row: Dialect, rows: Iterable[Dialect], way: Way) -> Suite:
    """Give the words to ask in each mode, at most `BUDGET` of them; the same for the same rows."""
    readers = [each for other in rows if other.id != row.id for each in other.candidates() if each.reader]
    ranked = [_ranked(row, readers, mode, way) for mode in MODES.values()]
    chosen: Suite = {mode: [] for mode in MODES.values()}
    left = BUDGET
    for tier in zip_longest(*ranked, fillvalue=None):
        for mode, word in zip(MODES.values(), tier, strict=True):
            if left and word is not None and word not in chosen[mode]:
                chosen[mode].append(word)
                left -= 1
    return chosen


def _ranked(row: Dialect, others: list[Dialect], mode: Mode, way: Way) -> list[Word]:
    """Give what is worth asking in one mode, what matters most first."""
    mine = _table(row, mode, way)
    apart = {difference(mine, _table(other, mode, way)) for other in others} - {None}
    access = _access(mine)
    cover = [(*word, symbol) for word in access for symbol in BYTES]
    states = {difference(_from(mine, one), _from(mine, other)) for one, other in combinations(range(len(access)), 2)}
    wide = [word + more for more in _sorted(states - {None}) for word in cover]
    found = dict.fromkeys([(), *_sorted(apart), *_sorted(cover), *wide])
    return [word for word in found if not _ended_before(mine, word)]


def _sorted(words: Iterable[Word | None]) -> list[Word]:
    return sorted((word for word in words if word is not None), key=lambda word: (len(word), word))


def _access(table: Table) -> list[Word]:
    """Give a shortest word that leads to each state, by the state's number."""
    words: dict[int, Word] = {0: ()}
    queue = deque([0])
    while queue:
        state = queue.popleft()
        for symbol in BYTES:
            to = table.next[state][symbol]
            if to not in words:
                words[to] = (*words[state], symbol)
                queue.append(to)
    return [words[state] for state in range(len(table.output))]


def _from(table: Table, state: int) -> Table:
    """The same machine, begun in another state."""
    swap = {0: state, state: 0}
    order = [swap.get(at, at) for at in range(len(table.output))]
    rows = (tuple(swap.get(to, to) for to in table.next[at]) for at in order)
    return Table(tuple(table.output[at] for at in order), tuple(rows))


def _ended_before(table: Table, word: Word) -> bool:
    """What follows an end is no content, so that nothing is learned of it."""
    return any(table.says(word[:length]) in ABSORBING for length in range(len(word)))
