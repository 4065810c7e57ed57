"""What did a receiver keep?  Read back from its Maildir, byte for byte.

The standard library's `mailbox` repairs line ends, and repair destroys evidence.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FIELD: Final = re.compile(rb"(Return-Path|Delivered-To): <([^\r\n]*)>\r?\n")
# No more of it than the gateway writes: content that opens with a blank is not to be taken for a fold of it.
_RECEIVED: Final = re.compile(rb"Received: from [^\r\n]+\r?\n\tby [^\r\n]+(?:\r?\n\tfor <[^\r\n]+)?\r?\n")


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as it lies there."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    """With everything that was prepended by relays."""

    def without_received(self) -> bytes | None:
        """Take off the one `Received` field that a relay owes; None where there is none at the top."""
        found = _RECEIVED.match(self.content)
        return self.content[found.end() :] if found else None


class Mailbox:
    """One Maildir, of which each message is given once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._given: set[str] = set()

    def fresh(self) -> tuple[Kept, ...]:
        """Read what has come since the last time, in the order in which it came."""
        new = self.folder / "new"
        names = sorted({file.name for file in new.iterdir()} - self._given) if new.is_dir() else []
        self._given.update(names)
        return tuple(parse((new / name).read_bytes()) for name in names)


def parse(file: bytes) -> Kept:
    """Part the envelope, which the receiver wrote on top, from the content."""
    paths: dict[bytes, list[str]] = {b"Return-Path": [], b"Delivered-To": []}
    at = 0
    while found := _FIELD.match(file, at):
        paths[found[1]].append(found[2].decode())
        at = found.end()
    return Kept("".join(paths[b"Return-Path"][:1]), tuple(paths[b"Delivered-To"]), file[at:])
