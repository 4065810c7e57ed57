"""A gateway before a Maildir, whose calls are refused while it serves, and what must be true of it behind that."""

import json
import re
import socket
import sqlite3
import sys
import time
from collections import defaultdict
from contextlib import closing, suppress
from io import BufferedReader
from pathlib import Path
from typing import Final

from tests.gateway.family import CONFIGURATION, SECONDS, Family
from tidewaiter.store.archive import FILE

RUN: Final = (sys.executable, "-m", "tidewaiter", "run", "--config")
PATIENCE: Final = 20.0
_BODY: Final = b"hello\r\n" * 3000
_COMMANDS: Final = (b"EHLO client.test", b"MAIL FROM:<a@client.test>", b"RCPT TO:<b@inside.test>", b"DATA")


class Refused(Family):
    """A family with one worker, whose spool goes to the disk at once; libraries of C may say their last words in it."""

    def __init__(self, folder: Path, limits: str = 'spool_memory = "1KiB"', faults: tuple[str, ...] = ()) -> None:
        text = CONFIGURATION.format(workers="").replace("count = 2", "count = 1")
        (folder / "tidewaiter.toml").write_text(f"{text}[limits]\n{limits}\n")
        super().__init__(folder, command=RUN, faults=faults)

    def _next_line(self) -> bytes:
        while (line := super()._next_line()) and not line.startswith(b"{"):
            pass
        return line

    def next_event(self) -> str:
        """The event of the next line of the log."""
        line = self._next_line()
        assert line, "it has ended"
        self.events.append(json.loads(line))
        return str(self.events[-1]["event"])

    def send(self, name: str) -> str:
        """Send a message and give the reply to it; nothing where the connection ended before there was one."""
        with suppress(OSError), socket.create_connection(self.address, timeout=PATIENCE) as client:
            with client.makefile("rb") as lines:
                said = _reply(lines)
                for command in _COMMANDS:
                    if said[:1] not in {"2", "3"}:
                        return said
                    client.sendall(command + b"\r\n")
                    said = _reply(lines)
                if said.startswith("354"):
                    client.sendall(b"Subject: " + name.encode() + b"\r\n\r\n" + _BODY + b".\r\n")
                    return _reply(lines)
                return said
        return ""

    def send_until_taken(self, name: str) -> None:
        """Send it until it is taken, as clients do that come again."""
        deadline = time.monotonic() + SECONDS
        while not self.send(f"{name}-{time.monotonic_ns()}").startswith("250 "):
            assert time.monotonic() < deadline, f"{name} is never taken"
            time.sleep(0.1)

    def wait_for_store(self) -> None:
        """Wait until the store has every message that was delivered."""
        deadline = time.monotonic() + SECONDS
        while missing := {each for ids in _delivered(self.folder / "mail").values() for each in ids} - self.stored():
            assert time.monotonic() < deadline, f"the store does not take {missing}"
            time.sleep(0.05)

    def judge(self, said: dict[str, str]) -> None:
        """Hold what clients heard, by subject, to what lies in the Maildir and stands in the log and in the store."""
        verdict = _Verdict(self)
        wrong = {name: verdict.wrong(name, reply) for name, reply in said.items()}
        assert {name: what for name, what in wrong.items() if what} == {}
        deaths = [event for event in self.events if event["event"] == "process ended" and event["code"]]
        left = list((self.folder / "mail" / "tmp").iterdir())
        assert len(left) <= len(deaths), "only who dies in the midst of writing leaves something"
        told = [event for event in self.events if event["event"] == "records dropped" or "records" in event]
        assert told or set(verdict.outcomes) <= self.stored(), "a record is gone, and nobody says so"

    def stored(self) -> set[str]:
        """The ids of all transactions in the store; none before it is made."""
        try:
            with closing(sqlite3.connect(f"file:{self.folder}/state/{FILE}?mode=ro", uri=True)) as connection:
                return {row[0] for row in connection.execute("SELECT id FROM transactions")}
        except sqlite3.OperationalError:
            return set()


class _Verdict:
    def __init__(self, family: Family) -> None:
        self.outcomes = {event["id"]: event["outcome"] for event in family.events if event["event"] == "transaction"}
        self.in_doubt = {event["id"] for event in family.events if event["event"] == "transaction in doubt"}
        self.found = _delivered(family.folder / "mail")

    def wrong(self, name: str, said: str) -> str:
        """Say what is not true of a message, or nothing."""
        copies = self.found.get(name, [])
        if said.startswith("5"):
            return f"a failure of ours is {said}"
        if said.startswith("250 "):
            return "" if len(copies) == 1 else f"250, and {len(copies)} copies"
        doubtful = {each for each in copies if self.outcomes.get(each) == "doubtful"} | self.in_doubt
        told = doubtful if said else doubtful | set(self.outcomes)
        return f"{said or 'nothing'} was said, and it was delivered: {copies}" if set(copies) - told else ""


def _reply(lines: BufferedReader) -> str:
    while (line := lines.readline())[3:4] == b"-":
        pass
    return line.decode().strip() if line.endswith(b"\n") else ""


def _delivered(maildir: Path) -> dict[str, list[str]]:
    """For each subject, the ids of the copies."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in maildir.glob("new/*"):
        head = file.read_text().partition("\n\n")[0]
        (name,) = re.findall(r"^Subject: (\S+)$", head, re.MULTILINE)
        (identity,) = re.findall(r"\bid ([0-9a-f]{20})\b", head)
        found[name].append(identity)
    return found
