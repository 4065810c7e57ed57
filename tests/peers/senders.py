"""How real senders are made to send: each is opened towards one port, then called once a message.

A sender is given the content as a user would give it; what it makes of its line ends is its own affair.
"""

from __future__ import annotations

import base64
import json
import smtplib
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.peers.boot import HOST
from tests.peers.cache import PeerError
from tests.peers.commands import run
from tests.peers.debian import Root
from tests.peers.node import PROGRAMS, modules, node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.peers.peer import Peer

REVERSE_PATH = "user@src.test"
FORWARD_PATHS = ("rcpt@sink.test",)
WITHIN = 30.0

CURL_VERSION, SWAKS_VERSION = "7.88.1", "20201014.0"
CLIENTS = Root("clients", (f"curl={CURL_VERSION}", f"swaks={SWAKS_VERSION}"))


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one message, as its sender says."""

    accepted: bool
    text: str


@dataclass(frozen=True, slots=True)
class Send:
    """Sends a message and waits for the outcome."""

    deliver: Callable[[bytes, str, Sequence[str]], Sent]

    def __call__(
        self,
        message: bytes,
        *,
        reverse_path: str = REVERSE_PATH,
        forward_paths: Sequence[str] = FORWARD_PATHS,
    ) -> Sent:
        """Send `message` from `reverse_path` to `forward_paths`."""
        return self.deliver(message, reverse_path, forward_paths)


@contextmanager
def curl(port: int, *options: str) -> Iterator[Send]:
    """Open curl, which passes line ends on as they are; its option `--crlf` makes CRLF of each LF."""

    def deliver(message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> Sent:
        words = ["curl", "-sS", f"smtp://{HOST}:{port}/inside.test", "--mail-from", reverse_path]
        words += [word for path in forward_paths for word in ("--mail-rcpt", path)]
        return _outcome(["chroot", CLIENTS.path(), *words, *options, "-T", "-"], message)

    yield Send(deliver)


@contextmanager
def swaks(port: int) -> Iterator[Send]:
    """Open swaks, which reads the content as lines of text and takes a last lone dot for the end."""

    def deliver(message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> Sent:
        words = ["swaks", "--server", HOST, "--port", port, "--helo", "inside.test", "--silent", 1]
        words += ["--from", reverse_path, "--to", ",".join(forward_paths), "--data", "-"]
        return _outcome(["chroot", CLIENTS.path(), *words], message)

    yield Send(deliver)


def _outcome(words: Sequence[object], message: bytes) -> Sent:
    try:
        said = run(words, stdin=message, within=WITHIN)
    except PeerError as error:
        return Sent(accepted=False, text=str(error))
    return Sent(accepted=True, text=said.decode(errors="replace"))


@contextmanager
def python(port: int, *, text: bool) -> Iterator[Send]:
    """Open Python's smtplib with the content as bytes, or as text, of which it takes ASCII alone."""

    def deliver(message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> Sent:
        content = message.decode("latin-1") if text else message
        try:
            with smtplib.SMTP(HOST, port, local_hostname="inside.test", timeout=WITHIN) as client:
                client.sendmail(reverse_path, list(forward_paths), content)
        except (OSError, UnicodeError) as error:  # every error of smtplib is an OSError
            return Sent(accepted=False, text=repr(error))
        return Sent(accepted=True, text="")

    yield Send(deliver)


def request(message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> str:
    """Give the line by which our JavaScript programs are asked to send."""
    raw = base64.b64encode(message).decode()
    return json.dumps({"from": reverse_path, "to": list(forward_paths), "raw": raw}) + "\n"


def nodemailer_folder(version: str) -> Path:
    """Give the folder whose `node_modules` holds `version`."""
    return modules(f"nodemailer-{version}", "nodemailer", version)


@contextmanager
def nodemailer(port: int, version: str) -> Iterator[Send]:
    """Open Nodemailer with the content as a Buffer; one process sends all messages."""
    folder = nodemailer_folder(version) / "node_modules"
    words = [str(word) for word in (node(), PROGRAMS / "nodemailer_send.js", folder, port)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:

        def deliver(message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> Sent:
            assert program.stdin is not None
            assert program.stdout is not None
            program.stdin.write(request(message, reverse_path, forward_paths))
            program.stdin.flush()
            return Sent(**json.loads(program.stdout.readline()))

        yield Send(deliver)


@contextmanager
def command(booted: AbstractContextManager[Peer], *words: str) -> Iterator[Send]:
    """Open the sendmail command of a relay; a message was sent when the relay's queue is empty again."""
    with booted as peer:

        def deliver(message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> Sent:
            try:
                peer.running.run_inside([*words, "-i", "-f", reverse_path, *forward_paths], message)
            except PeerError as error:
                return Sent(accepted=False, text=str(error))
            return when_emptied(peer)

        yield Send(deliver)


def when_emptied(peer: Peer) -> Sent:
    """Give the outcome for a sender with a queue: it sent all when nothing is left there."""
    try:
        peer.deliveries(within=WITHIN)
    except PeerError as error:
        return Sent(accepted=False, text=str(error))
    return Sent(accepted=True, text="")
