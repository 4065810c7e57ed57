"""Why a peer cannot run on this machine, in words for a person; an empty text when it can.

What is asked is tried, not guessed: a container may be root and still not be allowed to mount.
"""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache

from tests.peers.boot import NAMESPACES
from tests.peers.cache import PeerError, home
from tests.peers.commands import run
from tests.peers.instances import instance

DEBIAN = ("apt-get", "dpkg-deb", "tar", "chroot", "unshare", "nsenter", "mount")


@cache
def namespaces() -> str:
    """Say what a program with a root of its own lacks here."""
    if os.geteuid():
        return "needs root, for a root and namespaces of its own"
    missing = [name for name in DEBIAN if not shutil.which(name)]
    if missing:
        return f"needs {', '.join(missing)}: its packages are Debian's"
    return _refused_mount()


def _refused_mount() -> str:
    with instance("trial") as place:
        layers = f"lowerdir=/etc,upperdir={place.folder / 'upper'},workdir={place.folder / 'work'}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", layers, place.folder / "root"]
        try:
            run([*NAMESPACES, *mount])
        except PeerError as error:
            return f"cannot mount an overlay (TIDEWAITER_PEERS names another place than {home()}): {error}"
    return ""


@cache
def environments() -> str:
    """Say what a program from PyPI or npm lacks here."""
    base = getattr(sys, "_base_executable", sys.executable)
    try:
        run([base, "-c", "import venv, ensurepip"])
    except PeerError:
        return f"needs the modules venv and ensurepip of {base} (Debian: python3-venv)"
    return ""
