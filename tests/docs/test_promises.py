"""Is each promise of docs/promises.md named by a test that holds it, as "(promise 3)" where it says what it tests?"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "promises.md").read_text(encoding="utf-8")
PROMISES = {int(number) for number in re.findall(r"(?m)^([0-9]+)\. ", PAGE)}
NAMED = re.compile(r"\b[Pp]romise ([0-9]+)\b")


def docstrings(file: Path) -> Iterator[str]:
    """What a file of tests says that it tests, and each test in it; not what a comment or a plant mentions."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert file.name.startswith("test_")
    for node in (tree, *(node for node in nodes if node.name.startswith("test_"))):
        yield ast.get_docstring(node) or ""


def test_each_promise_is_named_by_a_test_and_no_other_is() -> None:
    said = [said for file in TESTS.rglob("test_*.py") for said in docstrings(file)]
    assert {int(number) for text in said for number in NAMED.findall(text)} == PROMISES


def test_the_promises_are_numbered_from_one_as_plants_number_them() -> None:
    assert sorted(PROMISES) == list(range(1, 12))
