"""What a sender really emits.

A receiver that keeps every byte it is sent and reads them by RFC 5321 alone:
a command ends in CRLF, DATA ends in CRLF.CRLF and in nothing else, BDAT takes exactly its count.
One thread a connection; the answers depend on the bytes and never on when they came.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.peers.boot import HOST, TICK
from tests.peers.cache import PeerError
from tests.peers.conversation import Conversation, Message

PLAIN = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")
CHUNKING = (*PLAIN, "CHUNKING")


@dataclass(slots=True)
class Session:
    """One connection: what came, what was said, in turns that do not depend on packets."""

    turns: list[tuple[str, bytes]] = field(default_factory=list)  # ("C", bytes) or ("S", bytes)
    messages: list[Message] = field(default_factory=list)
    waiting: bool = False  # for bytes, with none left that were not read as commands or content
    ended: bool = False

    @property
    def received(self) -> bytes:
        """Every byte of the client, in order."""
        return b"".join(data for side, data in self.turns if side == "C")

    def heard(self, data: bytes) -> None:
        """Note bytes of the client, as one turn however they were cut."""
        if self.turns and self.turns[-1][0] == "C":
            self.turns[-1] = ("C", self.turns[-1][1] + data)
        elif data:
            self.turns.append(("C", data))

    def said(self, reply: bytes) -> None:
        """Note one reply of ours."""
        self.turns.append(("S", reply))


class Sink:
    """A listening sink, a context manager; `port` is chosen by the system."""

    def __init__(self, *, offers: tuple[str, ...] = PLAIN, lmtp: bool = False) -> None:
        self.offers, self.lmtp = offers, lmtp
        self.sessions: list[Session] = []
        self._listener = socket.create_server((HOST, 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._accepting = threading.Thread(target=self._accept, name="sink")
        self._serving: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        # Shut down and not only close: a thread that waits in accept or recv wakes up by it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        for client in self._open:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._serving:
            thread.join()
        self._listener.close()

    @property
    def messages(self) -> list[Message]:
        """Every message accepted so far, of all sessions in the order they connected."""
        return [message for session in list(self.sessions) for message in session.messages]

    def wait(self, at_least: int = 1, within: float = 30.0) -> list[Message]:
        """Give the messages once there are `at_least` and nothing that was written to us is left to read.

        Senders that keep their connection open for the next message are not waited for.
        """
        deadline = time.monotonic() + within
        while len(self.messages) < at_least or not self._quiet():
            if time.monotonic() > deadline:
                raise PeerError(f"sink: {len(self.messages)} of {at_least} messages: {self.sessions}")
            time.sleep(TICK)
        return self.messages

    def _quiet(self) -> bool:
        pairs = zip(list(self.sessions), list(self._open), strict=False)
        return all(session.ended or (session.waiting and _nothing_came(client)) for session, client in pairs)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                session = Session()
                self._open.append(client)
                self.sessions.append(session)
                self._serving.append(threading.Thread(target=self._serve, args=(client, session)))
                self._serving[-1].start()

    def _serve(self, client: socket.socket, session: Session) -> None:
        with client, suppress(ConnectionError, EOFError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Conversation(client, session, self.offers, lmtp=self.lmtp).run()
        session.ended = True


def _nothing_came(client: socket.socket) -> bool:
    try:
        client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
