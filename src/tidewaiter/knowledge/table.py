"""How a data file of ours is read: TOML into the model's own values, which are the schema.

An error names the file, the key and the nearest known key.
Data is read from the package itself, so that a zipped wheel works as a checkout does.
"""

import difflib
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

_Value = TypeVar("_Value")

DATA: Final = files(__package__)


class KnowledgeError(ValueError):
    """A data file is not what the schema says; the text names the file and the key."""


def read_toml(file: Traversable) -> dict[str, Any]:
    """Read `file`.

    Raises KnowledgeError for what is no TOML in UTF-8.
    """
    try:
        return tomllib.loads(file.read_bytes().decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{file.name}: {error}"
        raise KnowledgeError(message) from error


def value_of(raw: object, schema: type[_Value], file: str) -> _Value:
    """Make a value of the dataclass `schema` out of tables, lists and strings.

    Raises KnowledgeError for a key that `schema` does not have, and for a value of another type.
    """
    try:
        _check_keys(raw, _shape(schema), "")  # type: ignore[arg-type]  # mypy: a metaclass might not be hashable
        return msgspec.convert(raw, schema)
    except (KnowledgeError, msgspec.ValidationError) as error:
        message = f"{file}: {error}"
        raise KnowledgeError(message) from error


@cache
def _shape(schema: type) -> inspect.Type:
    return inspect.type_info(schema)


def _check_keys(raw: object, info: inspect.Type, place: str) -> None:
    """Refuse keys that no field reads: a misspelt field would leave its default in place and nobody would know."""
    if isinstance(info, inspect.UnionType):
        info = next((part for part in info.types if isinstance(part, inspect.DataclassType)), info)
    if isinstance(info, inspect.DataclassType) and isinstance(raw, dict):
        fields = {field.encode_name: field.type for field in info.fields}
        for key, value in raw.items():
            if key not in fields:
                raise KnowledgeError(f"`{place}{key}` is no key here{did_you_mean(key, fields)}")
            _check_keys(value, fields[key], f"{place}{key}.")
    elif isinstance(info, inspect.VarTupleType) and isinstance(raw, list):
        for number, value in enumerate(raw):
            _check_keys(value, info.item_type, f"{place[:-1]}[{number}].")


def did_you_mean(key: str, known: dict[str, Any]) -> str:
    """Say which known key is nearest, if one is near."""
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean `{near[0]}`?" if near else ""
