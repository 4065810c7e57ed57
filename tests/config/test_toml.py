"""Is there a sentence of ours for everything that Python's parser says of a file that is not TOML?"""

import ast
import tomllib
from pathlib import Path

import pytest

from tests.config.test_parsing import mistakes
from tidewaiter.config.toml import sentence

NOT_TOML = {
    "x": "= is missing after a key",
    "= 1": "write KEY = VALUE, or the name of a table in brackets",
    "a = 1 b = 2": "the line should end here",
    "a = 'x": 'a string is not closed: "\'" is missing',
    "a = '''x": "a string is not closed: \"'''\" is missing",
    "a = 'x\ny = 1'": "the character '\\n' cannot stand here",
    'a = "x\ny = 1': "the character '\\n' cannot stand in a string; is its closing quote missing?",
    "[a]\n[a]": "the table a is there already, or lies in one that was written whole",
    "[a.b.c]\nx = 1\n[a]\nb.c.y = 1": "the table a.b.c is there twice",
    '["a b"]\n["a b"]': 'the table "a b" is there already, or lies in one that was written whole',
    "a = 1\na = 2": "a key or a table is there twice",
    "a = {b = 1, b = 2}": "the key 'b' is there twice",
    "a = {}\na.b = 1": "nothing can be added to a, which was written whole",
    "[a": "the name of a table is not closed: ] is missing",
    "[[a]": "the name of a table is not closed: ]] is missing",
    "a = {!": "a key is missing, or has a character for which it needs quotes",
    "a = x": "this is no value; text needs quotes",
    "a = [1 2]": "a list is not closed: ] is missing",
    "a = {b = 1": "a table in braces is not closed",
    'a = "x': "a string is not closed",
    'a = "\\x"': "a backslash begins no known escape; write two, or the text in single quotes",
    'a = "\\u00"': "an escape lacks digits: four after \\u, eight after \\U",
    'a = "\\ud800"': "an escape stands for no character",
    "a = 2026-02-30": "there is no such date or time",
}


@pytest.mark.parametrize("text", NOT_TOML)
def test_what_is_wrong_with_the_toml_is_said_in_our_words(text: str) -> None:
    [mistake] = mistakes(text.encode())
    assert mistake.partition(": not TOML: ")[2] == NOT_TOML[text]


def said_by_tomllib() -> list[str]:
    """Every text in the parser's source that its errors are made of, with `x` where it puts a value."""
    source = ast.parse(Path(tomllib.__file__).with_name("_parser.py").read_bytes())
    calls = [node for node in ast.walk(source) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    return [_text(call.args[2]) for call in calls if call.func.id == "suffixed_err"]  # type: ignore[attr-defined]  # a Name


def _text(said: ast.expr) -> str:
    parts = said.values if isinstance(said, ast.JoinedStr) else [said]
    return "".join(part.value if isinstance(part, ast.Constant) else "'x'" for part in parts)  # type: ignore[misc]  # text


def test_nothing_that_the_parser_says_is_without_a_sentence() -> None:
    texts = said_by_tomllib()
    assert len(texts) > 20
    assert [text for text in texts if str(sentence(text)).startswith("the parser says")] == []


def test_what_a_parser_to_come_may_say_is_not_hidden() -> None:
    assert str(sentence("Something\nnew {x}")) == "the parser says: Something\\nnew {x}"
