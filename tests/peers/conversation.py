"""What a strict receiver answers, command by command.

A command ends in CRLF and holds no other CR or LF.
DATA ends in CRLF.CRLF and in nothing else, where the CRLF of the DATA command counts as the first.
BDAT takes exactly its count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from tests.peers.sink import Session

BLOCK = 65536
END = b"\r\n.\r\n"


@dataclass(frozen=True, slots=True)
class Message:
    """One accepted message: `wire` is all between 354 and our reply, `content` what it means."""

    verb: str  # DATA or BDAT
    reverse_path: bytes
    forward_paths: tuple[bytes, ...]
    content: bytes
    wire: bytes


class Conversation:
    """The server's side of one connection."""

    def __init__(self, client: socket.socket, session: Session, offers: tuple[str, ...], *, lmtp: bool) -> None:
        self._client, self._session, self._offers, self._lmtp = client, session, offers, lmtp
        self._unread = bytearray()
        self._paths: list[bytes] = []  # the reverse-path, then the forward-paths
        self._chunks: list[bytes] = []
        greeting = b"LHLO" if lmtp else b"EHLO"
        self._answers: dict[bytes, Callable[[bytes], Iterator[str]]] = {
            greeting: self._hello,
            b"HELO": self._helo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"BDAT": self._bdat,
            b"RSET": self._rset,
            b"NOOP": self._noop,
        }

    def run(self) -> None:
        """Answer commands until QUIT or the end of the connection."""
        self._say("220 sink.test ESMTP")
        while (line := self._line()).upper() != b"QUIT":
            verb, _, argument = line.partition(b" ")
            bare = b"\r" in line or b"\n" in line
            answer = self._unknown if bare else self._answers.get(verb.upper(), self._unknown)
            for reply in answer(argument.strip()):
                self._say(reply)
        self._say("221 2.0.0 bye")

    def _hello(self, _: bytes) -> Iterator[str]:
        self._reset()
        lines = ["sink.test", *self._offers]
        yield "\r\n".join(f"250{'-' if more else ' '}{line}" for line, more in _with_more(lines))

    def _helo(self, _: bytes) -> Iterator[str]:
        self._reset()
        yield "250 sink.test"

    def _mail(self, argument: bytes) -> Iterator[str]:
        if self._paths or argument[:5].upper() != b"FROM:":
            yield "503 5.5.1 not now" if self._paths else "501 5.5.4 MAIL FROM:<…>"
            return
        self._paths = [argument[5:].strip()]
        yield "250 2.1.0 ok"

    def _rcpt(self, argument: bytes) -> Iterator[str]:
        if not self._paths or argument[:3].upper() != b"TO:":
            yield "501 5.5.4 RCPT TO:<…>" if self._paths else "503 5.5.1 MAIL first"
            return
        self._paths.append(argument[3:].strip())
        yield "250 2.1.5 ok"

    def _data(self, argument: bytes) -> Iterator[str]:
        if len(self._paths) < 2 or argument or self._chunks:
            yield "503 5.5.1 RCPT first"
            return
        yield "354 go on"
        wire = self._until_end()
        # The CRLF of the DATA command counts as the first: a lone ".CRLF" is an empty message.
        content = (b"\r\n" + wire)[: -len(END) + 2].replace(b"\r\n.", b"\r\n")[2:]
        yield from self._accepted("DATA", content, wire)

    def _bdat(self, argument: bytes) -> Iterator[str]:
        size, _, last = argument.upper().partition(b" ")
        if not size.isdigit():
            yield "501 5.5.4 BDAT SIZE [LAST]"
            return
        chunk = self._exactly(int(size))
        if len(self._paths) < 2:
            yield "503 5.5.1 RCPT first"
            return
        self._chunks.append(chunk)
        if last != b"LAST":
            yield f"250 2.0.0 {len(chunk)} octets"
            return
        whole = b"".join(self._chunks)
        yield from self._accepted("BDAT", whole, whole)

    def _accepted(self, verb: str, content: bytes, wire: bytes) -> Iterator[str]:
        reverse_path, *forward_paths = self._paths
        self._session.messages.append(Message(verb, reverse_path, tuple(forward_paths), content, wire))
        self._reset()
        for path in forward_paths if self._lmtp else forward_paths[:1]:
            yield f"250 2.0.0 kept for {path.decode('latin-1') if self._lmtp else 'all'}"

    def _rset(self, _: bytes) -> Iterator[str]:
        self._reset()
        yield "250 2.0.0 ok"

    def _noop(self, _: bytes) -> Iterator[str]:
        yield "250 2.0.0 ok"

    def _unknown(self, _: bytes) -> Iterator[str]:
        yield "500 5.5.2 what?"

    def _reset(self) -> None:
        self._paths, self._chunks = [], []

    def _line(self) -> bytes:
        return self._until(b"\r\n")[:-2]

    def _until_end(self) -> bytes:
        while len(self._unread) < len(END[2:]):
            self._more()
        at_once = self._unread.startswith(END[2:])
        return self._take(len(END[2:])) if at_once else self._until(END)

    def _until(self, end: bytes) -> bytes:
        searched = 0  # so that a large message is not searched again with every block
        while (at := self._unread.find(end, searched)) < 0:
            searched = max(0, len(self._unread) - len(end) + 1)
            self._more()
        return self._take(at + len(end))

    def _exactly(self, length: int) -> bytes:
        while len(self._unread) < length:
            self._more()
        return self._take(length)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._unread[:length])
        del self._unread[:length]
        self._session.heard(taken)
        return taken

    def _more(self) -> None:
        self._session.waiting = not self._unread
        block = self._client.recv(BLOCK)
        self._session.waiting = False
        if not block:
            self._session.heard(bytes(self._unread))  # bytes of no command are evidence too
            raise EOFError
        self._unread += block

    def _say(self, reply: str) -> None:
        wire = reply.encode("latin-1", "replace") + b"\r\n"
        self._session.said(wire)
        self._client.sendall(wire)


def _with_more(lines: list[str]) -> list[tuple[str, bool]]:
    return [(line, number < len(lines) - 1) for number, line in enumerate(lines)]
