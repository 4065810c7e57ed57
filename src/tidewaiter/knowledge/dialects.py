"""The rows: how each program reads and writes, out of `dialects/*.toml`, one row a file.

In a row each table of `[reader]` is a mode, and what follows an end is a sentence: "accept, commands",
"refuse 451, close", "accept, commands after edge", "refuse 552, content", "refuse 500, commands, envelope kept".
A field of which several values are possible is written once as `[[unknown]]`, with each value as TOML.
"""

import copy
import difflib
import itertools
import re
import tomllib
from dataclasses import replace
from functools import cache
from typing import Any, Final

from tidewaiter.knowledge.table import DATA, KnowledgeError, did_you_mean, read_toml, value_of
from tidewaiter.model.dialect import NORMAL, Dialect, ReaderDialect
from tidewaiter.model.sentence import Sentence, SentenceError

FOLDER: Final = "dialects"

_THEN: Final = re.compile(
    r"(?P<said>accept|refuse)(?: (?P<code>[245][0-9]{2}))?, (?P<goes_on>commands after edge|commands|content|close)"
    r"(?P<kept>, envelope kept)?"
)
_ANSWERS: Final = ("accept", "refuse")
_READER_FIELDS: Final = frozenset(ReaderDialect.__dataclass_fields__)


class NoDialectError(SentenceError, KnowledgeError):
    """No row has that name."""


@cache
def dialects() -> dict[str, Dialect]:
    """Give every row by its id, in the order of the ids.

    Raises KnowledgeError for a row that breaks the schema.
    """
    rows = sorted((DATA / FOLDER).iterdir(), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): row(read_toml(file), file.name) for file in rows}


def dialect(name: str) -> Dialect:
    """Give one row.

    Raises NoDialectError, which says the nearest id there is.
    """
    rows = dialects()
    if name not in rows:
        raise NoDialectError(_none(name, difflib.get_close_matches(name, rows, n=1)))
    return rows[name]


def _none(name: str, near: list[str]) -> Sentence:
    if near:
        return Sentence("there is no dialect `{name}`; did you mean `{near}`?", name=name, near=near[0])
    return Sentence("there is no dialect `{name}`", name=name)


def row(raw: dict[str, Any], file: str) -> Dialect:
    """Make a row of the tables of one file.

    Raises KnowledgeError for what the schema does not know, a mode that is not there, and an id that is not the
    file's name.
    """
    value = _written(raw, file)
    if f"{value.id}.toml" != file:
        raise KnowledgeError(f"{file}: `id` is {value.id}, which is not the file's name")
    if not value.unknown:
        return value
    open_fields = [[(field.field, text) for text in field.values] for field in value.unknown]
    return replace(
        value,
        alternatives=tuple(_written(_filled(raw, choice, file), file) for choice in itertools.product(*open_fields)),
    )


def _written(raw: dict[str, Any], file: str) -> Dialect:
    """Read what is written, and nothing that is worked out from it."""
    if "alternatives" in raw:
        raise KnowledgeError(f"{file}: `alternatives` is no key of a row; write [[unknown]]")
    try:
        reader = {"reader": _reader(raw["reader"])} if isinstance(raw.get("reader"), dict) else {}
    except KnowledgeError as error:
        raise KnowledgeError(f"{file}: {error}") from error
    return value_of({**raw, **reader, **_writer(raw.get("writer"))}, Dialect, file)


def _writer(raw: object) -> dict[str, Any]:
    if isinstance(raw, dict) and isinstance(raw.get("closing"), dict):
        return {"writer": {**raw, "closing": list(raw["closing"].items())}}
    return {}


def _filled(raw: dict[str, Any], choice: tuple[tuple[str, str], ...], file: str) -> dict[str, Any]:
    """Copy a row with each unknown field at the value chosen."""
    filled: dict[str, Any] = copy.deepcopy({key: value for key, value in raw.items() if key != "unknown"})
    for field, text in choice:
        *tables, last = field.split(".")
        table = filled
        try:
            for key in tables:
                table = table[key]
            table[last] = tomllib.loads(f"value = {text}")["value"]
        except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
            raise KnowledgeError(f"{file}: `unknown`: {field} = {text}: {error}") from error
    return filled


def _reader(raw: dict[str, Any]) -> dict[str, Any]:
    if "modes" in raw:
        raise KnowledgeError("`reader.modes` is no key of a row; each table of `reader` is a mode")
    modes = {name: table for name, table in raw.items() if isinstance(table, dict) and name not in _READER_FIELDS}
    if NORMAL not in modes:
        raise KnowledgeError(f"`reader.{NORMAL}` is missing: it is the mode in which every reader starts")
    rest = {key: value for key, value in raw.items() if key not in modes}
    return {**rest, "modes": [[name, _mode(table, name, modes)] for name, table in modes.items()]}


def _mode(raw: dict[str, Any], name: str, modes: dict[str, Any]) -> dict[str, Any]:
    place = f"reader.{name}"
    ends, goes = raw.get("ends", []), raw.get("goes", {})
    if not isinstance(ends, list):
        raise KnowledgeError(f"`{place}.ends` is no list")
    if not isinstance(goes, dict):
        raise KnowledgeError(f"`{place}.goes` is no table")
    return {
        **raw,
        "ends": [_end(end, f"{place}.ends[{number}]") for number, end in enumerate(ends)],
        "goes": [[on, _target(to, f"{place}.goes", modes)] for on, to in goes.items()],
    }


def _end(raw: object, place: str) -> object:
    if isinstance(raw, dict) and isinstance(raw.get("then"), str):
        return {**raw, "then": then(raw["then"], f"{place}.then")}
    return raw


def _target(raw: object, place: str, modes: dict[str, Any]) -> object:
    """Read where a mode goes: an answer at once, or another mode."""
    if not isinstance(raw, str):
        return raw
    if raw.startswith(_ANSWERS):
        return then(raw, place)
    if raw not in modes:
        raise KnowledgeError(f"`{place}`: there is no mode `{raw}`{did_you_mean(raw, modes)}")
    return raw


def then(words: str, place: str) -> dict[str, Any]:
    """Read the sentence that says what follows an end.

    Raises KnowledgeError for another sentence.
    """
    match = _THEN.fullmatch(words)
    accepted = match is not None and match["said"] == "accept"
    if match is None or (match["code"] is None and not accepted):
        raise KnowledgeError(f'`{place}`: {words!r} does not read like "accept, commands" or "refuse 451, close"')
    return {
        "accepted": accepted,
        "code": int(match["code"] or "250"),
        "goes_on": match["goes_on"],
        "envelope_kept": match["kept"] is not None,
    }
