"""Calls of running processes that the kernel refuses: `strace --inject`, which .ci/run installs.

A clean run is traced first; what it asked of the system is then walked, one call at a time.
"""

import errno
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.faults.failing import EVERY, REACTIONS

STRACE: Final = shutil.which("strace") or ""
needs_strace = pytest.mark.skipif(not STRACE, reason="needs strace, which .ci/run installs")
WITHIN: Final = 60.0
NOT_REFUSED: Final = {
    *("futex", "exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "getpid", "gettid", "munmap"),
    *("madvise", "brk", "mprotect", "restart_syscall", "clock_nanosleep", "sched_yield", "set_robust_list", "rseq"),
    *("execve", "arch_prctl", "set_tid_address", "prlimit64"),
}
"""What cannot fail, or what a library of C takes for the end of the world."""
_CALL: Final = re.compile(r"^(?P<thread>\d+) +(?P<name>\w+)\(", re.MULTILINE)


class Refusal(NamedTuple):
    """The `number`th call of that name in one thread fails."""

    thread: str
    """`loop`, the first, or `files`, any other."""
    call: str
    number: int
    error: str

    def __str__(self) -> str:
        return f"{self.thread}: {self.call} {self.number}: {self.error}"


def threads(pid: int, which: str) -> list[int]:
    """Give the threads of a process that are meant."""
    found = sorted(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir())
    return [task for task in found if (task == pid) == (which == "loop")]


@contextmanager
def attached(tasks: list[int], *options: str) -> Iterator[None]:
    """Trace these threads."""
    command = [STRACE, *options, *(f"--attach={task}" for task in tasks)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as tracer:
        assert tracer.stderr is not None
        for _ in tasks:
            line = tracer.stderr.readline()
            assert "attached" in line, line
        try:
            yield
        finally:
            tracer.terminate()
            tracer.stderr.read()
            tracer.wait(WITHIN)


@contextmanager
def listed(pid: int, output: Path) -> Iterator[Counter[tuple[str, str]]]:
    """Count the calls of each thread, by its kind, while this lasts."""
    counts: Counter[tuple[str, str]] = Counter()
    with attached([pid], "--follow-forks", f"--output={output}"):
        yield counts
    for found in _CALL.finditer(output.read_text()):
        thread = "loop" if int(found["thread"]) == pid else "files"
        if found["name"] not in NOT_REFUSED:
            counts[thread, found["name"]] += 1
    assert counts, "strace has seen nothing"


@contextmanager
def refused(pid: int, refusal: Refusal, output: Path) -> Iterator[None]:
    """Have one call refused while this lasts; `output` tells whether it came to that."""
    inject = f"--inject={refusal.call}:error={refusal.error}:when={refusal.number}"
    with attached(threads(pid, refusal.thread), f"--trace={refusal.call}", inject, f"--output={output}"):
        yield


def came(outputs: Iterable[Path]) -> int:
    """Count the runs in which a call was refused indeed: what depends on packets is not the same twice."""
    return sum("(INJECTED)" in output.read_text() for output in outputs)


def walk(counts: Counter[tuple[str, str]], *, full: bool) -> Iterator[Refusal]:
    """Every occurrence, with each reaction in turn; or with every errno there is."""
    turn = 0
    for (thread, call), number in sorted(counts.items()):
        some = range(1, number + 1) if full else sorted({1, number})
        for occurrence in some:
            turn += 1
            for error in EVERY if full else (REACTIONS[turn % len(REACTIONS)],):
                yield Refusal(thread, call, occurrence, errno.errorcode[error])
