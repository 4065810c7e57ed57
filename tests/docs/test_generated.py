"""Do the generated pages and pictures say what the code says today?  `make docs` writes them."""

import re
from pathlib import Path

import pytest

from docs.generate import DOCS, PAGES, pictures


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name]()


@pytest.mark.parametrize("source", sorted((DOCS / "pictures").glob("*.dot")), ids=lambda source: source.stem)
def test_a_picture_is_drawn_from_its_source_of_today(source: Path) -> None:
    assert source.with_suffix(".svg").read_text(encoding="utf-8").startswith(pictures.mark(source))


def test_every_setting_is_explained() -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert re.findall(r"^- `\w+`: *$", page, re.MULTILINE) == []
