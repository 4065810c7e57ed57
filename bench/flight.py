"""A hundred messages of 25 MB at once: how much memory does it take to have them all in flight?"""

import subprocess
import time
from typing import Final

from bench.load import SECONDS, Load
from bench.stage import Measured

LOAD: Final = Load(messages=100, sessions=100, size=25 * 1024 * 1024)
_LOOK_SECONDS: Final = 0.2


def growth_bytes(peer: Measured) -> int:
    """Send them, look at the memory now and then, and give the most above what it was."""
    before = most = peer.pss_bytes()
    deadline = time.monotonic() + SECONDS
    with subprocess.Popen(LOAD.words(peer.port), stderr=subprocess.PIPE) as sending:
        while sending.poll() is None and time.monotonic() < deadline:
            most = max(most, peer.pss_bytes())
            time.sleep(_LOOK_SECONDS)
        if sending.poll() is None:
            sending.kill()
            raise TimeoutError(peer.name)
        if sending.returncode:
            raise RuntimeError(sending.stderr.read() if sending.stderr else "")
    return most - before
