"""What the record of a message costs: its line in the log, its row in the store, its counters. Prints µs of CPU.

In the worker: 15 at most. Then in the clerk, a process of its own.
"""

import asyncio
import os
import statistics
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from socket import AF_UNIX, socket
from typing import cast

import uvloop

from tests.gateway.inside import alone
from tidewaiter.gateway.processes.handover import CLERK_SOCKET
from tidewaiter.gateway.record.inbox import read_line
from tidewaiter.gateway.record.journal import encode
from tidewaiter.gateway.record.recorder import Recorder
from tidewaiter.store.archive import Archive
from tidewaiter.store.records import Transaction

ROUNDS, MESSAGES, TURN = 15, 4000, 20
"""So many messages share a turn of the loop, as they do under load."""


GROUP = 300
"""So many records come to the clerk between two commits, as they do under load."""


def record(identity: str) -> Transaction:
    """One as real mail leaves it."""
    return Transaction(
        time=datetime.now(UTC),
        id=identity,
        outcome="delivered",
        reply=f"250 2.0.0 Ok: {identity}",
        listener="192.0.2.1:25",
        client="198.51.100.7",
        helo="mail.example",
        tls="TLSv1.3 TLS_AES_256_GCM_SHA384",
        reverse_path="sender@client.example",
        recipients=("recipient@inside.test",),
        size=4096,
        seconds=0.0123,
        next_hop="smtp://192.0.2.9:25",
        next_hop_reply="250 2.0.0 Ok: queued as 4F1B2C3D",
        queue_id="4F1B2C3D",
    )


def acknowledge_all(listener: socket) -> None:
    """Be a clerk that stores nothing, in a thread: what it costs is not the worker's."""
    connection, _ = listener.accept()
    with connection:
        while data := connection.recv(1 << 20):
            connection.sendall((data.count(b'"event":"transaction"')).to_bytes(4, "big"))


async def worker_microseconds(folder: Path) -> float:
    """The CPU of the worker's thread for one record, made, logged, queued and sent."""
    listener = socket(AF_UNIX)
    listener.bind(str(folder / CLERK_SOCKET))
    listener.listen()
    threading.Thread(target=acknowledge_all, args=(listener,), daemon=True).start()
    state = os.open(folder, os.O_RDONLY)
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    handed = alone(log=log, state=state)
    recorder = Recorder(asyncio.get_running_loop(), handed.process(), log, handed.clerk_address())
    costs = []
    for _ in range(ROUNDS):
        before = time.thread_time()
        for number in range(MESSAGES):
            recorder.transaction(record(recorder.new_id()))
            if number % TURN == 0:
                await asyncio.sleep(0)
        costs.append((time.thread_time() - before) / MESSAGES)
    await recorder.close(10)
    listener.close()
    return 1e6 * statistics.median(costs)


def clerk_microseconds(folder: Path) -> float:
    """The CPU of the clerk for one record, read, counted in and committed in a group."""
    costs = []
    with closing(Archive(folder)) as archive:
        archive.open()
        for round_ in range(ROUNDS):
            lines = [encode(record(f"{round_:04}{number:016}")) for number in range(MESSAGES)]
            before = time.process_time()
            for start in range(0, MESSAGES, GROUP):
                archive.append(cast("Transaction", read_line(line)) for line in lines[start : start + GROUP])
            costs.append((time.process_time() - before) / MESSAGES)
    return 1e6 * statistics.median(costs)


def main() -> None:
    """Print both."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(f"worker {runner.run(worker_microseconds(Path(folder))):6.1f} µs a record, log line and counters (15)")
    with tempfile.TemporaryDirectory() as folder:
        print(f"clerk  {clerk_microseconds(Path(folder)):6.1f} µs a record, in groups of {GROUP}")


if __name__ == "__main__":
    main()
