"""strace, unpacked like a mail program: what a process really asks of the kernel, in which order."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.cache import PeerError
from tests.peers.debian import Root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "6.1"
ROOT = Root("strace", (f"strace={VERSION}",))
WITHIN = 60.0


def words() -> list[str]:
    """Give the command, run by its own loader beside its own libraries, so that it sees this machine's processes."""
    root = ROOT.path()
    (loader,) = root.glob("usr/lib*/ld-linux*.so.*")
    (libraries,) = root.glob("usr/lib/*-linux-gnu")
    return [str(loader), "--library-path", str(libraries), str(root / "usr/bin/strace")]


@contextmanager
def traced(pid: int, calls: str, output: Path) -> Iterator[None]:
    """Write every call in `calls` (names, with commas) of process `pid` and its threads to `output`.

    Each descriptor is written with its path.
    """
    command = [*words(), "--follow-forks", "--decode-fds=path", f"--trace={calls}", f"--output={output}", f"-p{pid}"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        if not re.search("attached", line := tracer.stderr.readline()):
            raise PeerError(f"strace cannot trace: {line}{tracer.stderr.read()}")
        try:
            yield
        finally:
            tracer.terminate()  # it lets go of the process, and that runs on
            tracer.wait(WITHIN)
