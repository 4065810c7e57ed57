"""How long does a client wait for its reply? Ten sessions send one message after another at a given rate.

Run as a process of its own, so that neither the load nor the peer shares its interpreter.
"""

import json
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from io import BufferedReader
from typing import Final

SESSIONS: Final = 10
CONTENT: Final = b"Subject: probe\r\n\r\n" + (b"x" * 70 + b"\r\n") * 56 + b".\r\n"
_DIALOGUE: Final = (b"MAIL FROM:<p@src.example>\r\n", b"RCPT TO:<b@sink.example>\r\n", b"DATA\r\n", CONTENT)


def percentile(values: Sequence[float], part: float) -> float:
    """Give the value below which `part` of all lie."""
    ordered = sorted(values)
    return ordered[min(math.ceil(part * len(ordered)), len(ordered)) - 1]


def probe(port: int, seconds: float, rate: float) -> list[float]:
    """Send `rate` messages a second in all, evenly, for so many seconds; give the time of each."""
    took: list[float] = []
    threads = [
        threading.Thread(target=_session, args=(port, seconds, SESSIONS / rate, number * 1 / rate, took))
        for number in range(SESSIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def _session(port: int, seconds: float, every: float, late: float, took: list[float]) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        file = connection.makefile("rb")
        _reply(file)
        connection.sendall(b"EHLO src.example\r\n")
        _reply(file)
        begin = time.perf_counter() + late
        due = begin
        while due < begin + seconds:
            time.sleep(max(0.0, due - time.perf_counter()))
            # What was due is what is timed: a peer that stalls delays the next message too, and that counts.
            for part in _DIALOGUE:
                connection.sendall(part)
                reply = _reply(file)
                if reply[:1] not in b"23":
                    raise SystemExit(f"refused: {reply!r}")
            took.append(time.perf_counter() - due)
            due += every


def _reply(file: BufferedReader) -> bytes:
    while True:
        line = file.readline()
        if line[3:4] != b"-":
            return line


def run(port: int, seconds: float, rate: float) -> list[float]:
    """Probe from a process of its own."""
    words = [sys.executable, "-m", "bench.probe", str(port), str(seconds), str(rate)]
    done = subprocess.run(words, check=True, capture_output=True, timeout=seconds + 60)
    times: list[float] = json.loads(done.stdout)
    return times


if __name__ == "__main__":
    json.dump(probe(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])), sys.stdout)
