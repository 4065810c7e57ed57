"""Settings said as TOML, with every value in full: what `parse` takes back to equal settings."""

import json
from collections.abc import Iterator
from enum import Enum

from tidewaiter.config.place import quoted
from tidewaiter.config.schema import Key, keys_of
from tidewaiter.config.settings import Settings
from tidewaiter.config.values import WRITERS


def write(settings: Settings) -> str:
    """The whole file: what stands in it and every default."""
    return "".join(_table(settings, "")).lstrip("\n")


def _table(table: object, name: str) -> Iterator[str]:
    keys = [(key, value) for key in keys_of(type(table)) if (value := getattr(table, key.name)) is not None]
    yield from (f"{key.name} = {_value(key, value)}\n" for key, value in keys if not key.tabled)
    for key, value in keys:
        if not key.tabled:
            continue
        inner = f"{name}.{key.name}".lstrip(".")
        for one in value if key.listed else ():
            yield f"\n[[{inner}]]\n"
            yield from _table(one, inner)
        if not key.listed:
            yield f"\n[{inner}]\n"
            yield from _table(value, inner)


def _value(key: Key, value: object) -> str:
    if key.listed:
        return f"[{', '.join(_one(key, one) for one in value)}]"  # type: ignore[attr-defined]  # a tuple, as the key says
    return _one(key, value)


def _one(key: Key, value: object) -> str:
    if writer := WRITERS.get(key.kind):
        return quoted(writer(value))
    plain = value.value if isinstance(value, Enum) else value
    return quoted(plain) if isinstance(plain, str) else json.dumps(plain)
