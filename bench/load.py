"""How load is made: Postfix's own smtp-source, which costs less than anything we could write."""

import subprocess
import time
from dataclasses import dataclass

from bench.stage import Measured
from tests.peers import postfix

SECONDS = 300.0
SETTLE_SECONDS = 0.5
"""What a peer still does behind its last reply, as writing its record, is its work too."""


@dataclass(frozen=True, slots=True)
class Load:
    """One call of smtp-source."""

    messages: int
    sessions: int
    size: int
    many: bool = False
    """Many messages a connection, else one."""

    def words(self, port: int) -> list[str]:
        """Give the command."""
        numbers = ["-s", str(self.sessions), "-l", str(self.size), "-m", str(self.messages)]
        envelope = ["-M", "src.example", "-f", "a@src.example", "-t", "b@sink.example"]
        return [
            *postfix.command("smtp-source"),
            *(["-d"] if self.many else []),
            *numbers,
            *envelope,
            f"127.0.0.1:{port}",
        ]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one round gave."""

    seconds: float
    cpu_seconds: float
    """CPU of the peer, for all messages."""


def run(load: Load, peer: Measured) -> Measurement:
    """Send it all to `peer`, one round."""
    cpu = peer.cpu_seconds()
    start = time.perf_counter()
    subprocess.run(load.words(peer.port), check=True, timeout=SECONDS, capture_output=True)
    seconds = time.perf_counter() - start
    time.sleep(SETTLE_SECONDS)
    return Measurement(seconds, peer.cpu_seconds() - cpu)
