"""How a Debian package becomes a root that a program can be booted in.

Never by installing it on this machine, where two mail servers cannot stand side by side.
apt is asked what the package needs on an *empty* system, so the root does not depend on what this machine has.
The packages are unpacked and no maintainer script runs: users, folders and configuration come from the recipe,
in view, and unpacking starts nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.peers.cache import PeerError, home, locked, tree
from tests.peers.commands import run

if TYPE_CHECKING:
    from pathlib import Path

EMPTY_SYSTEM = ("-o", "Dir::State::status=/dev/null")
SCRIPTING = ("coreutils", "dash", "findutils", "grep", "libc-bin", "sed")  # what start scripts call
MERGED = ("bin", "sbin", "lib", "lib64")
FOLDERS = ("dev", "proc", "run", "tmp", "root", "var/log", "var/spool")
NOT_NEEDED = ("doc", "man", "locale", "info", "lintian")
USERS = (
    "root:x:0:0:root:/root:/bin/sh\n"
    "mail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
GROUPS = "root:x:0:\nmail:x:8:\nnogroup:x:65534:\n"


@dataclass(frozen=True, slots=True)
class Account:
    """A user that a package's own installation would have made, with a group of the same name and number."""

    name: str
    number: int
    home: str = "/nonexistent"


@dataclass(frozen=True, slots=True)
class Owned:
    """A path that a package's own installation would have given to somebody; a folder is made when missing."""

    path: str
    user: int
    group: int
    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Root:
    """What is unpacked, with all that it needs.

    Each package is `NAME`, or `NAME=UPSTREAM` for Debian's newest revision of it, or `NAME=UPSTREAM-REVISION`.
    """

    name: str
    packages: tuple[str, ...]
    accounts: tuple[Account, ...] = ()
    owned: tuple[Owned, ...] = ()

    def path(self) -> Path:
        """Give the folder, unpacking it the first time."""
        recipe = (self, SCRIPTING, NOT_NEEDED, USERS, GROUPS)
        return tree(self.name, recipe, lambda folder: unpack(self, folder))


def unpack(root: Root, folder: Path) -> None:
    """Fill `folder` with the packages of `root` and all that they need."""
    for name in MERGED:
        (folder / "usr" / name).mkdir(parents=True)
        (folder / name).symlink_to(f"usr/{name}")
    archives = fetch(root)
    for archive in archives:
        _extract(archive, folder)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "var/run").symlink_to("/run")
    _write_names(root, folder / "etc")
    for each in root.owned:
        _give(folder / each.path.lstrip("/"), each)
    (folder / "etc" / "packages").write_text("\n".join(archive.name for archive in archives) + "\n")


def fetch(root: Root) -> list[Path]:
    """Download what `root` needs; the list of packages is brought up to date when it is missing or stale."""
    with locked("apt"):
        try:
            archives = _download(root)
        except PeerError:
            run(["apt-get", "update", "-qq"])
            archives = _download(root)
    _check_versions(root, archives)
    return archives


def _download(root: Root) -> list[Path]:
    store = home() / "debs"
    (store / "partial").mkdir(parents=True, exist_ok=True)
    apt = ["apt-get", *EMPTY_SYSTEM, "-o", f"Dir::Cache::archives={store}", "-o", "APT::Sandbox::User=root"]
    apt += ["-qq", "-y", "--no-install-recommends"]
    named = [f"{name}={version}" if "-" in version else name for name, version in _pinned(root)]
    wanted = ["install", *named, *SCRIPTING]
    run([*apt, "--download-only", *wanted], DEBIAN_FRONTEND="noninteractive")
    planned = run([*apt, "--simulate", *wanted]).decode()
    chosen = re.findall(r"^Inst (\S+) \((\S+) ", planned, re.MULTILINE)
    return [_archive(store, name, version) for name, version in chosen]


def _archive(store: Path, name: str, version: str) -> Path:
    found = list(store.glob(f"{name}_{version.replace(':', '%3a')}_*.deb"))
    if not found:
        raise PeerError(f"apt chose {name} {version} and did not download it")
    return found[0]


def _pinned(root: Root) -> list[tuple[str, str]]:
    parts = [package.partition("=") for package in root.packages]
    return [(name, version) for name, _, version in parts]


def _check_versions(root: Root, archives: list[Path]) -> None:
    names = [archive.name for archive in archives]
    for package, version in _pinned(root):
        asked = re.compile(rf"{re.escape(package)}_(\d+%3a)?{re.escape(version)}[-+_]" if version else package)
        if not any(asked.match(name) for name in names):
            found = [name for name in names if name.startswith(f"{package}_")]
            raise PeerError(f"the rows describe {package} {version}, Debian now has {found}")


def _extract(archive: Path, folder: Path) -> None:
    left_out = [f"--exclude=./usr/share/{name}" for name in NOT_NEEDED]
    # tar, not dpkg -x, because only tar keeps /lib a link: the loader's path must stay one folder.
    tar = ["tar", "-x", "-C", str(folder), "--keep-directory-symlink", *left_out]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as opened:
        done = subprocess.run(tar, stdin=opened.stdout, capture_output=True, check=False)
    if done.returncode or opened.returncode:
        raise PeerError(f"{archive.name} does not unpack: {done.stderr.decode(errors='replace')}")


def _give(target: Path, owned: Owned) -> None:
    if not target.exists():
        target.mkdir(parents=True)
    os.chown(target, owned.user, owned.group)
    target.chmod(owned.mode)  # after chown, which takes set-gid away


def _write_names(root: Root, etc: Path) -> None:
    users = "".join(f"{a.name}:x:{a.number}:{a.number}::{a.home}:/bin/sh\n" for a in root.accounts)
    groups = "".join(f"{a.name}:x:{a.number}:\n" for a in root.accounts)
    (etc / "passwd").write_text(USERS + users)
    (etc / "group").write_text(GROUPS + groups)
    (etc / "hosts").write_text("127.0.0.1 localhost mx.inside.test mx\n")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
    (etc / "mailname").write_text("mx.inside.test\n")
