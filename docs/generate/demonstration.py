"""The picture of the demo in the README: drawn from what a demo showed, which a test holds against a demo of today.

`tidewaiter demo --once --format json > docs/pictures/demo.json` gives that, `make docs` draws it.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.terminal_theme import MONOKAI

from tidewaiter.i18n import speak
from tidewaiter.report.demonstration import Demonstration
from tidewaiter.report.text import digest

SHOWN: Final = Path(__file__).parents[1] / "pictures/demo.json"
WIDTH: Final = 84
_SVG: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="tidewaiter demo">
<style>
.{unique_id}-matrix {{ font: {char_height}px/{line_height}px Menlo, Consolas, "DejaVu Sans Mono", monospace; }}
{styles}
</style>
<defs>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""
"""As rich's own, but without fonts that are fetched from elsewhere."""


def picture() -> str:
    """Draw it in English, whatever language is spoken here."""
    shown = msgspec.json.decode(SHOWN.read_bytes(), type=Demonstration)
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False)
    with _in_english():
        console.print(digest(shown))
    drawn = console.export_svg(title="tidewaiter demo", theme=MONOKAI, code_format=_SVG, unique_id="demo")
    return "\n".join(line.rstrip() for line in drawn.splitlines()) + "\n"


@contextmanager
def _in_english() -> Iterator[None]:
    before = os.environ.get("LANGUAGE")
    speak("en")
    yield
    os.environ.pop("LANGUAGE")
    if before is not None:
        os.environ["LANGUAGE"] = before
