"""How a booted program ends, whatever becomes of the test run.

The keeper is a small process between the test run and the program.
It lives as long as the pipe on its standard input is open: closing it, or dying, ends the program.
For a program with a root of its own, the keeper is process 1 of new process and mount namespaces.
So the kernel takes every process and every mount with it, and a killed run leaves nothing behind.

Called as `keeper.py FOLDER COMMAND…`, where FOLDER is `-` for a program without a root.
Its output is the program's, and what the program says to /dev/log.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import sys
from pathlib import Path

DEVICES = ("null", "zero", "full", "random", "urandom")
GRACE = 5.0


def mount(folder: Path) -> Path:
    """Lay the instance's writable layer over its root; give the folder to change into."""
    root = folder / "root"
    layers = f"lowerdir={folder / 'lower'},upperdir={folder / 'upper'},workdir={folder / 'work'}"
    _call("mount", "-t", "overlay", "overlay", "-o", layers, str(root))
    _call("mount", "-t", "proc", "proc", str(root / "proc"))
    for name in ("dev", "tmp", "run"):
        _call("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", str(root / name))
    (root / "tmp").chmod(0o1777)
    (root / "dev/shm").mkdir(mode=0o1777)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (root / "dev" / name).symlink_to(f"/proc/self/fd/{number}")
    for name in DEVICES:
        (root / "dev" / name).touch()
        _call("mount", "--bind", f"/dev/{name}", str(root / "dev" / name))
    return root


def _call(*argv: str) -> None:
    subprocess.run(argv, check=True)


def system_log(root: Path) -> socket.socket:
    """Listen where programs without a log file of their own send their lines."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(root / "dev/log"))
    (root / "dev/log").chmod(0o666)
    return listener


def keep(program: subprocess.Popen[bytes], log: socket.socket | None) -> int:
    """Copy the log and bury the dead until the pipe closes or the program ends; give its exit code."""
    wakeup, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    with selectors.DefaultSelector() as waiting:
        waiting.register(sys.stdin.buffer, selectors.EVENT_READ, "end")
        waiting.register(wakeup, selectors.EVENT_READ, "child")
        if log:
            waiting.register(log, selectors.EVENT_READ, "log")
        while program.poll() is None:
            for key, _ in waiting.select():
                if key.data == "end":
                    return stop(program)
                if key.data == "log" and log:
                    os.write(1, log.recv(65536).rstrip(b"\0\n") + b"\n")
                if key.data == "child":
                    os.read(wakeup, 4096)
                    bury(program.pid)
    return program.returncode or 0


def bury(program: int) -> None:
    """Reap what was left to process 1, but never the program itself, whose exit code is wanted."""
    with contextlib.suppress(ChildProcessError):
        while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if dead.si_pid == program:
                return
            os.waitpid(dead.si_pid, 0)


def stop(program: subprocess.Popen[bytes]) -> int:
    """Ask the program to end, and end it when it does not."""
    program.terminate()
    try:
        return program.wait(GRACE)
    except subprocess.TimeoutExpired:
        program.kill()
        return program.wait()


def main(place: str, *command: str) -> int:
    """Run `command` in `place` for as long as standard input stays open."""
    root = mount(Path(place)) if place != "-" else None
    log = system_log(root) if root else None
    words = ["chroot", str(root), *command] if root else list(command)
    return keep(subprocess.Popen(words, stdin=subprocess.DEVNULL), log)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
