"""sd_notify(3): tells systemd that we are ready, reloading or stopping, and that we live."""

import os
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress

READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"

_PATIENCE_SECONDS = 1.0


def reloading() -> str:
    """The message that a reload has begun; systemd wants to know since when."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}"


class Notifier:
    """Speaks to the service manager where there is one, and is silent where there is not."""

    def __init__(self, environment: MutableMapping[str, str]) -> None:
        """Take `NOTIFY_SOCKET` and `WATCHDOG_USEC` out of the environment: they are not for children."""
        self._address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        meant_for_us = environment.pop("WATCHDOG_PID", "") in {"", str(os.getpid())}
        self.watchdog_seconds = int(microseconds) / 1e6 if meant_for_us and microseconds.isdigit() else None
        """How often `alive` must be heard at least; None if nobody waits for it."""
        self._next_alive = 0.0

    def say(self, *messages: str) -> None:
        """Send messages; a service manager that does not take them is no reason to stop."""
        self._send("\n".join(messages), _PATIENCE_SECONDS)

    def alive(self) -> None:
        """Say that we live, if somebody waits for it and it is time; never waits itself."""
        now = time.monotonic()
        if self.watchdog_seconds is not None and now >= self._next_alive:
            self._next_alive = now + self.watchdog_seconds / 3
            self._send(WATCHDOG, 0.0)

    def _send(self, message: str, patience: float) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager, suppress(OSError):
            manager.settimeout(patience)
            manager.sendto(message.encode(), address)
