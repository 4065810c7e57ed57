"""From TOML bytes to `Settings`, or to every mistake in them.

msgspec stops at the first mistake and knows no lines, so the tables are walked here by the types
of `Settings`, and msgspec converts what has no table in it. A mistake does not end the walk.
"""

import typing
from difflib import get_close_matches
from enum import Enum
from pathlib import PurePosixPath
from typing import Any

from msgspec import NODEFAULT

from tidewaiter.config import toml
from tidewaiter.config.error import ConfigError, Mistake, WrongValueError
from tidewaiter.config.meaning import mistakes_of_meaning
from tidewaiter.config.place import Complaint, Path, lines_of_paths, written
from tidewaiter.config.schema import Key, convert, keys_of
from tidewaiter.config.settings import Settings
from tidewaiter.config.values import MaildirHop, SocketHop
from tidewaiter.model.sentence import Sentence


class _WrongError(Exception):
    """A value is wrong, and a complaint about it has been noted."""


def locate(complaints: list[Complaint], data: bytes, file: str) -> ConfigError:
    """The error for complaints about the settings that `parse` gave for these very bytes."""
    return ConfigError(_placed(complaints, data.decode(), file))


def parse(data: bytes, file: str) -> Settings:
    """Read a configuration file.

    :param data: its bytes.
    :param file: its name: for messages, and because relative paths start at its folder.
    :raises ConfigError: with every mistake found, in the order of the file.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError((Mistake(file, line, "", Sentence("not UTF-8, as TOML must be")),)) from None
    try:
        return _settings(text, file)
    except RecursionError:
        raise toml.too_deep(text, file) from None


def _settings(text: str, file: str) -> Settings:
    table = toml.read(text, file)
    walk = _Walk(PurePosixPath(file).parent)
    try:
        settings = typing.cast("Settings", walk.table(Settings, table, ()))
    except _WrongError:
        raise ConfigError(_placed(walk.complaints, text, file)) from None
    if complaints := list(mistakes_of_meaning(settings)):
        raise ConfigError(_placed(complaints, text, file))
    return settings


def _placed(complaints: list[Complaint], text: str, file: str) -> tuple[Mistake, ...]:
    """Mistakes by line; where a path is not in the file, as a missing key, its table's line."""
    lines = lines_of_paths(text, (path[:n] for path, _ in complaints for n in range(len(path) + 1)))
    mistakes = []
    for path, message in complaints:
        known = next(path[:n] for n in range(len(path), -1, -1) if path[:n] in lines)
        mistakes.append(Mistake(file, lines[known], written(path), message))
    return tuple(sorted(mistakes, key=lambda mistake: mistake.line))


class _Walk:
    """One pass over the tables: `complaints` grows, and whatever is wrong raises `_WrongError`."""

    def __init__(self, folder: PurePosixPath) -> None:
        self.complaints: list[Complaint] = []
        self._folder = folder

    def table(self, kind: type[Any], table: object, path: Path, base: object = None) -> object:
        """Read a table as `kind`; keys it lacks are as in `base`, or as `kind` has them."""
        if not isinstance(table, dict):
            self._complain(path, Sentence("must be a table"))
        keys = {key.name: key for key in keys_of(kind, base)}
        unknown = [name for name in table if name not in keys]
        for name in unknown:
            self.complaints.append(((*path, name), _unknown(name, list(keys))))
        values = self._all({name: (self._key, key, table, path) for name, key in keys.items()})
        if unknown:
            raise _WrongError
        return kind(**values)

    def _key(self, key: Key, table: dict[str, Any], path: Path) -> object:
        here = (*path, key.name)
        if key.name in table:
            return self._value(key, table[key.name], here)
        if key.default is NODEFAULT:
            self._complain(here, Sentence("is missing"))
        if key.tabled and not key.listed:
            return self.table(key.kind, {}, here, key.default)
        return self._placed_in_folder(key.default)

    def _value(self, key: Key, value: object, path: Path) -> object:
        if not key.listed:
            return self._one(key, value, path)
        if not isinstance(value, list):
            if key.tabled:
                self._complain(path, Sentence("must be a list of tables: write [[{key}]]", key=key.name))
            return (self._one(key, value, path),)  # "x" stands for ["x"]
        if len(value) < key.least:
            self._complain(path, Sentence("must not be empty"))
        places = {place: (self._one, key, one, (*path, place)) for place, one in enumerate(value)}
        return tuple(self._all(places).values())

    def _one(self, key: Key, value: object, path: Path) -> object:
        if key.tabled:
            base = None if key.listed or key.default is NODEFAULT else key.default
            return self.table(key.kind, value, path, base)
        try:
            return self._placed_in_folder(convert(key, value))
        except WrongValueError as error:
            self._complain(path, _nearest(key, value) or error.sentence)

    def _all(self, calls: dict[Any, Any]) -> dict[Any, Any]:
        """Make every call, so that every mistake is heard, and only then give up."""
        results = {}
        for name, (call, *arguments) in calls.items():
            try:
                results[name] = call(*arguments)
            except _WrongError:
                continue
        if len(results) < len(calls):
            raise _WrongError
        return results

    def _placed_in_folder(self, value: object) -> object:
        match value:
            case PurePosixPath():
                return self._folder / value
            case MaildirHop() | SocketHop():
                return type(value)(self._folder / value.path)
            case _:
                return value

    def _complain(self, path: Path, message: Sentence) -> typing.NoReturn:
        self.complaints.append((path, message))
        raise _WrongError


def _unknown(name: str, known: list[str]) -> Sentence:
    if near := get_close_matches(name, known, n=1):
        return Sentence("unknown key; did you mean {near}?", near=near[0])
    return Sentence("unknown key; known here: {known}", known=", ".join(known))


def _nearest(key: Key, value: object) -> Sentence | None:
    """For a word out of a fixed set: the set, and the nearest to what was written, if one is near."""
    if not (isinstance(key.kind, type) and issubclass(key.kind, Enum) and isinstance(value, str)):
        return None
    words = [str(member.value) for member in key.kind]
    near = get_close_matches(value, words, n=1)
    return (
        Sentence("must be one of {words}; did you mean {near}?", words=", ".join(words), near=near[0]) if near else None
    )
