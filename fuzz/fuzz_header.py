"""What writes the header section, fed with anything, cut anyhow.

The first byte says how the rest is cut; the rest is content as the reader gives it, so its line ends are made honest
but for those that `note` leaves before an ordinary byte.
What must hold is kept by a reader of lines that knows nothing of it: behind our own field every line of the section is
a field or goes on with one, and what was written in is an empty line and the one prefix.
"""

import re

from tidewaiter.lines.header import INSERTED_LIMIT, MAILBOX_LINE, NAME_LIMIT, HeaderWriter

PARTS = ("src/tidewaiter/lines/header.py",)
WORDS = (b":", b" ", b"\t", b"From ", b">", b"x:", b"\xff", b"Received:", b"\r\n ", b"x" * NAME_LIMIT)
EAR = "tidewaiter.lines.header:HeaderWriter.feed"
VECTORS: tuple[str, ...] = ()

_LINE = re.compile(rb"[ \t]|[!-9;-~]{1,%d}[ \t]{0,%d}:" % (NAME_LIMIT, NAME_LIMIT))
_ODD = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_HELD = re.compile(rb"(?:\r(?!\n)|(?<!\r)\n|\0)(?=[\r\n\0. ]|\Z)")


def says(wire: bytes) -> bytes:
    """The input that delivers `wire`, cut behind every byte."""
    return b"\1" + wire


SEEDS = [
    says(content)
    for content in (
        b"Subject: x\r\n y\r\n\r\nbody\r\n",
        b" x\r\n\r\n",
        b"\tx: y\r\n",
        b"Subject: x\r\nno field\r\nFrom: y\r\n\r\n",
        b"From a@b.test Mon Jan\r\nSubject: x\r\n\r\n",
        b">From a\r\n y\r\nz\r\n",
        b">" * (NAME_LIMIT - 4) + b"From a\r\n",
        b">" * (NAME_LIMIT - 3) + b"From a\r\n",
        b"x" * (3 * NAME_LIMIT) + b": y\r\n",
        b"x" + b" " * (3 * NAME_LIMIT) + b": y\r\n",
        b"Subject: x\ny\r\n\rz",
        b"x\0: y\r\n\0z\r\nw",
        b"Subj",
    )
]


def one_input(data: bytes) -> None:
    """Hold every invariant of the section against one input."""
    if not data:
        return
    # What a reader in `note` would give: nothing odd beside a line end, nor at the end.
    content = data[1:]
    while _HELD.search(content):
        content = _HELD.sub(b"_", content)
    size = data[0] % 16
    packets = [content[at : at + size] for at in range(0, len(content), size)] if size else [content]
    said, odd = _said(packets)
    assert (said, odd) == _said([content]), "slicing changed what is written"
    section, empty, body = (b"x: y\r\n" + said).partition(b"\r\n\r\n")
    lines = section.split(b"\r\n")
    assert not _ODD.search(section), "an odd byte in the section"
    assert all(map(_LINE.match, filter(None, lines))), "a line that is no field"
    assert all(lines[:-1]), "an empty line that ends nothing"
    assert len(lines) < 2 or lines[1][:1] not in (b" ", b"\t") or not lines[1], "our field is gone on with"
    assert len(said) <= len(content) + INSERTED_LIMIT + len(_ODD.findall(content)), "too much is written in"
    assert _calm(content).endswith(_calm(body)), "another body"
    if not _ODD.search(content):
        assert content in _without(said, section, empty, body), "something is lost"
        assert (said != content) is (odd >= 0), "what was done is not told"


def _calm(text: bytes) -> bytes:
    """As a next hop may take it: what is held at the very end is repaired, what came before may be kept."""
    return re.sub(rb"\r(?!\n)|\0", b" ", re.sub(rb"(?<!\r)\n", b"\r\n", text))


def _without(said: bytes, section: bytes, empty: bytes, body: bytes) -> set[bytes]:
    """What the content may have been: without the prefix, without the line, without both."""
    first = section.removeprefix(b"x: y").removeprefix(b"\r\n")
    joined = first + b"\r\n" + body if first and empty else body
    return {each for whole in (said, joined) for each in (whole, whole.removeprefix(MAILBOX_LINE))}


def _said(packets: list[bytes]) -> tuple[bytes, int]:
    writer = HeaderWriter()
    said = b""
    for packet in packets:
        said += writer.feed(packet)
        assert len(writer.state.held) <= 2 * NAME_LIMIT + 1, "too much is held"
    return said + writer.finish(), writer.odd
