"""Can every string that a person reads be found for the catalogue, in the sources of what speaks to a person?"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tidewaiter

pytestmark = pytest.mark.interpreted

PACKAGE = Path(tidewaiter.__file__).parent
MARKS = {"_", "ngettext", "Sentence"}
"""Whose literals go into the catalogue."""
SAYS = {"print", "UsageError", "SystemExit", "Text", "assemble", "Panel", "add_column", "add_row", "add_task", "told"}
"""Whose literals reach a person as they are."""
SILENT = {"dumps"}
"""Whose literals a program reads."""
KEYWORDS = {"help", "description", "epilog", "metavar", "title", "header"}
WORD = re.compile(r"[^\W\d_]{2,}")
PROSE = re.compile(r"[^\W\d_]{2,}[,;:]? [^\W\d_]{2,}")

LOOKED_UP = {
    "i18n/system.py": 4,  # what the system says
    "cli/rows_text.py": 1,  # what a row says
    "config/toml.py": 1,  # what the parser says
}
"""How often a file looks up a string that it does not write down there: each is in its `KNOWN`, or its `SENTENCES`."""

NOT_WORDS = {
    # As a program reads them, or as they are typed.
    "commands after edge",
    ", envelope kept",
    ", past the size limit",
    "first line",
    "first line ended in LF",
    "over the size limit",
    "next hop",
    "curl -sS smtp://127.0.0.1:{port} --mail-from a@b.test --mail-rcpt {recipient} -T {file}",
    "tidewaiter lab writer curl-7.88 --command '",
    " --from you@outside.example --to",
    # Bytes of an attack.
    "  Hello ",
    "LF . CR LF",
    " MAIL FROM:<forged@bank.example> RCPT TO:… DATA …",
    # A type, and styles.
    "dict[str, Dialect]",
    "bold red",
    "bold yellow",
    "bold",
    "yellow",
    # A name.
    "tidewaiter: ",
}
"""Literals that are no words of ours to a person."""
BYTES = "printf "
"""Opens a command that is to be copied, the bytes of an attack among its words."""


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for file in sorted((PACKAGE / folder).rglob("*.py")):
            yield file.relative_to(PACKAGE).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node) in names)


def literals(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every string, and every part of one, but those that are marked, compared or documentation."""
    if isinstance(tree, ast.Compare) or (isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant)):
        return
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        yield tree
    marked = tree.args if isinstance(tree, ast.Call) and name_of(tree) in MARKS | SILENT else []
    for node in ast.iter_child_nodes(tree):
        if node not in marked:
            yield from literals(node)


def said(tree: ast.AST) -> Iterator[ast.Constant]:
    """Every literal that is handed to what speaks to a person."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            for spoken in (*call.args, *(each.value for each in call.keywords if each.arg in KEYWORDS)):
                if name_of(call) in SAYS or spoken not in call.args:
                    yield from literals(spoken)


def untranslated(tree: ast.AST) -> list[tuple[int, str]]:
    prose = {node for node in literals(tree) if PROSE.search(str(node.value))}
    words = {node for node in said(tree) if WORD.search(str(node.value))}
    found = {(node.lineno, str(node.value)) for node in prose | words}
    return sorted(each for each in found if each[1] not in NOT_WORDS and not each[1].startswith(BYTES))


def test_no_word_reaches_a_person_past_the_catalogue() -> None:
    assert {file: found for file, tree in sources("cli", "report") if (found := untranslated(tree))} == {}


@pytest.mark.parametrize(
    "planted",
    [
        'print("done")',
        'print(f"{count} rows")',
        'raise UsageError(f"no such row: {name}")',
        'yield f"  past the {limit}: gone on"',
        'table.add_column("state")',
        'parser.add_argument("row", help="a row")',
        'Text.assemble(("lost", "bold"), name)',
        'head = ["state", "at the end"]',
    ],
)
def test_a_word_that_goes_past_the_catalogue_is_found(planted: str) -> None:
    assert untranslated(ast.parse(planted))


@pytest.mark.parametrize(
    "translated",
    [
        'print(_("done"))',
        'print(json.dumps({"could_not_tell": str(why)}) if form == "json" else _("done"))',
        'raise UsageError(_("no such row: {name}").format(name=name))',
        'WORDS = {"closed": Sentence("the server has closed")}',
        '"""A sentence about the code."""',
    ],
)
def test_what_goes_through_it_is_not_complained_of(translated: str) -> None:
    assert untranslated(ast.parse(translated)) == []


def test_what_is_marked_can_be_extracted() -> None:
    """What is put together, or comes from elsewhere, is in no catalogue, whatever is called on it."""
    found: dict[str, int] = {}
    for file, tree in sources("."):
        for call in calls(tree, MARKS):
            if call.args and not isinstance(call.args[0], ast.Constant):
                found[file] = found.get(file, 0) + 1
    assert found == LOOKED_UP
