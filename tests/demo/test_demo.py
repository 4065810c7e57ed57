"""Does `tidewaiter demo` show what it promises, and does it leave nothing behind?"""

import fcntl
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from docs.generate.demonstration import SHOWN
from tidewaiter.demo import honest, missing, sender
from tidewaiter.demo.mail import Mail
from tidewaiter.demo.stage import FOLDER
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.knowledge.vectors import vectors
from tidewaiter.model.vector import ContentVector, DialogueVector

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

COMMAND = (sys.executable, "-m", "tidewaiter", "demo", "--format", "json")
SECONDS = 500.0
LENIENT = "aiosmtpd-1.4.4"
EVERYBODY = 16
"""Four receivers, two gateways with their workers, clerks and examiners, and those who prove."""


class Run(NamedTuple):
    """How a demo ended."""

    code: int
    stdout: str


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo from beginning to end, once for all tests, whatever process they are in.

    It speaks Spanish, which a program that reads it must not notice; and it ends, though nobody said `--once`, for
    nobody could press Ctrl-C.
    """
    base = tmp_path_factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo.json"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            words = [*COMMAND, "--lang", "es"]
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False
            )
            kept.write_text(json.dumps([done.returncode, done.stdout]), encoding="utf-8")
        return Run(*json.loads(kept.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def shown(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def trials(shown: dict[str, Any], way: str) -> dict[str, dict[str, Any]]:
    return {trial["vector"]: trial for trial in shown["trials"] if trial["way"] == way}


def contents() -> list[ContentVector]:
    return [one for one in vectors().values() if isinstance(one, ContentVector)]


def test_every_promise_held_and_the_exit_code_says_so(run: Run, shown: dict[str, Any]) -> None:
    assert shown["broken"] == []
    assert shown["held"] is True
    assert run.code == 0


def test_every_vector_was_sent_every_way_that_it_can_be(shown: dict[str, Any]) -> None:
    assert list(trials(shown, "inbound")) == [one.name for one in contents() if one.data]
    assert list(trials(shown, "outbound")) == [one.name for one in contents() if one.content.endswith(b"\r\n")]
    dialogues = [one for one in vectors().values() if isinstance(one, DialogueVector)]
    for way, side in (("session", "client"), ("next hop", "next hop")):
        assert list(trials(shown, way)) == [one.name for one in dialogues if one.side == side]
    sent = {(grid["position"], grid["command"]): grid["sent"] for grid in shown["grids"]}
    data, counted = sum(one.data is not None for one in contents()), len(contents())
    assert sent == {
        **{(position, "DATA"): data for position in ("note", "repair", "refuse")},
        **{(position, "BDAT"): counted for position in ("strangers", "note", "repair", "refuse")},
    }


def test_the_receiver_alone_is_fooled_by_just_what_its_row_says(shown: dict[str, Any]) -> None:
    for way in ("inbound", "outbound"):
        for name, trial in trials(shown, way).items():
            fooled = LENIENT in trials(shown, "inbound").get(name, trial)["fooled"]
            assert bool(trial["alone"]["forged"]) == fooled, (way, name)
    assert trials(shown, "inbound")["lf-dot-crlf"]["alone"] == {"answer": "250 OK", "delivered": 2, "forged": 1}


def test_nothing_is_forged_through_the_gateway(shown: dict[str, Any]) -> None:
    assert [trial["vector"] for trial in shown["trials"] if trial["guarded"]["forged"]] == []
    assert shown["split_alone"] > 20
    assert shown["split_guarded"] == 0


def test_the_gateway_answers_what_the_catalogue_says_by_hand(shown: dict[str, Any]) -> None:
    for vector in contents():
        for way, outcomes, position in (("inbound", vector.data, "strangers"), ("outbound", vector.bdat, "repair")):
            if trial := trials(shown, way).get(vector.name):
                outcome = getattr(outcomes, position)
                assert trial["guarded"]["answer"].startswith(outcome.reply), (way, vector.name)
                assert trial["guarded"]["delivered"] == (outcome.delivered is not None), (way, vector.name)


def test_honest_mail_of_every_kind_comes_through_every_way(shown: dict[str, Any]) -> None:
    found = {(one["way"], one["kind"]): one["broken"] for one in shown["honest"]}
    assert found == {(way, kind): [] for way in ("inbound", "outbound", "maildir") for kind in honest.KINDS}


def test_the_proof_is_of_every_row_that_reads(shown: dict[str, Any]) -> None:
    proof = shown["proof"]
    composed = [*proof["safe"], *proof["within_size"], *proof["unsafe"]]
    assert sorted(composed) == sorted(row.id for row in dialects().values() if row.reader)
    assert proof["broken"] == []
    assert len(proof["not_covered"]) > 3


def test_the_sender_is_a_real_one(shown: dict[str, Any]) -> None:
    assert shown["sender"] == sender.name()
    assert shown["receiver"] == f"aiosmtpd {missing.AIOSMTPD}"


def test_the_picture_in_the_readme_shows_what_is_so(shown: dict[str, Any]) -> None:
    drawn = json.loads(SHOWN.read_text(encoding="utf-8"))
    for way in ("inbound", "outbound", "session", "next hop"):
        today = trials(shown, way)
        for name, trial in trials(drawn, way).items():
            assert _outcome(today[name]) == _outcome(trial), (way, name)


def _outcome(trial: dict[str, Any]) -> tuple[object, ...]:
    guarded = trial["guarded"]
    return trial["fooled"], trial["changed"], guarded["answer"].split()[:2], guarded["delivered"], trial["broken"]


def children(pid: int) -> list[int]:
    """The processes below one, all generations."""
    try:
        below = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []
    return [*below, *(grandchild for child in below for grandchild in children(child))]


def folder_of(pids: list[int]) -> Path:
    """The folder that the programs of a demo were started with."""
    words = b"".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids).decode()
    named = re.search(rf"{FOLDER}/tidewaiter-demo-\w+", words)
    assert named is not None
    return Path(named[0])


def wait_for(there: "subprocess.Popen[str]", count: int) -> list[int]:
    deadline = time.monotonic() + SECONDS
    while len(found := children(there.pid)) < count:
        assert there.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def wait_until_gone(pids: list[int]) -> None:
    """The last of them, multiprocessing's own, leaves when it sees that the demo has left."""
    deadline = time.monotonic() + SECONDS
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


