"""One thread for all file work of a worker, so that a slow disk delays messages and never the loop.

Work is done in the order in which it was given: what was appended before a read is seen by it.
"""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from queue import SimpleQueue
from typing import Final, NamedTuple, TypeVar

Result = TypeVar("Result")
Then = Callable[[Result | Exception], None]
"""Called on the loop with what the work returned, or with the exception that it raised."""


class _Task(NamedTuple):
    work: Callable[[], object]
    then: Callable[..., None]


_END: Final = None


class FileThread:
    """The thread and its queue; made and used on the loop's own thread."""

    __slots__ = ("_loop", "_tasks", "_thread")

    def __init__(self, loop: AbstractEventLoop) -> None:
        """Start the thread."""
        self._loop = loop
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="files", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], Result], then: Then[Result]) -> None:
        """Do `work` in the thread, then call `then` on the loop."""
        self._tasks.put(_Task(work, then))

    def close(self) -> None:
        """Wait until all work that was given is done, then end the thread."""
        self._tasks.put(_END)
        self._thread.join()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not _END:
            result = _outcome(task.work)
            try:
                self._loop.call_soon_threadsafe(task.then, result)
            except RuntimeError:
                # The loop was closed under us: nobody is left to hear it.
                return


def _outcome(work: Callable[[], object]) -> object:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - it is handed to whoever asked, who knows what it means
        return error
