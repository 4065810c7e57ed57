"""The strict reader and the one writer, fed with anything, cut anyhow.

The first byte chooses the positions and DATA or BDAT, the second how the rest is cut; the rest is the wire, byte for
byte, so whatever an attacker can send, this harness can say.
"""

import re

from tidewaiter.lines.reader import Reader
from tidewaiter.lines.writer import Writer
from tidewaiter.model.position import Position, Positions

PARTS = ("src/tidewaiter/lines/scan.py", "src/tidewaiter/lines/reader.py", "src/tidewaiter/lines/writer.py")
EAR = "tidewaiter.lines.reader:Reader.feed"
VECTORS = ("content",)
_PLACES = list(Position)
_ODD = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


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
    content, used, ended, refused = whole
    at = (b"\r\n" + wire).find(b"\r\n.\r\n")
    assert (used, ended) == ((at + 3, True) if at >= 0 and not counted else (len(wire), False)), "another end"
    if not refused:
        _written(content, where, ended=ended or counted)


def _read(packets: list[bytes], where: Positions, *, counted: bool) -> tuple[bytes, int, bool, bool]:
    reader = Reader(where, counted=counted)
    content, used, ended = b"", 0, False
    for packet in packets:
        piece = reader.feed(packet)
        content, used, ended = content + piece.content, used + piece.used, piece.ended
        if ended:
            break
    content += reader.finish() if counted else b""
    return b"" if reader.refused else content, used, ended, reader.refused is not None


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
