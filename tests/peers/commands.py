"""How a preparing command is run, so that its failure says what went wrong."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from tests.peers.cache import PeerError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TAIL = 2000


def run(
    argv: Sequence[object],
    *,
    stdin: bytes = b"",
    cwd: Path | None = None,
    within: float = 300.0,
    **environment: str,
) -> bytes:
    """Run `argv` and give its standard output; raise `PeerError` with its last words if it fails."""
    words = [str(word) for word in argv]
    try:
        with tempfile.TemporaryFile() as given:
            # A file and not a pipe, which would hand the program its input in pieces cut by chance.
            given.write(stdin)
            given.seek(0)
            done = subprocess.run(
                words,
                stdin=given,
                cwd=cwd,
                timeout=within,
                capture_output=True,
                check=False,
                env=os.environ | environment,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerError(f"{words[0]}: {error}") from error
    if done.returncode:
        said = (done.stderr or done.stdout)[-TAIL:].decode(errors="replace")
        raise PeerError(f"{' '.join(words)} ended with {done.returncode}: {said}")
    return done.stdout
