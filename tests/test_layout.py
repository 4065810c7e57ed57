"""Is the code laid out as promised: layers, a core that touches nothing, files that can be read?

import-linter holds the layers and the modules that the core may not import; this holds what it cannot say.
"""

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/tidewaiter"
LONGEST_FILE = 400

ABOVE_THE_CORE = "(i18n)"
ALLOWED = {"cryptography", "idna", "publicsuffixlist", "rapidfuzz"}
DECODES = {"tidewaiter.config", "tidewaiter.knowledge"}
"""msgspec turns bytes handed in into values: the strict decoder of the configuration and of the rows."""

BUILT_INS = {"input", "open", "print"}
METHODS = {
    "exists", "expanduser", "glob", "home", "is_dir", "is_file", "iterdir", "mkdir", "now", "read_bytes", "read_text",
    "rglob", "samefile", "today", "touch", "unlink", "utcnow", "write_bytes", "write_text",
}  # fmt: skip
"""Names of functions that would make the answer depend on a file or on the hour."""


def contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return found


def core() -> list[str]:
    """The packages of the core that are there, out of the layers."""
    layers: list[str] = contracts()[0]["layers"]
    below = layers[layers.index(ABOVE_THE_CORE) + 1 :]
    names = sorted(name.strip("( )") for layer in below for name in layer.split("|"))
    return [f"tidewaiter.{name}" for name in names if (PACKAGE / name).is_dir()]


def files_of_the_core() -> list[Path]:
    return [file for name in core() for file in (PACKAGE / name.partition(".")[2]).rglob("*.py")]


def test_the_linter_watches_every_package_of_the_core() -> None:
    assert sorted(contracts()[1]["source_modules"]) == core()


def test_the_core_imports_few_third_parties() -> None:
    graph = grimp.build_graph("tidewaiter", include_external_packages=True)
    for package in core():
        allowed = ALLOWED | ({"msgspec"} if package in DECODES else set())
        for module in {package, *graph.find_descendants(package)}:
            imported = {name for name in graph.find_modules_directly_imported_by(module) if "." not in name}
            assert imported - sys.stdlib_module_names <= allowed, module


@pytest.mark.parametrize("file", files_of_the_core(), ids=lambda file: str(file.relative_to(PACKAGE)))
def test_the_core_opens_nothing_and_asks_no_clock(file: Path) -> None:
    if file.is_relative_to(PACKAGE / "knowledge"):
        return  # it reads its own package data
    calls = [node.func for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Call)]
    assert {func.id for func in calls if isinstance(func, ast.Name)} & BUILT_INS == set()
    assert {func.attr for func in calls if isinstance(func, ast.Attribute)} & METHODS == set()


def test_no_file_is_longer_than_one_can_read() -> None:
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in PACKAGE.rglob("*.py")}
    assert {str(file): count for file, count in lines.items() if count > LONGEST_FILE} == {}


def test_no_module_is_named_for_nothing() -> None:
    names = {file.stem for file in PACKAGE.rglob("*")}
    assert names & {"util", "utils", "common", "helpers", "misc"} == set()


def test_no_modules_import_one_another_in_a_circle() -> None:
    graph = grimp.build_graph("tidewaiter")
    left = {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}
    while ready := [module for module, needs in left.items() if not needs]:
        for module in ready:
            del left[module]
        for needs in left.values():
            needs.difference_update(ready)
    assert left == {}, "these cannot be put in an order"
