"""What keys a table may have, read from the types of `Settings`, and how one value is converted."""

import types
import typing
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

import msgspec
from msgspec import Meta, Struct

from tidewaiter.config.error import WrongValueError
from tidewaiter.config.values import READERS, WRITERS
from tidewaiter.model.sentence import Sentence


class Key(typing.NamedTuple):
    """One key of a table."""

    name: str
    kind: Any
    """The type of its value; for a list, that of one element. `None` is left out of a union."""
    bounds: Meta
    """Bounds of the value, if it is no list."""
    listed: bool
    """Whether the value is a list."""
    least: int
    """How many elements a list must have."""
    default: Any
    """`NODEFAULT` where the key must be given."""

    @property
    def tabled(self) -> bool:
        """Whether the value is a table, or a list of tables."""
        return is_table(self.kind)


def is_table(kind: object) -> bool:
    """Whether a type is written as a TOML table."""
    return isinstance(kind, type) and (issubclass(kind, Struct) or kind.__name__ == "Positions")


def keys_of(kind: type[Any], base: object = None) -> Iterator[Key]:
    """The keys of a table, in order; `base` gives the defaults where it is not None."""
    hints = typing.get_type_hints(kind, include_extras=True)
    for name, default in _defaults(kind):
        value, bounds = _bare(hints[name])
        listed = typing.get_origin(value) is tuple
        one = typing.get_args(value)[0] if listed else value
        yield Key(
            name,
            one,
            bounds=Meta() if listed else bounds,
            listed=listed,
            least=bounds.min_length or 0,
            default=default if base is None else getattr(base, name),
        )


def _defaults(kind: type[Any]) -> Iterator[tuple[str, Any]]:
    if is_dataclass(kind):
        yield from ((field.name, field.default) for field in dataclass_fields(kind))
    else:
        yield from ((field.name, field.default) for field in msgspec.structs.fields(kind))


def _bare(hint: Any) -> tuple[Any, Meta]:  # noqa: ANN401 - type expressions have no type
    """A type without `None` and without its bounds, and the bounds."""
    if typing.get_origin(hint) is typing.Annotated:
        return hint.__origin__, hint.__metadata__[0]
    if isinstance(hint, types.UnionType) and types.NoneType in hint.__args__:
        (hint,) = (part for part in hint.__args__ if part is not types.NoneType)
    return hint, Meta()


def convert(key: Key, value: object) -> object:
    """One value that is no table.

    :raises WrongValueError: with a sentence that says what to write instead.
    """
    reader = READERS.get(key.kind)
    if reader is not None and not isinstance(value, str):
        raise WrongValueError(MUST_BE[str])
    try:
        result = reader(value) if reader else msgspec.convert(value, key.kind)  # type: ignore[arg-type]  # a string, as seen
    except msgspec.ValidationError:
        raise WrongValueError(_must_be(key)) from None
    write = WRITERS.get(key.kind, str)
    least, most = key.bounds.ge, key.bounds.le
    if least is not None and result < least:  # type: ignore[operator]  # bounds only on numbers
        raise WrongValueError(Sentence("must be at least {least}", least=write(key.kind(least))))
    if most is not None and result > most:  # type: ignore[operator]  # as above
        raise WrongValueError(Sentence("must be at most {most}", most=write(key.kind(most))))
    return result


MUST_BE: dict[object, Sentence] = {
    str: Sentence("must be a string"),
    int: Sentence("must be a whole number"),
    bool: Sentence("must be true or false"),
}
"""What is said of a value that is none of a plain type."""


def _must_be(key: Key) -> Sentence:
    if isinstance(key.kind, type) and issubclass(key.kind, Enum):
        return Sentence("must be one of {words}", words=", ".join(str(member.value) for member in key.kind))
    return MUST_BE[key.kind]
