"""Is what the documents say true: links, paths, commands, targets, rules?"""

import os
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import PAGES
from docs.generate.commands import parsers, plain_help, plainly
from tidewaiter.cli import build_parser
from tidewaiter.config import parse
from tidewaiter.model.oddity import OddityKind
from tidewaiter.smuggling.evidence import SMUGGLED

ROOT = Path(__file__).parents[2]
PATH = re.compile(
    r"`((?:\.ci|bench|changelog\.d|docs|fuzz|packaging|src|tests)/[\w./*<>-]*|[\w-]+\.(?:toml|lock|md|cfg)|Makefile)`"
)
HOLE = re.compile(r"[A-Z]{2,}")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SENTENCE_GOES_ON = re.compile(r"[a-z)`][.?!] +[A-Z`]")
ABBREVIATIONS = ("e.g. ", "i.e. ", "vs. ", "No. ")
SHOWN_WRONG = {"slip.toml"}
SPOKEN_OF = {"uv.lock", "tidewaiter.toml", "mx.toml", "NNNN-title.md"}
"""Files of the reader's, or names with a hole in them."""


def documents() -> list[Path]:
    found = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "fuzz").glob("*.md"),
        *(ROOT / "bench").glob("*.md"),
    ]
    return sorted(found)


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def blocks(file: Path, kind: str) -> list[str]:
    return [body for said, body in FENCE.findall(file.read_text(encoding="utf-8")) if said == kind]


def examples(file: Path) -> dict[str, str]:
    """The configurations shown, by the name in their first line."""
    return {re.match(r"# (\S+)\n", body)[1]: body for body in blocks(file, "toml")}  # type: ignore[index]  # all have one


def anchors(file: Path) -> set[str]:
    """The ids that a heading gets, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("file", documents(), ids=named)
def test_every_link_leads_somewhere(file: Path) -> None:
    for target in LINK.findall(file.read_text(encoding="utf-8")):
        if target.startswith(("https:", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        led = (file.parent / path).resolve() if path else file
        assert led.exists(), target
        assert not anchor or anchor in anchors(led), target


@pytest.mark.parametrize("file", documents(), ids=named)
def test_every_path_that_is_named_exists(file: Path) -> None:
    for path in PATH.findall(FENCE.sub("", file.read_text(encoding="utf-8"))):
        here = [base for base in (ROOT, file.parent) if list(base.glob(path.rstrip("/")))]
        assert here or path in SPOKEN_OF or HOLE.search(path), path


@pytest.mark.parametrize("file", documents(), ids=named)
def test_each_sentence_has_a_line_of_its_own(file: Path) -> None:
    if file.relative_to(ROOT / "docs" if file.is_relative_to(ROOT / "docs") else ROOT).as_posix() in PAGES:
        return  # its sentences stand in the code
    for line in FENCE.sub("", file.read_text(encoding="utf-8")).splitlines():
        prose = re.sub(r"`[^`]*`|\"[^\"]*\"|\([^)]*\)", "x", line)
        for abbreviation in ABBREVIATIONS:
            prose = prose.replace(abbreviation, "")
        if not line.startswith(("|", "#")):
            assert not SENTENCE_GOES_ON.search(prose), line


@pytest.mark.parametrize("file", documents(), ids=named)
def test_every_make_target_that_is_named_exists(file: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", file.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize("file", [file for file in documents() if blocks(file, "console")], ids=named)
def test_every_command_that_is_shown_prints_what_is_shown(file: Path, tmp_path: Path) -> None:
    for name, text in examples(file).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    for part in [
        part for block in blocks(file, "console") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]:
        command, _, expected = part.partition("\n")
        assert said_by(command, tmp_path) == expected.strip()


def said_by(command: str, folder: Path) -> str:
    with plainly():
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    shell = ["/bin/sh", "-c", f"{command} 2>&1"]
    return subprocess.run(
        shell, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False
    ).stdout.strip()


@pytest.mark.parametrize("file", [file for file in documents() if blocks(file, "toml")], ids=named)
def test_every_configuration_that_is_shown_is_right(file: Path) -> None:
    for name, text in examples(file).items():
        if name not in SHOWN_WRONG:
            parse(text.encode(), name)


def test_the_unit_may_write_into_every_maildir_that_is_recommended_with_it() -> None:
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    recommended = set(re.findall(r"maildir:(/[\w./-]+)", page))
    assert recommended
    assert recommended <= set(re.findall(r"^ReadWritePaths=(\S+)$", page, re.MULTILINE))
    assert "ReadWritePaths=" in (ROOT / "packaging/tidewaiter.service").read_text(encoding="utf-8")


def test_the_readme_shows_the_help_of_today() -> None:
    with plainly():
        expected = plain_help(build_parser())
    assert f"```text\n{expected}```" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_verb_is_explained_outside_the_reference() -> None:
    prose = "".join(file.read_text(encoding="utf-8") for file in documents() if file.name != "commands.md")
    with plainly():
        verbs = [parser.prog for parser in parsers(build_parser()) if parser.prog != "tidewaiter"]
    assert [verb for verb in verbs if verb not in prose] == []


def test_every_rule_has_a_page_and_every_page_a_rule() -> None:
    pages = {page.stem for page in (ROOT / "docs/rules").glob("*.md")} - {"index"}
    about_commands = {"envelope"}
    assert pages == {SMUGGLED, *about_commands, *(kind.value.replace("_", "-") for kind in OddityKind)}


def test_every_fragment_of_the_changelog_has_a_kind_and_is_for_operators() -> None:
    readme = (ROOT / "changelog.d/README.md").read_text(encoding="utf-8")
    kinds = [
        kind for line in readme.splitlines() if line.startswith("The kinds") for kind in re.findall(r"`(\w+)`", line)
    ]
    for fragment in (ROOT / "changelog.d").glob("[!R]*"):
        assert fragment.suffixes in [[f".{kind}", ".md"] for kind in kinds], fragment.name
        assert re.fullmatch(r"[A-Z`].*\.\n", fragment.read_text(encoding="utf-8"), re.DOTALL)


def test_every_decision_says_what_it_must() -> None:
    for number, page in enumerate(sorted((ROOT / "docs/decisions").glob("[0-9]*.md")), 1):
        assert page.name.startswith(f"{number:04}-")
        headings = re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "What we gave up", "How we would notice it was wrong"], page.name


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs/index.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page not in reached and page.exists():
            reached.add(page)
            links = LINK.findall(page.read_text(encoding="utf-8"))
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links if "://" not in link]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_each_fixed_limit_is_the_one_of_the_code() -> None:
    page = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
    said = re.findall(r"^\| `([\w.]+)` \| ([\d.]+) \|", page, re.MULTILINE)
    assert len(said) > 20
    for path, value in said:
        assert pydoc.locate(f"tidewaiter.{path}") == float(value), path
