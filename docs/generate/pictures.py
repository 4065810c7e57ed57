"""The pictures: state diagrams from the very tables, so that none can lie, and all drawn by Graphviz.

A `.dot` that is written from code is compared by a test; an `.svg` says from which `.dot` it was drawn.
"""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Final

from docs.generate import dialects
from tidewaiter.model.dialect import STRICT
from tidewaiter.wire.states import CLIENT, SERVER, State

Arrow = tuple[State, State, str, bool]
"""From, to, what makes it happen, and whether that is a refusal."""


def server() -> str:
    """Draw what each command does in each state of our server."""
    return _diagram("our server", _server_arrows())


def client() -> str:
    """Draw what each reply does in each state of our client."""
    return _diagram("our client", _client_arrows())


SOURCES: Final[dict[str, Callable[[], str]]] = {
    "pictures/server.dot": server,
    "pictures/client.dot": client,
    **{f"pictures/{name}.dot": partial(dialects.picture, name) for name in (STRICT.id, *dialects.DRAWN)},
}


def draw(docs: Path) -> None:
    """Draw each picture whose source has changed."""
    for source in sorted((docs / "pictures").glob("*.dot")):
        picture = source.with_suffix(".svg")
        if picture.exists() and picture.read_text(encoding="utf-8").startswith(mark(source)):
            continue
        if not shutil.which("dot"):
            print(f"{picture} is out of date, and Graphviz is not installed")
            continue
        svg = subprocess.run(["dot", "-Tsvg", source], capture_output=True, text=True, check=True).stdout
        picture.write_text(f"{mark(source)}\n{svg[svg.index('<svg') :]}", encoding="utf-8")


def mark(source: Path) -> str:
    """Give the comment by which a picture says what it was drawn from."""
    return f"<!-- drawn from {source.name}, {hashlib.sha256(source.read_bytes()).hexdigest()[:16]} -->"


def _server_arrows() -> Iterable[Arrow]:
    for verb, edges in SERVER.items():
        for state, edge in edges.items():
            if not edge.wrong:
                yield state, edge.accepted, verb, False
            yield state, edge.refused, verb, True


def _client_arrows() -> Iterable[Arrow]:
    for verb, edges in CLIENT.items():
        for state, replies in edges.items():
            for code, after in replies.items():
                yield state, after, f"{verb} {code}xx", code >= 4


def _diagram(title: str, arrows: Iterable[Arrow]) -> str:
    """Join arrows between the same states, and leave out those that lead nowhere."""
    joined: dict[tuple[State, State, bool], dict[str, None]] = {}
    for start, end, label, refused in arrows:
        if start is not end:
            joined.setdefault((start, end, refused), {})[label] = None
    lines = [f'digraph "{title}" {{', "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    for (start, end, refused), labels in joined.items():
        text = "\\n".join(labels)
        style = ", style=dashed" if refused else ""
        lines.append(f'  "{start}" -> "{end}" [label="{text}"{style}];')
    return "\n".join([*lines, "}"]) + "\n"
