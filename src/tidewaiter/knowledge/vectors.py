"""The catalogue of vectors, out of `vectors.toml`.

Bytes are written as TOML strings in which every odd byte is an escape, so that no editor can repair them;
each character below U+0100 is one byte.  `{head}` stands for the part of that name: repeated bytes, typed once.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from tidewaiter.knowledge.table import DATA, KnowledgeError, did_you_mean, read_toml, value_of
from tidewaiter.model.vector import ContentVector, DialogueVector, Vector

FILE: Final = "vectors.toml"
BYTES: Final = frozenset({"content", "delivered", "send"})
"""The keys whose strings spell bytes."""

_PART: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The whole file, spelt out."""

    content: tuple[ContentVector, ...]
    dialogue: tuple[DialogueVector, ...]


@cache
def vectors() -> dict[str, Vector]:
    """Give every vector of the catalogue by its name, in the order of the file.

    Raises KnowledgeError for a file that breaks the schema, or that gives a name twice.
    """
    raw = read_toml(DATA / FILE)
    parts = raw.pop("parts", {})
    catalogue = value_of(spell_out(raw, parts), Catalogue, FILE)
    found: dict[str, Vector] = {}
    listed: tuple[Vector, ...] = catalogue.content + catalogue.dialogue
    for vector in listed:
        if vector.name in found:
            raise KnowledgeError(f"{FILE}: two vectors are named {vector.name}")
        found[vector.name] = vector
    return found


def spell_out(raw: object, parts: dict[str, str]) -> object:
    """Copy `raw` with the bytes that its strings spell."""
    if isinstance(raw, list):
        return [spell_out(item, parts) for item in raw]
    if not isinstance(raw, dict):
        return raw
    return {
        key: spell(value, parts) if key in BYTES and isinstance(value, str) else spell_out(value, parts)
        for key, value in raw.items()
    }


def spell(text: str, parts: dict[str, str]) -> bytes:
    """Put the parts in their places, then take each character for one byte.

    Raises KnowledgeError for a part that is not there and for a character that is no byte.
    """
    missing = [part for part in _PART.findall(text) if part not in parts]
    if missing:
        raise KnowledgeError(f"{FILE}: there is no part {{{missing[0]}}}{did_you_mean(missing[0], parts)}")
    try:
        return _PART.sub(lambda part: parts[part[1]], text).encode("latin-1")
    except UnicodeEncodeError as error:
        raise KnowledgeError(f"{FILE}: {text[error.start]!r} is no byte") from error
