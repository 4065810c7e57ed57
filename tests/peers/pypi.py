"""How a program from PyPI gets a place of its own: a virtual environment, one a version."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.peers.cache import tree
from tests.peers.commands import run

if TYPE_CHECKING:
    from pathlib import Path

INSTALL = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def environment(name: str, *requirements: str) -> Path:
    """Give a virtual environment that holds `requirements`.

    Call what it holds as `bin/python -m MODULE`: the scripts in `bin` name the folder it was built in.
    """
    recipe = (requirements, sys.version_info[:3])
    return tree(name, recipe, lambda folder: _install(folder, requirements))


def _install(folder: Path, requirements: tuple[str, ...]) -> None:
    # The interpreter below ours, because one in an environment of uv's cannot always make others.
    base = getattr(sys, "_base_executable", sys.executable)
    run([base, "-m", "venv", folder])
    run([folder / "bin" / "python", *INSTALL, *requirements])
