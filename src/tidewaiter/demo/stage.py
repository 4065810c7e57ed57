"""The programs of the show and what they stand on: one folder, loopback ports that the kernel chose, nothing else.

Each program is started in a session of its own, so that Ctrl-C reaches this process alone, which stops them by their
ids. The gateway is `tidewaiter run`, as it would guard real mail.
"""

import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from tidewaiter.demo import certificate
from tidewaiter.demo.configuration import HOSTNAME, POSITIONS, configuration
from tidewaiter.demo.hop import Hop, hops
from tidewaiter.demo.leaving import leave_with
from tidewaiter.demo.mailbox import Kept, Mailbox
from tidewaiter.gateway.mail.received import FIELD_LIMIT
from tidewaiter.i18n import _
from tidewaiter.model.vector import DialogueVector

Process = asyncio.subprocess.Process
Ready = TypeVar("Ready")

FOLDER: Final = "/var/tmp"  # noqa: S108 - a folder of our own is made in it; /tmp may be a tmpfs, where no spool may lie
PIPE: Final = asyncio.subprocess.PIPE
CERTIFICATE: Final = "certificate.pem"
CONFIGURATION: Final = "tidewaiter.toml"
LOG: Final = "gateway.log"
ERRORS: Final = "gateway.errors"
START_SECONDS: Final = 120
STOP_SECONDS: Final = 30


class StageError(Exception):
    """A program did not come up; the text is one line."""


@dataclass(slots=True)
class Receiver:
    """A lenient receiver as it runs."""

    port: int
    mail: Mailbox
    _ended: asyncio.StreamReader
    """A line for each connection that has ended."""

    async def settled(self) -> tuple[Kept, ...]:
        """Wait until one more connection has ended, and give what was kept."""
        async with asyncio.timeout(START_SECONDS):
            await self._ended.readline()
        return self.mail.fresh()


@dataclass(frozen=True, slots=True)
class Stage:
    """Where everything is."""

    folder: Path
    alone: Receiver
    """The receiver without the gateway."""
    mail: Mailbox
    """What a second copy of it kept, behind the gateway."""
    inbound: dict[str, int]
    """The ports of the gateway's listeners by position."""
    outbound: int
    hops: tuple[Hop, ...]
    written: Mailbox
    """What the gateway itself wrote into a Maildir."""

    def complaints(self) -> tuple[str, ...]:
        """What the gateway wrote on standard error: it has a log for what it has to say, so each line is a fault."""
        return tuple((self.folder / ERRORS).read_text(encoding="utf-8", errors="replace").splitlines())


@asynccontextmanager
async def standing(size_limit: int, vectors: Iterable[DialogueVector] = ()) -> AsyncIterator[Stage]:
    """Start everything, and stop it: the gateway takes messages of up to `size_limit` octets.

    `vectors` are those that a next hop of their own plays.
    """
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="tidewaiter-demo-", dir=FOLDER))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        certificate.write(folder / CERTIFICATE, HOSTNAME)
        # The gateway offers what its next hop takes, less the room for its own Received.
        alone = await stack.enter_async_context(_receiver(folder, "alone", size_limit))
        behind = await stack.enter_async_context(_receiver(folder, "behind", size_limit + FIELD_LIMIT))
        playing = await stack.enter_async_context(hops(vectors))
        text = configuration(behind.port, {hop.domain: hop.port for hop in playing})
        *inbound, outbound = await stack.enter_async_context(_gateway(folder, text))
        ports = dict(zip(POSITIONS, inbound, strict=True))
        yield Stage(folder, alone, behind.mail, ports, outbound, playing, Mailbox(folder / "maildir"))


@asynccontextmanager
async def _receiver(folder: Path, name: str, limit: int) -> AsyncIterator[Receiver]:
    """Run the lenient receiver, which says its port once it listens."""
    words = ("tidewaiter.demo.receiver", str(folder / name), str(folder / CERTIFICATE), str(limit))
    async with _running(folder / f"{name}.errors", *words) as process:
        assert process.stdout is not None
        port = await _once_ready(process, process.stdout.readline(), folder / f"{name}.errors")
        yield Receiver(int(port), Mailbox(folder / name), process.stdout)


@asynccontextmanager
async def _gateway(folder: Path, text: str) -> AsyncIterator[list[int]]:
    """Run the gateway, and give the ports of its listeners; it says that it is ready as to systemd (sd_notify(3))."""
    (folder / CONFIGURATION).write_text(text, encoding="utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(folder / "notify"))
        notified.setblocking(False)  # noqa: FBT003 - it has no name for it
        words = ("tidewaiter", "run", "--config", str(folder / CONFIGURATION))
        async with _running(folder / ERRORS, *words, NOTIFY_SOCKET=str(folder / "notify")) as process:
            await _once_ready(process, _heard(notified), folder / ERRORS)
            yield _ports(folder / LOG)


async def _heard(notified: socket.socket) -> None:
    while b"READY=1" not in await asyncio.get_running_loop().sock_recv(notified, 4096):
        pass


def _ports(log: Path) -> list[int]:
    """Read where it listens from what it logged when it began to serve."""
    events = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    return next([port for _, port in event["addresses"]] for event in events if event["event"] == "serving")


@asynccontextmanager
async def _running(errors: Path, *words: str, **environment: str) -> AsyncIterator[Process]:
    """Run a module of ours, which is stopped by its id, and leaves by itself where we are killed."""
    with errors.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *words, stdin=PIPE, stdout=PIPE, stderr=file,
            env=os.environ | environment, start_new_session=True,
            preexec_fn=partial(leave_with, os.getpid()),
        )  # fmt: skip
    try:
        yield process
    finally:
        await _stop(process)


async def _stop(process: Process) -> None:
    """Ask it to leave, and end it where it does not; its children leave with it."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


async def _once_ready(process: Process, ready: Coroutine[None, None, Ready], errors: Path) -> Ready:
    """Wait for `ready`; raise StageError where the process leaves first, or the time is up."""
    waiting, leaving = asyncio.create_task(ready), asyncio.create_task(process.wait())
    await asyncio.wait((waiting, leaving), timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if not waiting.done() or process.returncode is not None:
        waiting.cancel()
        raise StageError(_("a program of the demo did not start: {reason}").format(reason=_last_line(errors)))
    return waiting.result()


def _last_line(errors: Path) -> str:
    return "".join(errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:])
