"""What does a receiver hold: the messages that were sent, each once and whole, and nothing else?

This is the judge, so it imports nothing of what it judges: what was sent, and what is due for it, comes in as data.
A delivered file is recognized by the `Received` of the gateway, which stands in every message that passed it once.
What stands below that field is what was sent, but for what the receiver itself is known to change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GATEWAY = "mx.tidewaiter.test"
RECEIVED = re.compile(
    rb"^Received: from \S+ \(\[[0-9a-fA-F.:IPv]+\]\)\r?\n\tby %s with \w+ id (\S+?);?(?:\r?\n\tfor <[^\n]*| [^\n]*)\n"
    % re.escape(GATEWAY.encode()),
    re.MULTILINE,
)
"""The gateway's field, and in it the id under which it took the message."""
BLANK = b" \t\r\n\0"


@dataclass(frozen=True, slots=True)
class Habits:
    """What a receiver changes in every message, whoever sends it."""

    own: re.Pattern[bytes] = re.compile(rb"(?!)")
    """Whole lines that it adds below the fields it found."""
    blank: bool = False
    """Whether it folds long lines or sets blank bytes anew, so that only the visible bytes can be compared."""
    refuses: str = "(?!)"
    """How its own refusals read, of what the gateway lets through in some position."""


EXACT = Habits()


def told_apart(delivered: Sequence[bytes], due: Sequence[bytes], habits: Habits = EXACT) -> list[str]:
    """Say what is wrong: a message that is missing, one that nobody sent, one that has more than it was sent with."""
    wanted = [reading(_as_lines(content), habits) for content in due]
    wrong = []
    for file in delivered:
        content = behind_received(file)
        if content is None:
            wrong.append(f"smuggled, for the gateway did not write it as a message: {file!r}")
        elif (read := reading(_as_lines(content), habits)) in wanted:
            wanted.remove(read)
        else:
            wrong.append(f"nobody sent this: {content!r}")
    return wrong + [f"missing: {content!r}" for content in wanted]


def around_received(file: bytes) -> tuple[bytes, bytes] | None:
    """Give what stands above and below the gateway's field; None where there is no such field, or a second one."""
    parts = RECEIVED.split(file)
    return (parts[0], parts[2]) if len(parts) == 3 else None


def behind_received(file: bytes) -> bytes | None:
    """Give what stands below the gateway's field, as `around_received`."""
    around = around_received(file)
    return around[1] if around else None


def reading(content: bytes, habits: Habits) -> bytes:
    """Give what can be compared: all, or every visible byte in its order, without the receiver's own lines."""
    kept = habits.own.sub(b"", content)
    return kept.translate(None, BLANK) if habits.blank else kept


def _as_lines(content: bytes) -> bytes:
    """Write each line end as a file does; what is sent by DATA cannot but end in one."""
    lines = content.replace(b"\r\n", b"\n")
    return lines if lines.endswith(b"\n") or not lines else lines + b"\n"
