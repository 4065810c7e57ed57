"""Raw windows around oddities, opened at offsets and filled as the blocks come."""

from typing import Final

from tidewaiter.model.oddity import Window

WINDOWS: Final = 64
"""Windows of one message: what a transaction may keep for evidence is bounded by 64 KiB."""
WINDOW_BYTES: Final = 1024
BEFORE: Final = 8
"""Raw bytes kept before an oddity: the line end and the dot in front of it."""
_TAIL: Final = 16
"""An oddity is judged up to four bytes late, so this many raw bytes are remembered of earlier blocks."""


class Evidence:
    """At most `WINDOWS` windows; an oddity within the last opens no other."""

    __slots__ = ("_end", "_opened", "_raw", "_spans", "_tail", "full")

    def __init__(self) -> None:
        """Start with none."""
        self._spans: list[list[int]] = []
        self._raw: list[bytearray] = []
        self._opened = 0
        self._end = 0
        self._tail = b""
        self.full = False
        """An oddity found no room."""

    def open(self, offset: int, windows: int = 1) -> None:
        """See to it that the bytes around `offset` are kept."""
        if self._spans and offset < self._spans[-1][1]:
            return
        windows = min(windows, WINDOWS - self._opened)
        if not windows:
            self.full = True
            return
        start = max(offset - BEFORE, self._spans[-1][1] if self._spans else 0)
        self._opened += windows
        self._spans.append([start, start + windows * WINDOW_BYTES])
        self._raw.append(bytearray())

    def open_rest(self, offset: int) -> None:
        """Keep what follows a refused oddity: the smuggled message is there."""
        self.open(offset)
        self._spans[-1][1] += (WINDOWS - self._opened) * WINDOW_BYTES
        self._opened = WINDOWS

    def feed(self, block: bytes, start: int) -> None:
        """Fill the open windows with `block`, which begins at wire offset `start`."""
        if self._spans and start <= self._spans[-1][1]:
            data, base = self._tail + block, start - len(self._tail)
            for span, raw in zip(self._spans, self._raw, strict=True):
                at = span[0] + len(raw)
                if at < span[1]:
                    raw.extend(data[at - base : span[1] - base])
        self._end = start + len(block)
        self._tail = (self._tail + block)[-_TAIL:] if len(block) < _TAIL else block[-_TAIL:]

    @property
    def cut(self) -> bool:
        """The content went on behind the last window."""
        return bool(self._spans) and self._spans[-1][1] < self._end

    def windows(self) -> tuple[Window, ...]:
        """Give what was kept."""
        spans = zip(self._spans, self._raw, strict=True)
        return tuple(Window(span[0], bytes(raw), span[1] < self._end) for span, raw in spans)
