"""What do processes cost: CPU and memory, read from /proc, so that it is the same question to every peer."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat behind the name (proc(5)): utime, stime, and those of children that were waited for.
_TIMES: Final = slice(11, 15)


def cpu_seconds(processes: Iterable[int]) -> float:
    """CPU that these processes, and their children that have ended, used so far."""
    return sum(map(_cpu_seconds, processes))


def _cpu_seconds(process: int) -> float:
    with suppress(FileNotFoundError, ProcessLookupError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return _TICK * sum(map(int, fields[_TIMES]))
    return 0.0


def pss_bytes(processes: Iterable[int]) -> int:
    """Memory of these processes; what several share is divided among those who share it."""
    return sum(map(_pss_bytes, processes))


def _pss_bytes(process: int) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