class Terminal:
    """One for a program to run on: a thread reads it, since it holds little."""

    def __init__(self) -> None:
        self._ours, self.theirs = pty.openpty()
        self._read = b""
        self._reader = threading.Thread(target=self._take, daemon=True)
        self._reader.start()

    def _take(self) -> None:
        with suppress(OSError):  # EIO: nobody is on it any more
            while block := os.read(self._ours, 65536):
                self._read += block

    def said(self) -> str:
        """All that was written on it, once nobody is on it."""
        os.close(self.theirs)
        self._reader.join(SECONDS)
        os.close(self._ours)
        return self._read.decode()


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def begun(terminal: Terminal) -> Iterator["subprocess.Popen[str]"]:
    """A demo that is on its way; pytest itself may have been told to be deaf to SIGINT, which is inherited."""
    with subprocess.Popen(
        COMMAND,
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,  # noqa: PLW1509
    ) as process:
        yield process
        process.kill()


def test_control_c_in_the_midst_of_it_stops_everything_and_leaves_nothing(begun: "subprocess.Popen[str]") -> None:
    started = wait_for(begun, 8)
    folder = folder_of(children(begun.pid)[:2])
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=SECONDS)
    assert begun.returncode == 130
    assert "Traceback" not in said
    assert not folder.exists()
    wait_until_gone(started)


def test_what_it_started_leaves_where_it_is_killed_and_can_stop_nobody(begun: "subprocess.Popen[str]") -> None:
    started = wait_for(begun, EVERYBODY)
    folder = folder_of(started[:2])
    begun.kill()
    begun.communicate(timeout=SECONDS)
    wait_until_gone(started)
    shutil.rmtree(folder)  # nobody was left to do it


def test_on_a_terminal_it_stays_up_until_it_is_told_to_end_and_tells_how_to_send(
    begun: "subprocess.Popen[str]", terminal: Terminal
) -> None:
    assert begun.stderr is not None
    lines: list[str] = []
    for line in begun.stderr:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    said = "".join(lines)
    port = said.partition("swaks --server 127.0.0.1 --port ")[2].split()[0]
    folder = Path(said.partition("removes ")[2].strip().rstrip("."))
    behind = {*(folder / "behind/new").iterdir()}
    mail = Mail("you@outside.example", "rcpt@inside.test", b"Subject: still there\r\n\r\nhello\r\n")
    program = sender.curl_program()
    words = ["-sS", f"smtp://127.0.0.1:{port}/x.test", "--mail-from", mail.sender, "--mail-rcpt", mail.recipient]
    if program:
        subprocess.run([program, "-q", *words, "-T", "-"], input=mail.content, check=True, timeout=SECONDS)
        [new] = {*(folder / "behind/new").iterdir()} - behind
        assert new.read_bytes().endswith(mail.content)
    started = children(begun.pid)
    begun.send_signal(signal.SIGINT)
    begun.communicate(timeout=SECONDS)
    assert begun.returncode == 0
    assert json.loads(terminal.said())["held"] is True
    assert not folder.exists()
    wait_until_gone(started)


def test_what_it_needs_is_said_in_one_line_where_it_is_missing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'aiosmtpd' else find(name, *rest)\n",
        encoding="utf-8",
    )
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [*COMMAND, "--lang", "en"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "tidewaiter: the demo needs aiosmtpd: pip install 'tidewaiter[demo]', or make demo"
    ]
