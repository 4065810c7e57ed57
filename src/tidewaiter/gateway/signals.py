"""Signals as numbers to be read, one after the other, where a loop that waits can see them."""

import os
import signal

WATCHED = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)


class Signals:
    """From now on the watched signals do nothing but make `descriptor` readable."""

    def __init__(self) -> None:
        """Take over the signals; `close` gives them back."""
        self.descriptor, self._write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._before = {number: signal.signal(number, _nothing) for number in WATCHED}
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)

    def take(self) -> list[int]:
        """The signals that came since the last call."""
        try:
            return list(os.read(self.descriptor, 4096))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self.descriptor)
        os.close(self._write_end)


def _nothing(*_: object) -> None:
    """A handler has to be there, or the signal would not reach the pipe."""
