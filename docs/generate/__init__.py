"""Which pages are written from the code, and by what?  `python -m docs.generate` writes them all.

A test compares each with what the code says today, so none can drift.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from docs.generate import commands, configuration, demonstration, dialects, manual, metrics, pictures, replies, vectors

DOCS: Final = Path(__file__).parents[1]

PAGES: Final[dict[str, Callable[[], str]]] = {
    "../packaging/tidewaiter.1": manual.page,
    "commands.md": commands.page,
    "configuration.md": configuration.page,
    "dialects.md": dialects.page,
    "metrics.md": metrics.page,
    "replies.md": replies.page,
    "vectors.md": vectors.page,
    "pictures/demo.svg": demonstration.picture,
    **pictures.SOURCES,
}


def write_all() -> None:
    """Write every page, and draw every picture."""
    for name, page in PAGES.items():
        file = DOCS / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(page(), encoding="utf-8")
    pictures.draw(DOCS)
