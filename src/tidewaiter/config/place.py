"""On which line of a TOML file does a path begin? tomllib does not say; a prefix of the file does.

The shortest prefix of whole statements that holds the path ends with the statement that wrote it,
and the path is said to stand where that statement begins. What is held once is held in every
longer prefix, so the statement is found by halving.
"""

import json
import re
import tomllib
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache

from tidewaiter.model.sentence import Sentence, visible

Path = tuple[str | int, ...]
Complaint = tuple[Path, Sentence]
"""A path in the file, and what is wrong there."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def lines_of_paths(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """The line, from 1, on which each path's statement begins; a path that is not there is left out.

    :param text: a whole file that tomllib reads.
    """
    lines = [line + "\n" for line in text.split("\n")]
    begins = _statements(lines)

    @cache
    def prefix(statements: int) -> dict[str, object]:
        return tomllib.loads("".join(lines[: begins[statements]]))

    found = {}
    for path in set(paths):
        statement = bisect_left(range(1, len(begins)), x=1, key=lambda end: int(holds(prefix(end), path)))
        if statement < len(begins) - 1:
            found[path] = begins[statement] + 1
    return found


def _statements(lines: list[str]) -> list[int]:
    """Where each statement begins, as an index into the lines, and where the last one ends.

    A statement is the fewest lines that tomllib reads by themselves; an empty line is one too.
    """
    begins = [0]
    for end in range(1, len(lines) + 1):
        if _is_whole("".join(lines[begins[-1] : end])):
            begins.append(end)
    return begins


def _is_whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def holds(table: object, path: Path) -> bool:
    """Whether the path leads to a value within the table."""
    for step in path:
        match table, step:
            case dict(), str() if step in table:
                table = table[step]
            case list(), int() if step < len(table):
                table = table[step]
            case _:
                return False
    return True


def written(path: Path) -> str:
    """A path as people write it, and TOML reads its keys: `listener[0].address`, `"a key".b`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in path)
    return "".join(steps).removeprefix(".")


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else quoted(key)


def quoted(text: str) -> str:
    """A TOML basic string, which is a JSON string with an escape for all that is not seen, DEL among it."""
    return visible(json.dumps(text, ensure_ascii=False))
