"""The header section as it is written: every program behind us ends it where we do (promise 8)."""

import email.parser
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import bytewise, cut
from tidewaiter.lines import header
from tidewaiter.lines.header import INSERTED_LIMIT, NAME_LIMIT, HeaderWriter

RECEIVED = b"Received: from x\r\n\tby y; z\r\n"
PIECES = [
    *(b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b"x", b".", b"From: a@b.test", b"From ", b">From ", b"Subject : y"),
    *(b"\xff", b"\x07", b"x" * NAME_LIMIT, b" " * NAME_LIMIT, b"Received: z", b"\r\n "),
]
NOTED = [*PIECES, b"\ry", b"\ny", b"\0y", b"\r:", b"\0:"]
CONTENT = st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join)
ODD_CONTENT = st.lists(st.sampled_from(NOTED), max_size=9).map(b"".join).filter(lambda it: it[-1:] not in b"\r\n\0")


def written(*pieces: bytes) -> tuple[bytes, int]:
    """What comes of content, and where it was odd."""
    writer = HeaderWriter()
    return b"".join(map(writer.feed, pieces)) + writer.finish(), writer.odd


LONG = b"x" * NAME_LIMIT
WRITTEN = {
    b"": b"",
    b"\r\nbody\r\n": b"\r\nbody\r\n",
    b"Subject: x\r\n\r\nbody\r\n": b"Subject: x\r\n\r\nbody\r\n",
    b"Subject: x\r\n y\r\n\tz\r\n\r\n w\r\nv": b"Subject: x\r\n y\r\n\tz\r\n\r\n w\r\nv",
    b"Subject: x\r\n": b"Subject: x\r\n",
    b"Subject: x": b"Subject: x",
    b"Subject \t: x\r\n\r\n": b"Subject \t: x\r\n\r\n",
    b"X!\"#$%&'()*+,-./09;<=>?@AZ[\\]^_`az{|}~:\r\n\r\n": b"X!\"#$%&'()*+,-./09;<=>?@AZ[\\]^_`az{|}~:\r\n\r\n",
    b" x\r\n": b"\r\n x\r\n",
    b"\tSubject: x\r\n\r\nbody\r\n": b"\r\n\tSubject: x\r\n\r\nbody\r\n",
    b" ": b"\r\n ",
    b"Hello\r\nFrom: a@b.test\r\n\r\n": b"\r\nHello\r\nFrom: a@b.test\r\n\r\n",
    b"Subject: x\r\nHello\r\nFrom: a@b.test\r\n": b"Subject: x\r\n\r\nHello\r\nFrom: a@b.test\r\n",
    b"Subject: x\r\nFoo bar: y\r\n": b"Subject: x\r\n\r\nFoo bar: y\r\n",
    b"Subject: x\r\n: y\r\n": b"Subject: x\r\n\r\n: y\r\n",
    b"Subject: x\r\n.\r\n": b"Subject: x\r\n\r\n.\r\n",
    b"Subject: x\r\nna\xc3\xafve: y\r\n": b"Subject: x\r\n\r\nna\xc3\xafve: y\r\n",
    b"Subject: x\r\nna\x07me: y\r\n": b"Subject: x\r\n\r\nna\x07me: y\r\n",
    b"Subject: x\r\nSubj": b"Subject: x\r\n\r\nSubj",
    LONG + b": x\r\n\r\n": LONG + b": x\r\n\r\n",
    LONG + b"x: x\r\n\r\n": b"\r\n" + LONG + b"x: x\r\n\r\n",
    b"From a@b.test Mon Jan 1 00:00:00 2024\r\nSubject: x\r\n\r\nbody": (
        b"X-Mailbox-Line: From a@b.test Mon Jan 1 00:00:00 2024\r\nSubject: x\r\n\r\nbody"
    ),
    b">From a@b.test\r\nSubject: x\r\n\r\n": b"X-Mailbox-Line: >From a@b.test\r\nSubject: x\r\n\r\n",
    b"From a@b.test\r\nHello\r\n": b"X-Mailbox-Line: From a@b.test\r\n\r\nHello\r\n",
    b"From ": b"X-Mailbox-Line: From ",
    b">" * (NAME_LIMIT - 4) + b"From a\r\n": b"X-Mailbox-Line: " + b">" * (NAME_LIMIT - 4) + b"From a\r\n",
    b">" * (NAME_LIMIT - 3) + b"From a\r\n": b"\r\n" + b">" * (NAME_LIMIT - 3) + b"From a\r\n",
    b"From : a@b.test\r\n\r\n": b"From : a@b.test\r\n\r\n",
    b"From: a@b.test\r\n\r\n": b"From: a@b.test\r\n\r\n",
    b"Subject: x\r\nFrom a@b.test\r\n": b"Subject: x\r\n\r\nFrom a@b.test\r\n",
    b"From\ta@b.test\r\n": b"\r\nFrom\ta@b.test\r\n",
    b"\r\nFrom a@b.test\r\n x\r\n": b"\r\nFrom a@b.test\r\n x\r\n",
}
REPAIRED = {
    b"Subject: x\ny: z\rw\0v\r\n\r\na\rb\nc\0d": b"Subject: x\r\ny: z w v\r\n\r\na\rb\nc\0d",
    b"\nFrom: x": b"\r\nFrom: x",
    b"\rx": b"\r\n\rx",
    b"\0x": b"\r\n\0x",
    b"Subject: x\n\ny\nz": b"Subject: x\r\n\r\ny\nz",
    b"Subject: x\nHello\nFrom: y": b"Subject: x\r\n\r\nHello\nFrom: y",
    b"Subject\r: x\r\n\r\n": b"Subject : x\r\n\r\n",
    b"Subject: x\r\r\n\r\n": b"Subject: x \r\n\r\n",
}


