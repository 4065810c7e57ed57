import os
import signal
import sys
import time
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, socketpair
from types import SimpleNamespace

import pytest

from tests.gateway.inside import DESCRIPTORS, alone
from tidewaiter.gateway.processes import children, generation
from tidewaiter.gateway.processes.children import SILENCE_SECONDS, Child
from tidewaiter.gateway.processes.generation import LONGEST_DELAY_SECONDS, Post

CHILD = """
import socket, sys
from tidewaiter.gateway.processes.handover import Handover
link = socket.socket(fileno=Handover.receive(sys.argv).link)
link.send(b"ready")
link.recv(64)
"""


def start(program: str = CHILD) -> Child:
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    null = os.open(os.devnull, os.O_RDWR)
    with theirs:
        handover = alone(**dict.fromkeys(DESCRIPTORS, null) | {"link": theirs.fileno()})
        child = Child([sys.executable, "-c", program], handover, ours)
    os.close(null)
    return child


def hear(child: Child) -> Child:
    """The same child, once it has said one thing more."""
    child.socket.settimeout(30)
    child.hear()
    return child


def hear_nothing(child: Child) -> Child:
    return child


def filled(post: Post) -> Child:
    post.fill()
    assert post.child is not None
    return post.child


def bury(child: Child) -> int | None:
    while child.exit_code() is None:
        time.sleep(0.01)
    child.socket.close()
    return child.exit_code()


def test_a_child_is_ready_when_it_says_so_and_leaves_when_asked() -> None:
    child = start()
    assert not child.ready
    assert hear(child).ready
    child.drain()
    assert bury(child) == 0
    assert child.column == 0, "which is given back now"


def test_a_child_that_dies_is_seen_to_hang_up() -> None:
    child = start()
    hear(child)
    child.kill()
    assert not hear(child).linked
    assert bury(child) == -signal.SIGKILL


def test_a_child_whose_loop_hangs_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    child = start()
    assert not hear(child).silent
    later = time.monotonic() + SILENCE_SECONDS + 1
    monkeypatch.setattr(children, "time", SimpleNamespace(monotonic=lambda: later))
    assert hear_nothing(child).silent
    monkeypatch.undo()
    child.cut()
    assert bury(child) == 0


def test_a_post_is_filled_again_later_each_time_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    clock = SimpleNamespace(monotonic=lambda: now)
    for module in (generation, children):  # what one of them notes the other compares
        monkeypatch.setattr(module, "time", clock)
    post = Post(lambda: start("raise SystemExit(1)"))
    delays = []
    for _ in range(10):
        bury(filled(post))
        post.vacate(refill=True)
        delays.append((post.due or 0.0) - now)
        post.fill()
        assert post.child is None, "not before its time"
        now += delays[-1]
    assert delays == sorted(delays)
    assert round(delays[-1], 6) == LONGEST_DELAY_SECONDS


def test_descriptors_of_a_child_do_not_reach_its_own_children() -> None:
    program = CHILD.replace(
        "link.send", "import subprocess; n = link.fileno(); "
        "subprocess.run([sys.executable, '-c', f'import os; os.fstat({n})'], close_fds=False, check=False,"
        " stderr=subprocess.DEVNULL).returncode == 1 and link.send"
    )  # fmt: skip
    child = start(program)
    assert hear(child).ready
    child.cut()
    assert bury(child) == 0


def test_a_program_that_is_not_there_is_an_error() -> None:
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    post = Post(lambda: Child([str(Path("/nonexistent"))], alone(**dict.fromkeys(DESCRIPTORS, 2)), ours))
    with pytest.raises(OSError, match="No such file"):
        post.fill()
    assert post.losses == 1
    ours.close()
    theirs.close()


def test_a_post_whose_child_cannot_be_started_says_so_and_waits() -> None:
    def start_none() -> Child:
        raise OSError

    post = Post(start_none)
    with pytest.raises(OSError, match=r"^$"):
        post.fill()
    assert (post.failing, post.losses, post.child) == (True, 1, None)
    assert post.due is not None
    assert post.due > time.monotonic()
