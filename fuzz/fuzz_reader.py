"""The strict reader and the one writer, fed with anything, cut anyhow.

The first byte chooses the positions and DATA or BDAT, the second how the rest is cut; the rest is the wire, byte for
byte, so whatever an attacker can send, this harness can say.
"""

import re

from tidewaiter.lines.reader import Reader
from tidewaiter.lines.writer import Writer
from tidewaiter.model.oddity import Oddity, OddityKind, Window
from tidewaiter.model.position import Position, Positions

PARTS = (
    "src/tidewaiter/lines/scan.py",
    "src/tidewaiter/lines/reader.py",
    "src/tidewaiter/lines/writer.py",
    "src/tidewaiter/lines/evidence.py",
    "src/tidewaiter/lines/lengths.py",
    "src/tidewaiter/model/oddity.py",
    "src/tidewaiter/model/position.py",
)
EAR = "tidewaiter.lines.reader:Reader.feed"
VECTORS = ("content",)
_PLACES = list(Position)
_LISTED = 64
_LATE = 4
"""So many bytes may wait for the next one before they are judged."""
_ODD = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_Verdict = tuple[bytes, int, bool, bool, tuple[Oddity, ...], tuple[Window, ...], bool]


def says(wire: bytes) -> bytes:
    """The input that delivers `wire` as DATA in `repair`, cut behind every byte."""
    return bytes([1 + 3 * 1 + 9 * 1, 1]) + wire


SEEDS = [
    says(wire) for wire in (b".\r\n", b"a\r\n.\r\n", b"a\n.\r\n\r\n.\r\n", b"\r.\r\n.\r\n", b"..\r\n\0.\r\n\r\n.\r\n")
]


def one_input(data: bytes) -> None:
    """Hold every invariant of reading and writing against one input."""
    if len(data) < 2:
        return
    where = Positions(_PLACES[data[0] % 3], _PLACES[data[0] // 3 % 3], _PLACES[data[0] // 9 % 3])
    counted, wire = data[0] >= 128, data[2:]
    size = data[1] % 16
    packets = [wire[at : at + size] for at in range(0, len(wire), size)] if size else [wire]
    whole, cut = _read([wire], where, counted=counted), _read(packets, where, counted=counted)
    assert whole == cut, "slicing changed the verdict"
    content, used, ended, refused, *_ = whole
    at = (b"\r\n" + wire).find(b"\r\n.\r\n")
    assert (used, ended) == ((at + 3, True) if at >= 0 and not counted else (len(wire), False)), "another end"
    if not refused:
        _written(content, where, ended=ended or counted)


def _read(packets: list[bytes], where: Positions, *, counted: bool) -> _Verdict:
    reader = Reader(where, counted=counted)
    content, used, ended = b"", 0, False
    for packet in packets:
        piece = reader.feed(packet)
        content, used, ended = content + piece.content, used + piece.used, piece.ended
        if ended:
            break
    content += reader.finish() if counted else b""
    _shown(reader, b"".join(packets)[:used], used if ended or counted else used - _LATE)
    content = b"" if reader.refused else content
    return content, used, ended, reader.refused is not None, reader.oddities, reader.windows, reader.at_least


def _shown(reader: Reader, wire: bytes, certain: int) -> None:
    """What evidence shows stood on the wire, and all that is odd up to `certain` is there to be seen."""
    odd = [match.start() for match in _ODD.finditer(wire)]
    found = [oddity.offset for oddity in reader.oddities if oddity.kind is not OddityKind.LONG_LINE]
    assert found == odd[: len(found)], "what is listed as odd is not, or not all of it"
    due = [at for at in odd if at < certain][:_LISTED]
    assert reader.refused or found[: len(due)] == due, "an odd byte is not listed"
    windows = reader.windows
    for window in windows:
        assert wire[window.offset :].startswith(window.raw), "evidence of bytes that nobody sent"
    for at in [] if reader.at_least else found:
        around = [(at - window.offset, window.raw) for window in windows if window.offset <= at]
        assert any(before < len(raw) for before, raw in around), "an odd byte without evidence"


def _written(content: bytes, where: Positions, *, ended: bool) -> None:
    writer = Writer()
    wire = writer.write(content) + writer.finish()
    slow = Writer()
    cut = b"".join(slow.write(content[at : at + 1]) for at in range(len(content))) + slow.finish()
    assert cut == wire, "slicing changed what is written"
    assert (b"\r\n" + wire).count(b"\r\n.\r\n") == 1, "a second end"
    assert not ended or not re.search(rb"(?:\r(?!\n)|(?<!\r)\n|\0)[\r\n\0. ]", wire), "an odd byte beside a line end"
    if Position.NOTE not in (where.bare_lf, where.bare_cr, where.nul):
        assert not _ODD.search(wire), "an odd byte is written"
    assert wire.replace(b"\r\n..", b"\r\n.").startswith(content.removeprefix(b".")) or content.startswith(b"."), "lost"