@pytest.mark.parametrize("content", [*WRITTEN, *REPAIRED])
def test_the_section_ends_for_everybody_where_it_ends_for_us(content: bytes) -> None:
    wanted = (WRITTEN | REPAIRED)[content]
    assert written(content)[0] == wanted
    assert written(*bytewise(content))[0] == wanted


@pytest.mark.parametrize("content", WRITTEN)
def test_what_was_odd_is_told_by_its_place(content: bytes) -> None:
    wanted = next((at for at, pair in enumerate(zip(content, WRITTEN[content])) if pair[0] != pair[1]), -1)  # noqa: B905  # one is longer
    if len(WRITTEN[content]) > len(content):
        # An empty line before a line that begins with CR LF would look as if it came behind it.
        assert written(content)[1] == (wanted if wanted >= 0 else len(content))
    else:
        assert written(content)[1] == -1


@given(CONTENT | ODD_CONTENT, st.data())
@example(b"\r", None)
def test_slicing_never_changes_what_is_written(content: bytes, data: st.DataObject | None) -> None:
    whole = written(content)
    assert written(*bytewise(content)) == whole
    if data is not None:
        assert written(*data.draw(cut(content))) == whole


@given(CONTENT)
def test_nothing_is_lost_and_no_more_is_written_than_the_budget_has(content: bytes) -> None:
    said, odd = written(content)
    assert len(content) <= len(said) <= len(content) + INSERTED_LIMIT
    assert (said != content) is (odd >= 0)
    assert re.fullmatch(rb"(?:X-Mailbox-Line: )?", said.removesuffix(content)) or content in (
        said.replace(b"X-Mailbox-Line: ", b"", 1),
        *(said[:at] + said[at + 2 :] for at in range(len(said)) if said[at : at + 2] == b"\r\n"),
        *(
            (said[:at] + said[at + 2 :]).replace(b"X-Mailbox-Line: ", b"", 1)
            for at in range(len(said))
            if said[at : at + 2] == b"\r\n"
        ),
    )


@given(CONTENT | ODD_CONTENT)
def test_what_was_written_once_is_not_changed_again(content: bytes) -> None:
    said = written(content)[0]
    if not said.startswith(b"\r\n"):
        assert written(said) == (said, -1)


@given(CONTENT)
def test_a_parser_that_skips_what_is_no_field_finds_no_other_field(content: bytes) -> None:
    """An oracle that knows nothing of ours: it reads each line alone, and only an empty one ends the section."""
    wire = RECEIVED + written(content)[0]
    section = wire.partition(b"\r\n\r\n")[0].split(b"\r\n")
    for at, line in enumerate(section):
        assert (
            line[:1] in (b" ", b"\t") or re.match(rb"[!-9;-~]+[ \t]*:", line) or (at == len(section) - 1 and not line)
        )
    assert section[:2] == RECEIVED.split(b"\r\n")[:2]
    assert len(section) < 3 or section[2][:1] not in (b" ", b"\t"), "our field was gone on with"


@given(CONTENT)
def test_another_parser_finds_the_body_where_the_empty_line_is(content: bytes) -> None:
    """The standard library's ends the section at the first line that it takes for no field."""
    wire = RECEIVED + written(content)[0]
    read = email.parser.BytesHeaderParser().parsebytes(wire)
    section, _, _ = wire.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode() for line in section.split(b"\r\n") if line and line[:1] not in b" \t"]
    if not any(name != name.strip() for name in names):
        assert read.keys() == names


def test_what_is_held_is_bounded_whatever_comes() -> None:
    for byte in (b"x", b">", b" ", b"\t"):
        writer = HeaderWriter()
        writer.feed(b"x")
        for _ in range(3 * NAME_LIMIT):
            writer.feed(byte)
            assert len(writer.state.held) <= 2 * NAME_LIMIT
    assert header.INSERTED_LIMIT == 18
