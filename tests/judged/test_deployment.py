"""What the page about deployment tells an administrator to write is read by the real programs, word for word."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.judged.page import blocks, settings
from tests.peers import exim, postfix
from tests.peers.conftest import needed

pytestmark = [pytest.mark.peers]

_MOUNTED = 'mount --bind "$1" "$2$3" && shift && root=$1 && shift 2 && exec chroot "$root" "$@"'


def asked(root: Path, folder: Path, where: str, *words: str) -> str:
    """What a program says, which finds `folder` at `where` in its root; it must not complain."""
    command = ["unshare", "--mount", "sh", "-ec", _MOUNTED, "sh", str(folder), str(root), where, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, re.sub(r".*purging the environment.*\n.*keep_environment.*\n", "", done.stderr)) == (0, "")
    return done.stdout


def test_postfix_knows_every_setting_that_is_shown(tmp_path: Path) -> None:
    needed("postfix-3.7-no")
    main, services, _ = blocks("In front of Postfix")
    (tmp_path / "main.cf").write_text(main)
    (tmp_path / "master.cf").write_text(services)
    root = postfix.ROOT.path()
    shown = asked(root, tmp_path, "/etc/postfix", "/usr/sbin/postconf", "-n")
    assert dict(re.findall(r"^(\w+) = ?(.*)$", shown, re.MULTILINE)) == settings(main)
    shown = asked(root, tmp_path, "/etc/postfix", "/usr/sbin/postconf", "-P")
    assert dict(re.findall(r"^127.0.0.1:10025/inet/(\w+) = ?(.*)$", shown, re.MULTILINE)) == settings(services)


def test_exim_knows_every_setting_that_is_shown(tmp_path: Path) -> None:
    needed("exim-4.96")
    [block] = blocks("In front of Exim")
    (tmp_path / "exim.conf").write_text(block)
    exim4 = ("/usr/sbin/exim4", "-C", "/etc/exim4/exim.conf", "-bP")
    wanted = settings(block)
    named = [f"+{name}" if f"hostlist {name} " in block else name for name in wanted]
    shown = asked(exim.ROOT.path(), tmp_path, "/etc/exim4", *exim4, *named)
    assert settings(shown) == wanted
