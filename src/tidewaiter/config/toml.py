"""A file that is not TOML: what the parser says, as sentences that say what to write.

`tests/config/test_toml.py` holds that there is one for everything that Python's tomllib can say.
"""

import ast
import re
import tomllib
from bisect import bisect_left
from collections.abc import Mapping

from tidewaiter.config.error import ConfigError, Mistake
from tidewaiter.config.place import written
from tidewaiter.model.sentence import Sentence

_PLACE = re.compile(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")

SENTENCES: Mapping[str, Sentence] = {
    r"Invalid statement": Sentence("write KEY = VALUE, or the name of a table in brackets"),
    r"Expected newline or end of document after a statement": Sentence("the line should end here"),
    r"Expected (?P<text>['\"].*['\"])": Sentence("a string is not closed: {text} is missing"),
    r"Found invalid character (?P<text>.*)": Sentence("the character {text} cannot stand here"),
    r"Illegal character (?P<text>.*)": Sentence(
        "the character {text} cannot stand in a string; is its closing quote missing?"
    ),
    r"Cannot declare (?P<key>.*) twice": Sentence(
        "the table {key} is there already, or lies in one that was written whole"
    ),
    r"Cannot redefine namespace (?P<key>.*)": Sentence("the table {key} is there twice"),
    r"Cannot overwrite a value": Sentence("a key or a table is there twice"),
    r"Duplicate inline table key (?P<key>.*)": Sentence("the key {key} is there twice"),
    r"Cannot mutate immutable namespace (?P<key>.*)": Sentence(
        "nothing can be added to {key}, which was written whole"
    ),
    r"Expected ']' at the end of a table declaration": Sentence("the name of a table is not closed: ] is missing"),
    r"Expected ']]' at the end of an array declaration": Sentence("the name of a table is not closed: ]] is missing"),
    r"Expected '=' after a key in a key/value pair": Sentence("= is missing after a key"),
    r"Invalid initial character for a key part": Sentence(
        "a key is missing, or has a character for which it needs quotes"
    ),
    r"Invalid value": Sentence("this is no value; text needs quotes"),
    r"Unclosed array": Sentence("a list is not closed: ] is missing"),
    r"Unclosed inline table": Sentence("a table in braces is not closed"),
    r"Unterminated string": Sentence("a string is not closed"),
    r"Unescaped '\\' in a string": Sentence(
        "a backslash begins no known escape; write two, or the text in single quotes"
    ),
    r"Invalid hex value": Sentence("an escape lacks digits: four after \\u, eight after \\U"),
    r"Escaped character is not a Unicode scalar value": Sentence("an escape stands for no character"),
    r"Invalid date or datetime": Sentence("there is no such date or time"),
}
"""By what tomllib says; the first that fits counts."""


def read(text: str, file: str) -> dict[str, object]:
    """The tables of a file.

    :raises ConfigError: if it is not TOML.
    :raises RecursionError: see `too_deep`.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.search(str(error))
        line = int(match[1]) if match and match[1] else text.count("\n") + 1
        reason = Sentence("not TOML: {reason}", reason=sentence(_PLACE.sub("", str(error))))
    except ValueError as error:  # Python's own limit, against numbers that take long to read
        line = _first_line(text, type(error))
        reason = Sentence("a number has too many digits")
    raise ConfigError((Mistake(file, line, "", reason),))


def too_deep(text: str, file: str) -> ConfigError:
    """For a file in which lists or tables lie so deep in one another that Python does not go down to the last."""
    reason = Sentence("lists or tables lie too deep in one another")
    return ConfigError((Mistake(file, _first_line(text, RecursionError), "", reason),))


def _first_line(text: str, failure: type[Exception]) -> int:
    """Up to which line must be read for the parser to fail so, which it does for every longer prefix."""
    lines = text.split("\n")

    def fails(end: int) -> bool:
        try:
            tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            return False
        except failure:
            return True
        return False

    return min(bisect_left(range(1, len(lines) + 1), x=True, key=fails) + 1, len(lines))


def sentence(said: str) -> Sentence:
    """Our sentence for what the parser says."""
    for pattern, ours in SENTENCES.items():
        if match := re.fullmatch(pattern, said, re.DOTALL):
            return Sentence(ours.english, **{name: _plain(value) for name, value in match.groupdict().items()})
    return Sentence("the parser says: {text}", text=said)


def _plain(said: str) -> str:
    """A key as people write it, and not as Python does; a character stays in its quotes."""
    try:
        value = ast.literal_eval(said)
    except (SyntaxError, ValueError):
        return said
    return written(value) if isinstance(value, tuple) else said
