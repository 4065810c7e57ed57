"""What the page about deployment tells an administrator to write."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "deployment.md"


def blocks(heading: str, kind: str = "text") -> list[str]:
    """The blocks of one kind below a heading."""
    section = PAGE.read_text(encoding="utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{kind}\n(.*?)```", section, re.DOTALL)


def settings(block: str) -> dict[str, str]:
    """What it sets: `key = value` on a line of its own, or `-o key=value`."""
    return {key: value.strip() for key, value in re.findall(r"^(?: *-o |hostlist )?(\w+) ?=(.*)$", block, re.MULTILINE)}
