"""The strict reader: what ends a line and what ends a message.

One sequence ends a line, in commands and in content alike: CR LF.
One sequence ends DATA: CR LF dot CR LF, where the CR LF that ended the DATA command counts as the first
(RFC 5321 §4.1.1.4: "the sequence "<LF>.<LF>" (bare line feeds, without carriage returns)
MUST NOT be treated as equivalent to <CRLF>.<CRLF> as the end of mail data indication").

`step` is the whole reader as a function of a block and of the few bytes held back before it.
It decides nothing at the edge of a block, so how the wire was cut cannot change what it reads:
`test_slicing_never_changes_the_verdict`, and the proof in `smuggling.proof`, which explores this very code.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from tidewaiter.model.oddity import OddityKind
from tidewaiter.model.position import Position, Positions

CRLF: Final = b"\r\n"
END: Final = b"\r\n.\r\n"

_DOTTED: Final = b"\r\n."
"""How a line with a dot in front begins: stuffed, or the end."""
_CR, _LF, _NUL = 0x0D, 0x0A, 0x00

# `note` may keep an odd byte only before one that no dialect we know gives a meaning beside a newline.
# A CR before one of these, at the end of the text, or before a second CR could end a line for somebody.
_NOT_ORDINARY: Final = rb"[\r\n\0. ]"
_BARE_CR: Final = rb"\r(?!\n)"
_BARE_LF: Final = rb"(?<!\r)\n"

ODD_BYTE: Final = re.compile(_BARE_CR + b"|" + _BARE_LF + rb"|\0")
ODD_KIND: Final = {b"\r": OddityKind.BARE_CR, b"\n": OddityKind.BARE_LF, b"\0": OddityKind.NUL}


class State(NamedTuple):
    """All that the reader knows between two blocks: small and hashable, so that it can be explored."""

    held: bytes
    """Bytes whose meaning the next byte decides; CR LF at the front has been given out already."""
    refused: bool = False
    """An oddity was refused: nothing but the true end is looked for any more."""


DATA_START: Final = State(CRLF)
CHUNK_START: Final = State(b"")


@dataclass(init=False, slots=True)
class Step:
    """What one block said."""

    state: Final[State]
    content: Final[bytes]
    used: Final[int]
    """Bytes of the block that belong to the message; what follows them are commands."""
    ended: Final[bool]
    dirty: Final[bool]
    """The text held an oddity."""

    # Written out because the one of `dataclass` is not compiled, nor is a NamedTuple's.
    def __init__(self, state: State, content: bytes, used: int, *, ended: bool, dirty: bool) -> None:
        """Keep all five."""
        self.state = state
        self.content = content
        self.used = used
        self.ended = ended
        self.dirty = dirty


@dataclass(frozen=True, slots=True)
class Rules:
    """Positions compiled into what `step` does with text that is not clean."""

    refuses: re.Pattern[bytes] | None
    repairs: tuple[tuple[re.Pattern[bytes], bytes], ...]
    plain: bool
    """Every oddity is repaired wherever it stands, so whole-block replacement will do."""


_ODD: Final = {
    OddityKind.BARE_CR: (_BARE_CR, b" "),
    OddityKind.BARE_LF: (_BARE_LF, b"\r\n"),
    OddityKind.NUL: (rb"\0", b" "),
}


def rules_for(positions: Positions) -> Rules:
    """Compile `positions`; equal positions give equal rules."""
    return compiled(positions.bare_cr, positions.bare_lf, positions.nul)


# Remembered by the three alone, which are texts: to hash and compare `Positions` takes longer than all of `_held`.
@lru_cache(maxsize=27)
def compiled(bare_cr: Position, bare_lf: Position, nul: Position) -> Rules:
    """Compile a position for each kind of odd byte; every one of the 27 triples is remembered."""
    placed = {OddityKind.BARE_CR: bare_cr, OddityKind.BARE_LF: bare_lf, OddityKind.NUL: nul}
    refused = [_ODD[kind][0] for kind, position in placed.items() if position is Position.REFUSE]
    return Rules(
        refuses=re.compile(b"|".join(refused)) if refused else None,
        repairs=tuple(_repair(kind, position) for kind, position in placed.items()),
        plain=Position.NOTE not in placed.values(),
    )


def _repair(kind: OddityKind, position: Position) -> tuple[re.Pattern[bytes], bytes]:
    pattern, honest = _ODD[kind]
    if position is Position.NOTE:
        pattern += rb"(?:(?=" + _NOT_ORDINARY + rb")|\Z)"
    return re.compile(pattern), honest


def step(state: State, block: bytes, rules: Rules, *, counted: bool) -> Step:
    """Read one block of DATA, or of a counted chunk (BDAT), after `state`.

    The work is a few passes at C speed whatever the block holds, so no input buys a slow loop.
    """
    data = state.held + block
    dot = data.find(_DOTTED)
    at = -1 if counted or dot < 0 else data.find(END, dot)
    if at >= 0:
        held, stop, used = b"", at + len(CRLF), at + len(END) - len(state.held)
    else:
        held, used = _held(data, counted=counted), len(block)
        stop = len(data) - len(held) + (len(CRLF) if held.startswith(CRLF) else 0)
    after, content, dirty = _judge(state, data[:stop], held, rules, stuffed=not counted and dot not in (-1, at))
    return Step(after, content, used, ended=at >= 0, dirty=dirty)


def flush(state: State, rules: Rules) -> Step:
    """End a counted message: what was held back for a next byte has none, so it is odd."""
    after, content, dirty = _judge(state, state.held, b"", rules, stuffed=False)
    return Step(after, content, 0, ended=False, dirty=dirty)


def _judge(state: State, text: bytes, held: bytes, rules: Rules, *, stuffed: bool) -> tuple[State, bytes, bool]:
    """Give out `text`, in which every byte has its meaning, and hold back `held`; tell whether the text was odd.

    `stuffed` text may hold a dot behind a CR LF.
    """
    if state.refused:
        return State(held, refused=True), b"", False
    dirty = not is_clean(text)
    if dirty and rules.refuses is not None and rules.refuses.search(text):
        return State(held, refused=True), b"", True
    given = len(CRLF) if state.held.startswith(CRLF) else 0
    if stuffed:
        # RFC 5321 §4.5.2: "If the first character is a period and there are other characters on the line,
        # the first character is deleted."
        text = text.replace(_DOTTED, CRLF)
    if dirty:
        text = repair(text, rules)
    return State(held), text[given:], dirty


def is_clean(text: bytes) -> bool:
    """Tell whether `text` has no CR and no LF but in CR LF, and no NUL; a few passes at C speed."""
    rest = text.replace(CRLF, b"")
    # Asked for as numbers: `bytes in bytes` tries its left side as one first, and fails at some cost.
    return not (_CR in rest or _LF in rest or _NUL in rest)


def repair(text: bytes, rules: Rules) -> bytes:
    """Write honest bytes for odd ones, as `rules` say; `text` ends where the next byte is not ordinary."""
    if rules.plain:
        # Order matters: CR LF first becomes one byte, so that each CR and each LF still there is a bare one.
        text = text.replace(CRLF, b"\n").replace(b"\r", b" ")
        return text.replace(b"\n", CRLF).replace(b"\0", b" ")
    for pattern, honest in rules.repairs:
        text = pattern.sub(honest, text)
    return text


def _held(data: bytes, *, counted: bool) -> bytes:
    """Take from the end of `data` what cannot be judged without the next byte."""
    last = data[-1:]
    if last not in (b"\r", b"\n", b"\0", b"."):
        return b""
    if not counted:
        for mark in (b"\r\n.\r", b"\r\n.", CRLF):
            if data.endswith(mark):
                return mark
    if last == b"." or data.endswith(CRLF):
        return b""
    return last


def take_line(buffer: bytes, start: int, limit: int) -> tuple[bytes, int, OddityKind | None, int]:
    """Take the line that starts at `start`: its text, where the next one starts, and what is odd in it, and where.

    Where its CR LF has not come yet nothing is taken: the next line would start at `start` too.
    Odd is a bare CR, a bare LF or a NUL, told by its offset in the buffer, or no end within `limit`: whoever sent it
    is not to be believed. A bare newline is told as soon as it is certain: a client that sends one waits for an answer.
    `limit` counts octets with the CR LF (RFC 5321 §4.5.3.1.4: "The maximum total length of a command line
    including the command word and the <CRLF> is 512 octets").
    """
    at = buffer.find(CRLF, start, start + limit)
    stop = at if at >= 0 else min(len(buffer), start + limit)
    text = buffer[start:stop]
    if _CR in text or _LF in text or _NUL in text:
        # A CR at the very end will be judged with the byte behind it: it may be half of a CR LF.
        odd = ODD_BYTE.search(text if at >= 0 else text.removesuffix(b"\r"))
        if odd:
            return text, stop, ODD_KIND[odd.group()], start + odd.start()
    if at >= 0:
        return text, at + len(CRLF), None, start
    if stop - start >= limit:
        return text, stop, OddityKind.LONG_LINE, start
    return b"", start, None, start
