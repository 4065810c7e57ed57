"""Nothing of the demo outlives it, also where it is killed and can stop nobody: the kernel tells its children.

PR_SET_PDEATHSIG (prctl(2)) is kept across execve and not inherited by a fork, so each program asks for itself.
"""

import ctypes
import os
import signal
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PRCTL: Final = ctypes.CDLL(None).prctl  # looked up here: between fork and exec nothing may be loaded


def leave_with(parent: int) -> None:
    """Ask, in a child of `parent`, to be told to leave when it is gone."""
    _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it was gone before we could ask
        signal.raise_signal(signal.SIGTERM)
