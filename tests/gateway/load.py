"""Clients that send mail as fast as it is taken, and remember what they were told about each message."""

import re
import socket
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 300
PAUSE_SECONDS = 0.05  # between attempts, as a client waits that was turned away


@dataclass
class Memory:
    """What the clients know; the lock guards all of it."""

    acknowledged: set[str] = field(default_factory=set)
    """Messages for which a 250 came."""
    unanswered: Counter[str] = field(default_factory=Counter)
    """How often a message was sent in whole, and no reply came."""
    refused: list[str] = field(default_factory=list)
    """Connections that the kernel refused."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Load:
    """Some clients; each message is sent until it is acknowledged."""

    def __init__(self, address: tuple[str, int], clients: int) -> None:
        self.memory = Memory()
        self._address = address
        self._ending = threading.Event()
        self._given_up = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(number,)) for number in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each client finish its message; the gateway must be there for that."""
        self._ending.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive(), "a client hangs"

    def give_up(self) -> None:
        """Where the test has failed: nobody is there any more to take the last messages."""
        self._given_up.set()
        self.stop()

    def _client(self, number: int) -> None:
        count = 0
        while not self._ending.is_set():
            count += 1
            self._send_until_acknowledged(f"message-{number}-{count}")

    def _send_until_acknowledged(self, name: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._send(name) and time.monotonic() < deadline and not self._given_up.is_set():
            time.sleep(PAUSE_SECONDS)

    def _send(self, name: str) -> bool:
        try:
            connection = socket.create_connection(self._address, timeout=30)
        except ConnectionError as error:
            with self.memory.lock:
                self.memory.refused.append(str(error))
            return False
        with connection, connection.makefile("rb") as replies:
            return self._converse(name, connection, replies)

    def _converse(self, name: str, connection: socket.socket, replies) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a buffered reader
        sent = False
        try:
            for line in (b"", b"EHLO client.test", b"MAIL FROM:<a@src.test>", b"RCPT TO:<b@inside.test>", b"DATA"):
                if line:
                    connection.sendall(line + b"\r\n")
                if _code(replies) not in {220, 250, 354}:
                    return False
            connection.sendall(b"Subject: " + name.encode() + b"\r\n\r\n" + b"hello\r\n" + b".\r\n")
            sent = True
            code = _code(replies)
        except OSError:
            code = 0
        with self.memory.lock:
            if code == 250:
                self.memory.acknowledged.add(name)
            elif sent and code in {0, 421}:  # 421: whoever is made to leave cannot know, and says so in the log
                self.memory.unanswered[name] += 1
        return code == 250


def _code(replies) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a buffered reader
    """The code of a whole reply; 0 where the connection ended before it."""
    while (line := replies.readline())[3:4] == b"-":
        pass
    return int(line[:3]) if line.endswith(b"\n") else 0


def delivered(maildir: Path) -> dict[str, list[str]]:
    """For each message, the ids under which its copies in the Maildir were taken."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in (*maildir.glob("new/*"), *maildir.glob("cur/*")):
        head = file.read_bytes().partition(b"\n\n")[0].decode()
        (name,) = re.findall(r"^Subject: (\S+)$", head, re.MULTILINE)
        (identity,) = re.findall(r"\bid ([0-9a-f]{20})\b", head)
        found[name].append(identity)
    return found
