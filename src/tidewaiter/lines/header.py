"""Where the header section ends, written so that every program behind us says the same.

Our `Received` is written in front of the content, so the content's first line is no longer the first: one that begins
with white space would become a part of our field (promise 8), and one that is no field would stand in the midst of the
section. For some programs such a line ends the section, others skip it: a `From` behind it is hidden from the ones and
shown by the others. So an empty line is written before it, which ends the section for all of them.

`step` is the whole of it as a function of a piece of content and of the few bytes held back before it. The content is
as the reader gives it: unstuffed, and repaired. Nothing is decided at the edge of a piece, nothing done behind the
section.
"""

import re
from typing import Final, NamedTuple

from tidewaiter.lines.scan import CRLF, compiled, is_clean, repair
from tidewaiter.model.position import Position

NAME_LIMIT: Final = 255
"""Octets of a field's name, and of the white space behind it: more are no field. It bounds what is held back."""
MAILBOX_LINE: Final = b"X-Mailbox-Line: "
"""Written before the line with which a file of the mbox format begins, as Postfix does: the fields come behind it."""
INSERTED_LIMIT: Final = len(MAILBOX_LINE) + len(CRLF)
"""Octets that are written more than came, at most: once the first line's prefix, once the empty line."""

START: Final = "start"
"""Nothing has been read yet: the next line comes behind our own."""
LINE: Final = "line"
"""At the start of a line of the section."""
INSIDE: Final = "inside"
"""In a line that belongs to it."""
BODY: Final = "body"
"""Behind it."""

_REPAIRED: Final = compiled(Position.REPAIR, Position.REPAIR, Position.REPAIR)
_EMPTY: Final = re.compile(rb"\r?\n")


class State(NamedTuple):
    """All that is known between two pieces: small and hashable, so that it can be explored."""

    place: str
    held: bytes = b""
    """Bytes whose meaning the next one decides: the start of a line, or a CR."""


FIRST: Final = State(START)
BEHIND: Final = State(BODY)


class Step(NamedTuple):
    """What one piece said."""

    state: State
    content: bytes
    odd: int
    """Bytes of `content` before the one that had to be written in; -1 where none had."""


class Patterns(NamedTuple):
    """What a line may begin with.

    RFC 5322 §2.2: a name is of "printable US-ASCII characters (… values between 33 and 126, inclusive), except colon";
    §4.5.8 lets white space stand before the colon, and every program knows it.
    Odd bytes are here where their position is `note`. In the section they are repaired all the same: a bare newline
    there hides a field from us and not from the next hop. So LF ends a line, and a bare CR or a NUL is a space.
    """

    field: re.Pattern[bytes]
    """What makes a line a field."""
    member: re.Pattern[bytes]
    """What makes it a line of the section: a field, or one that is gone on with."""
    last: re.Pattern[bytes]
    """The end of a line behind which there is none of the section, or none that is certain."""
    open: re.Pattern[bytes]
    """What may still become a field."""
    mailbox: re.Pattern[bytes]
    """The first line of a file of the mbox format, and of a message that was one's part (`>From`)."""


def patterns_for(limit: int, white: int) -> Patterns:
    """Compile them for names of at most `limit` octets and `white` behind them; a proof has them scaled down."""
    name = rb"[!-9;-~]{1,%d}[ \t\0\r]{0,%d}" % (limit, white)
    member = name + rb":|[ \t\0]|\r(?!\n)"
    return Patterns(
        field=re.compile(name + rb":"),
        member=re.compile(member),
        # Searched for, and not counted line by line: that takes a fifth of the time (bench/wire.py).
        last=re.compile(rb"\n(?!" + member + rb")"),
        open=re.compile(name + rb"\Z|\Z"),
        # No longer than a name: what is held back has to tell one from the other.
        mailbox=re.compile(rb">{0,%d}From " % (limit - len(b"From"))),
    )


PATTERNS: Final = patterns_for(NAME_LIMIT, NAME_LIMIT)


def step(state: State, content: bytes, patterns: Patterns = PATTERNS) -> Step:
    """Take the next piece of content after `state`."""
    place = state.place
    if place is BODY:
        return Step(state, content, -1)
    data = state.held + content if state.held else content
    # A CR at the very end is judged with the byte behind it: it may be half of a line end.
    tail = b"\r" if data.endswith(b"\r") else b""
    if tail:
        data = data[:-1]
    at = 0
    if place is INSIDE:
        at = data.find(b"\n") + 1
        if not at:
            return Step(State(INSIDE, tail), _honest(data), -1)
        place = LINE
    if (patterns.field if place is START else patterns.member).match(data, at):
        last = patterns.last.search(data, at)
        if last is None:
            return Step(State(INSIDE, tail), _honest(data), -1)
        at, place = last.end(), LINE
    return _other(place, data, at, tail, patterns)


def _other(place: str, data: bytes, at: int, tail: bytes, patterns: Patterns) -> Step:
    """Judge the line that begins at `at`, which is none of the section as far as it has come."""
    if patterns.open.match(data, at):
        return Step(State(place, data[at:] + tail), _honest(data[:at]), -1)
    empty = _EMPTY.match(data, at)
    if empty is not None:
        end = empty.end()
        # Nearly every message: its section is honest, so what came is what is written, and is not put together anew.
        content = data if is_clean(data[:end]) else _honest(data[:end]) + data[end:]
        return Step(BEHIND, content + tail if tail else content, -1)
    if place is START and patterns.mailbox.match(data):
        rest = step(State(INSIDE), data + tail, patterns)
        return Step(rest.state, MAILBOX_LINE + rest.content, 0)
    return Step(BEHIND, _honest(data[:at]) + CRLF + data[at:] + tail, at)


def flush(state: State, patterns: Patterns = PATTERNS) -> Step:
    """End the content: what was held back for a next byte has none."""
    held = _honest(state.held)
    if state.place is INSIDE or not held:
        return Step(BEHIND, held, -1)
    if state.place is START and patterns.mailbox.match(held):
        return Step(BEHIND, MAILBOX_LINE + held, 0)
    return Step(BEHIND, CRLF + held, 0)


def _honest(text: bytes) -> bytes:
    return text if is_clean(text) else repair(text, _REPAIRED)


class HeaderWriter:
    """`step` with its memory: the content of one message as it comes, and as it is to be written."""

    __slots__ = ("_behind", "odd", "state")

    def __init__(self) -> None:
        """Start before the first line."""
        self.state = FIRST
        self._behind = 0
        self.odd = -1
        """Octets of content before the first that had to be written in; -1 where none had."""

    @property
    def open(self) -> bool:
        """Whether the section goes on."""
        return self.state.place is not BODY

    def feed(self, content: bytes) -> bytes:
        """Take the next piece."""
        return self._take(step(self.state, content), len(content))

    def finish(self) -> bytes:
        """End the content; give what was held back."""
        return self._take(flush(self.state), 0)

    def _take(self, said: Step, count: int) -> bytes:
        if said.odd >= 0 and self.odd < 0:
            self.odd = self._behind - len(self.state.held) + said.odd
        self._behind += count
        self.state = said.state
        return said.content
