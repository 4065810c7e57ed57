"""Signals as numbers to be read, one after the other, where a loop that waits can see them.

The descriptor wakes, and no more: a byte that the kernel does not take is no signal lost.
"""

import os
import signal
from contextlib import suppress

WATCHED = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Signals:
    """From now on the watched signals do nothing but make `descriptor` readable."""

    def __init__(self) -> None:
        """Take over the signals; `close` gives them back."""
        self._came: list[int] = []
        self.descriptor, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before = {number: signal.signal(number, self._note) for number in WATCHED}
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)

    def take(self) -> list[int]:
        """The signals that came since the last call."""
        with suppress(OSError):
            os.read(self.descriptor, 4096)
        return self._noted()

    def _noted(self) -> list[int]:
        """Give the numbers; a function of its own, since Python calls the handlers of what has woken us at its door."""
        came, self._came = self._came, []
        return came

    def _note(self, number: int, _: object) -> None:
        self._came.append(number)

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.descriptor)
        os.close(self._write_end)
