"""Every call of the supervisor on the way of a reload is refused once, and those of a start that matter.

A reload comes to pass or changes nothing, a start serves or says what was refused, and a stop is obeyed.
"""

import errno
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.injected import STRACE, came, listed, needs_strace, refused, walk
from tests.faults.running import RUN, Refused
from tests.gateway.family import CONFIGURATION

pytestmark = [pytest.mark.slow, needs_strace, pytest.mark.timeout(36_000)]

Count = Callable[[str, int, int], int]
ENDS = {"serving", "reload refused, nothing has changed", "workers do not come up, nothing has changed"}


def test_every_call_of_the_supervisor_on_the_way_of_a_reload_is_refused_once(
    tmp_path: Path, count: Count, request: pytest.FixtureRequest
) -> None:
    said: dict[str, str] = {}
    with Refused(tmp_path, faults=("OSError", "Error: [Errno")) as family:
        family.serving()
        family.send_until_taken("first")
        with listed(family.process.pid, tmp_path / "calls") as counts:
            reload(family)
        full = request.config.getoption("--soak")
        refusals = [each for each in walk(counts, full=full) if each.thread == "loop"]
        if not full:
            refusals = [each for each in refusals if each.number == 1]
        count("calls of the supervisor refused on the way of a reload", len(refusals), len(refusals))
        for number, refusal in enumerate(refusals):
            with refused(family.process.pid, refusal, tmp_path / f"{number}.calls"):
                reload(family)
            name = f"{refusal.call}-{number}"
            said[name] = family.send(name)
            assert said[name].startswith(("250 ", "421 4.3.2 ")), refusal  # of a worker that is just told to leave
            family.send_until_taken("after")
        family.last_words()
    family.judge(said)
    assert came(tmp_path.glob("*.calls")) >= 0.7 * len(refusals)


def reload(family: Refused) -> None:
    """Ask for one, and wait for how it ends."""
    family.signal(signal.SIGHUP)
    while family.next_event() not in ENDS:
        pass


STARTS = (
    *(("fallocate", "ENOSPC"), ("fallocate", "EIO"), ("flock", "ENOLCK"), ("mkdir", "ENOSPC"), ("mkdir", "EACCES")),
    *(("bind", "EACCES"), ("bind", "ENOSPC"), ("listen", "EADDRINUSE"), ("memfd_create", "EMFILE")),
    *(("socketpair", "EMFILE"), ("vfork,clone", "EAGAIN"), ("pipe2", "EMFILE"), ("ftruncate", "ENOSPC")),
)


@pytest.mark.parametrize(("call", "error"), STARTS, ids=str)
def test_a_start_that_is_refused_something_says_what_and_why(tmp_path: Path, call: str, error: str) -> None:
    file = tmp_path / "tidewaiter.toml"
    file.write_text(CONFIGURATION.format(workers="").replace("count = 2", "count = 1"))
    inject = [STRACE, f"--trace={call}", f"--inject={call}:error={error}:when=1", "--output=/dev/null"]
    ended = subprocess.run([*inject, *RUN, file], capture_output=True, text=True, check=False, timeout=100)
    words = os.strerror(getattr(errno, error))
    assert ended.returncode != 0
    assert "a fault of ours" not in ended.stderr, ended.stderr
    assert words in ended.stderr or error in ended.stderr, ended.stderr
    assert re.search(rf"{re.escape(str(tmp_path))}/|127.0.0.1|tidewaiter.gateway|\"path\":\"", ended.stderr), (
        ended.stderr
    )
