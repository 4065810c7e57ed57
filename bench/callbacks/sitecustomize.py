"""Notes the longest callback of each process of a gateway, because Python imports a `sitecustomize` by itself.

A loop calls us through the methods below; what it calls besides (coroutines that open a connection, do a handshake or
ask the examiner) touches no message.
Each is timed by its thread's CPU, for a machine that is busy with attackers takes the turn away in the midst of a call,
and a new maximum is written to a file named after the process, in the folder that `CALLBACKS` names.
"""

import os
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, Final

_PROTOCOL: Final = ("connection_made", "data_received", "eof_received", "connection_lost", "pause_writing")
CALLED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "tidewaiter.gateway.mail.session": {"Session": (*_PROTOCOL, "resume_writing", "_greet")},
    "tidewaiter.delivery.connection": {"Connection": (*_PROTOCOL[:2], *_PROTOCOL[3:], "resume_writing")},
    "tidewaiter.delivery.pool": {"Pool": ("_tick", "_steal", "_opened")},
    "tidewaiter.net.deadline": {"Watch": ("_look",), "Deadline": ("judge",)},
    "tidewaiter.store.spool": {"Spool": ("_spilled",), "SpoolRoom": ("_seen",)},
    "tidewaiter.delivery.outgoing": {"Outgoing": ("_have",)},
    "tidewaiter.gateway.mail.turns": {"Turns": ("_next",)},
    "tidewaiter.gateway.record.recorder": {"Recorder": ("_tick",)},
    "tidewaiter.gateway.processes.link": {"Link": ("_read", "_beat")},
    "tidewaiter.gateway.record.outbox": {"Outbox": ("flush", "_read")},
    "tidewaiter.gateway.record.journal": {"Journal": ("flush",)},
}
"""What a loop calls: the methods of protocols, timers, and answers of the file thread."""


class Longest:
    """The longest so far, as a line in a file."""

    def __init__(self, folder: Path) -> None:
        """Start with none."""
        self._file = folder / str(os.getpid())
        self._seconds = 0.0
        self._within = False

    def timed(self, called: Callable[..., Any]) -> Callable[..., Any]:
        """Give `called` with its time noted; what it calls in turn is within it."""

        @wraps(called)
        def call(*words: object) -> object:
            if self._within:
                return called(*words)
            self._within = True
            before = time.thread_time()
            try:
                return called(*words)
            finally:
                self._within = False
                if (took := time.thread_time() - before) > self._seconds:
                    self._seconds = took
                    self._file.write_text(f"{took} {called.__qualname__}\n", encoding="ascii")

        return call


def _watch(folder: Path) -> None:
    longest = Longest(folder)
    for module, classes in CALLED.items():
        for name, methods in classes.items():
            found = getattr(import_module(module), name)
            for method in methods:
                setattr(found, method, longest.timed(getattr(found, method)))


if "CALLBACKS" in os.environ:
    _watch(Path(os.environ["CALLBACKS"]))
