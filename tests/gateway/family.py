"""A supervisor with its children, run for a test: real processes, on ports that the kernel chose."""

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from tests.gateway.conserved import assert_conserved

HERE = Path(__file__).parent
SECONDS = 120.0  # only a failure is waited for this long
STAND_IN = (sys.executable, HERE / "run_stand_in.py")

CONFIGURATION = """\
hostname = "mx.tidewaiter.test"
[store]
path = "state"
[workers]
count = 2
{workers}
[metrics]
address = "127.0.0.1:0"
[[listener]]
address = "127.0.0.1:0"
role = "inbound"
[[route]]
domains = ["inside.test"]
next_hop = "maildir:mail"
"""


class Client:
    """One connection to a stand-in worker."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=SECONDS)
        self._file = self.socket.makefile("rb")
        generation, index, pid, total, self.hostname = self._file.readline().decode().split()
        self.generation, self.index, self.pid, self.total = int(generation), int(index), int(pid), int(total)

    def ask(self, order: str) -> str:
        self.socket.sendall(order.encode() + b"\n")
        return self._file.readline().decode().strip()

    def is_cut(self) -> bool:
        try:
            return self._file.readline() == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Family:
    """Started by `with`; ended, whatever happens, at its end.

    Then no child is left, no file lies in the spool, and the log holds no `fault` but those whose reasons or
    tracebacks hold one of `faults`.
    """

    def __init__(
        self,
        folder: Path,
        workers: str = "",
        environment: dict[str, str] | None = None,
        command: Sequence[str | Path] = STAND_IN,
        faults: Sequence[str] = (),
    ) -> None:
        self._command = command
        self._faults = faults
        self.folder = folder
        self.file = folder / "tidewaiter.toml"
        if not self.file.exists():
            self.file.write_text(CONFIGURATION.format(workers=workers))
        self._environment = os.environ | (environment or {})
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            [*self._command, self.file],
            stderr=subprocess.PIPE,
            env=self._environment,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(SECONDS)
        self._reader.join(SECONDS)  # the pipe ends when the last child has left
        assert not self._reader.is_alive(), "a child has outlived the supervisor"
        assert self.process.stderr is not None
        self.process.stderr.close()
        while not self._lines.empty():
            with suppress(ValueError):  # the end of a line that nobody finished
                self.events.append(json.loads(self._lines.get()))
        if failure is None:
            assert_conserved(self.folder, self.events, self._faults)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(b"")

    def _next_line(self) -> bytes:
        try:
            return self._lines.get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError(f"nothing more came; the last events: {self.events[-5:]}") from None

    def wait_for(self, event: str, condition: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """The next log line with that event; earlier ones are kept in `events`."""
        while line := self._next_line():
            try:
                found: dict[str, Any] = json.loads(line)
            except ValueError:
                raise AssertionError(f"not a log line: {line!r}") from None
            self.events.append(found)
            if found["event"] == event and condition(found):
                return found
        raise AssertionError(f"no {event!r} came; the last events: {self.events[-5:]}")

    def last_words(self) -> list[dict[str, Any]]:
        """Stop it, and give every event that was not waited for."""
        self.signal(signal.SIGTERM)
        assert self.exit_code() == 0
        last = [json.loads(line) for line in iter(self._next_line, b"")]
        self.events += last
        return last

    def pid_of(self, module: str) -> int:
        """The child that runs that module, waiting for there to be one."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        while True:
            for child in children.read_text().split():
                with suppress(FileNotFoundError, ProcessLookupError):
                    if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes():
                        return int(child)

    def serving(self) -> Self:
        """Wait until all serve."""
        found = self.wait_for("serving")
        self.address = tuple(found["addresses"][0])
        self.pages = tuple(found["pages"][0])
        return self

    def connect(self) -> Client:
        return Client(self.address)

    def get(self, path: str) -> tuple[int, bytes]:
        """A page of the clerk's."""
        with socket.create_connection(self.pages, timeout=SECONDS) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), body

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def exit_code(self) -> int:
        return self.process.wait(SECONDS)


@contextmanager
def serving(folder: Path, workers: str = "", **options: Any) -> Iterator[Family]:
    """A family, once all its workers are ready; `options` are those of `Family`."""
    with Family(folder, workers, **options) as family:
        yield family.serving()


_IN_THE_OPEN = """
hidden=$1 aside=$2; shift 2
mount --bind "$hidden" "$aside" && mount -t tmpfs -o mode=755 none "$hidden" || exit
while [ "$1" != -- ]; do
    mkdir -p "$1" && mount --bind "$aside${1#"$hidden"}" "$1" || exit
    shift
done
shift; exec "$@"
"""


def in_the_open(aside: Path) -> list[str]:
    """A prefix for commands by which any user can read this Python, even where it lies in root's home.

    In a mount namespace that ends with the command.
    """
    trees = [Path(tree).resolve() for tree in (sys.base_prefix, sys.prefix, HERE.parents[1])]
    hidden = [folder for tree in trees for folder in (*tree.parents, tree) if not folder.stat().st_mode & 0o001]
    if not hidden:
        return []
    top = min(hidden, key=lambda folder: len(folder.parts))
    within = [str(tree) for tree in trees if top in (*tree.parents, tree)]
    return ["unshare", "--mount", "sh", "-c", _IN_THE_OPEN, "sh", str(top), str(aside), *within, "--"]
