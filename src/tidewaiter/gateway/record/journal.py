r"""Log lines: JSON, one to a line, in UTF-8, and never a reason for mail to wait.

What people write in their own letters can be read, as a name in an address. But no input can add a line, or anything
that a viewer takes for one: whatever is not printable is written as `\u…`, so that U+2028, U+0085, a bidirectional
override or an escape sequence stays a text of six harmless characters.
A reader that does not keep up (a pipe that is full, a full disk) costs lines, which are counted and owned up to, and
nothing else.
"""

import fcntl
import json
import os
import re
import stat
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog

QUEUE_LINES = 10_000
"""Lines kept for a reader that does not keep up."""
RETRY_SECONDS = 0.2

_PIPE_BYTES = 4096  # PIPE_BUF: what a pipe takes whole, unmixed with other writers' lines
_PIPE_ROOM = 1 << 20  # so that a longer line is seldom taken in two parts, with another's between them
_FILE_BYTES = 1 << 20


def encode(value: object) -> bytes:
    """Return a value as one line of JSON, without its newline: of printable characters, and of nothing else."""
    try:
        line = msgspec.json.encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 cannot say
        return _escaped(value)
    if line.isascii() and b"\x7f" not in line:
        return line
    text = line.decode()
    return line if text.isprintable() else _UNPRINTABLE.sub(_escape, text).encode()


def _escaped(value: object) -> bytes:
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=True, separators=(",", ":"))
    return text.replace("\x7f", "\\u007f").encode("ascii")


def _escape(found: re.Match[str]) -> str:
    """Write characters as JSON does, but for those that are printable (`str.isprintable`: no control, no format)."""
    letters = (letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in found[0])
    return "".join(letters).replace("\x7f", "\\u007f")


_UNPRINTABLE: Final = re.compile(r"[\x7f-\U0010ffff]+")


def open_log(file: str | None) -> int:
    """Return a descriptor for `Journal` that never blocks: a file, or standard error.

    :raises OSError: if the file cannot be opened for appending.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    if file is not None:
        return os.open(file, flags | os.O_CREAT, 0o640)
    try:
        # Opened anew, because O_NONBLOCK on a duplicate would also change our parent's terminal.
        descriptor = os.open("/proc/self/fd/2", flags)
    except OSError:  # a socket, as systemd's, or a pipe that another user has made for us
        os.set_blocking(2, False)
        return os.dup(2)
    with suppress(OSError):  # no pipe, or the system allows less
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_ROOM)
    return descriptor


class Journal:
    """Writes lines to one descriptor; the only thing that does so in its process."""

    def __init__(self, descriptor: int, soon: Callable[[Callable[[], None]], object]) -> None:
        """Write to a descriptor from `open_log`.

        :param soon: calls a function at the end of this turn of the loop, so that the lines of
            one turn are one write; where there is no loop, `call_now`.
        """
        self._descriptor = descriptor
        self._soon = soon
        is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._most = _FILE_BYTES if is_file else _PIPE_BYTES
        self._lines: list[bytes] = []
        self._rest = b""  # of a chunk that the reader took only in part
        self._flushing = False
        self.dropped = 0
        """Lines lost since the last line that owned up to it."""
        self.dropped_total = 0

    def write(self, line: bytes) -> None:
        """Queue one line, given without its newline and without any newline in it."""
        if len(self._lines) >= QUEUE_LINES:
            self.dropped += 1
            self.dropped_total += 1
            return
        self._lines.append(line)
        if not self._flushing:
            self._flushing = True
            self._soon(self.flush)

    @property
    def waiting(self) -> bool:
        """Whether something is left that the reader did not take: flush again later."""
        return bool(self._lines or self._rest)

    def flush(self) -> None:
        """Write what the descriptor takes now."""
        self._flushing = False
        while self.waiting:
            chunk = self._rest or self._chunk()
            written = self._write(chunk)
            self._rest = chunk[written:]
            if self._rest:
                return
        if self.dropped:
            lost, self.dropped = self.dropped, 0
            self.write(encode({"event": "log lines dropped", "count": lost}))

    def _chunk(self) -> bytes:
        """As many whole lines as are written at once, and one at least; they are no longer queued."""
        length = count = 0
        for line in self._lines:
            if count and length + len(line) + 1 > self._most:
                break
            length += len(line) + 1
            count += 1
        chunk = b"\n".join(self._lines[:count]) + b"\n"
        del self._lines[:count]
        return chunk

    def _write(self, chunk: bytes) -> int:
        try:
            return os.write(self._descriptor, chunk)
        except OSError:  # it may be better the next time; else lines are dropped, and counted
            return 0


def call_now(call: Callable[[], None]) -> None:
    """Stand in for a loop where there is none: every line is written at once."""
    call()


def logger(journal: Journal, **bound: object) -> structlog.typing.FilteringBoundLogger:
    """Return a logger whose events are lines of the journal, each with what is bound here."""
    wrapped: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        _Lines(journal),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )
    return wrapped.bind(**bound)


def tell_faults(loop: AbstractEventLoop, log: structlog.typing.FilteringBoundLogger) -> None:
    """Make every exception that no callback caught a line like any other, and not a traceback over many."""

    def tell(_: AbstractEventLoop, context: dict[str, Any]) -> None:
        log.error("fault", reason=context["message"], exc_info=context.get("exception"))

    loop.set_exception_handler(tell)


def _as_line(_: object, __: str, event: structlog.typing.EventDict) -> bytes:
    return encode({"event": event.pop("event"), **event})


class _Lines:
    """What structlog calls a logger: a method for each level."""

    def __init__(self, journal: Journal) -> None:
        self.info = self.warning = self.error = self.critical = self.exception = journal.write
