"""On which line of a TOML file does a path begin? tomllib does not say; a prefix of the file does.

The shortest prefix of whole lines that parses and holds the path ends with the statement that
wrote it. The statement begins on the line after the longest shorter prefix that parses, because
no prefix that ends within a statement does.
"""

import tomllib
from collections.abc import Iterable, Iterator

Path = tuple[str | int, ...]
Complaint = tuple[Path, str]
"""A path in the file, and what is wrong there."""


def lines_of_paths(text: str, paths: Iterable[Path]) -> dict[Path, int]:
    """The line, from 1, on which each path's statement begins; a path not found is left out."""
    wanted = set(paths)
    found: dict[Path, int] = {}
    previous = 0
    for end, table in _parsing_prefixes(text):
        held = {path for path in wanted if holds(table, path)}
        found |= dict.fromkeys(held, previous + 1)
        wanted -= held
        if not wanted:
            break
        previous = end
    return found


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


def _parsing_prefixes(text: str) -> Iterator[tuple[int, dict[str, object]]]:
    lines = [line + "\n" for line in text.split("\n")]
    for end in range(1, len(lines) + 1):
        try:
            yield end, tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue


def written(path: Path) -> str:
    """A path as people write it: `listener[0].address`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
