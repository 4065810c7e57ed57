"""Which processes has this one started, and not waited for?"""

from contextlib import suppress
from pathlib import Path


def children() -> set[int]:
    """Give them all, whichever thread has started them."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found.update(map(int, (thread / "children").read_text().split()))
    return found


def command_line(process: int) -> str:
    """Give what a process was started as; nothing where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
