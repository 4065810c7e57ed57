"""What keys a table may have, read from the types of `Settings`, and how one value is converted."""

import types
import typing
from collections.abc import Iterator
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from typing import Any

import msgspec
from msgspec import Meta, Struct

from tidewaiter.config.values import READERS, WRITERS


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

    :raises ValueError: with a sentence that says what to write instead.
    """
    reader = READERS.get(key.kind)
    if reader is None:
        return msgspec.convert(value, typing.Annotated[key.kind, key.bounds])
    if not isinstance(value, str):
        raise ValueError("must be a string")  # noqa: TRY004 - for the administrator, a wrong value
    result = reader(value)
    least = key.bounds.ge
    if least is not None and result < least:  # type: ignore[operator]  # bounds only on numbers
        raise ValueError(f"must be at least {WRITERS[key.kind](key.kind(least))}")
    most = key.bounds.le
    if most is not None and result > most:  # type: ignore[operator]  # as above
        raise ValueError(f"must be at most {WRITERS[key.kind](key.kind(most))}")
    return result
