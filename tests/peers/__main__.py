"""Prepare every program that can run here, and list the peers: `python -m tests.peers`.

Ends with 1 when a program that should run here could not be prepared; what is left out is said, with its reason.
"""

from __future__ import annotations

import sys
import time

from tests.peers.cache import PeerError, home
from tests.peers.registry import PEERS, PROGRAMS, Program


def main() -> int:
    """Prepare, list, and say how it went."""
    print(f"Real mail programs, unpacked under {home()}", flush=True)
    failed = [name for name, program in PROGRAMS.items() if not prepare(name, program)]
    for kind, names in PEERS.items():
        print(f"{kind}s: {', '.join(names)}")
    for name in failed:
        print(f"FAILED: {name}")
    return 1 if failed else 0


def prepare(name: str, program: Program) -> bool:
    """Prepare one program; say how long it took, or why it is left out."""
    print(f"  {name:<22}{program.version:<14}", end="", flush=True)
    started = time.monotonic()
    if reason := program.why_not():
        print(f"left out: {reason}")
        return True
    try:
        program.prepare()
    except PeerError as error:
        print(f"failed: {error}")
        return False
    print(f"ready after {time.monotonic() - started:.1f} s")
    return True


if __name__ == "__main__":
    sys.exit(main())
