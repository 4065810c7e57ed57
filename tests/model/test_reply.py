"""A reply cannot hold a second line (promise 8)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.model.reply import Reply, ReplyError

TEXT = st.text(st.sampled_from("aZ 0-.\r\n\0\t\x7f\u00fc\u2028"), max_size=40)


@given(st.integers(200, 599), st.sampled_from(["", "2.0.0", "5.7.1", "4.3.2"]), st.lists(TEXT, min_size=1, max_size=4))
def test_whatever_is_put_in_each_line_stays_one_line(code: int, enhanced: str, lines: list[str]) -> None:
    if enhanced and enhanced[0] != str(code)[0]:
        enhanced = ""
    reply = Reply.of(code, enhanced, *lines)
    wire = reply.wire.decode("ascii")
    written = wire.split("\r\n")
    assert written.pop() == ""
    assert len(written) == len(lines)
    assert re.fullmatch(r"[ -~\r\n]*", wire)
    for line, end in zip(written, "-" * (len(lines) - 1) + " ", strict=True):
        assert line.startswith(f"{code}{end}{enhanced}")
        assert not set(line) & {"\r", "\n"}


@pytest.mark.parametrize(
    ("code", "enhanced", "lines"),
    [
        (250, "", ()),
        (250, "", ("a\r\nb",)),
        (250, "", ("a\n",)),
        (250, "", ("a\r",)),
        (250, "", ("a\0",)),
        (250, "", ("\u00fc",)),
        (250, "", ("ok\r\n250 ok",)),
        (250, "", ("a", "b\r\n250-c")),
        (250, "", ("x" * 507,)),
        (199, "", ("a",)),
        (600, "", ("a",)),
        (25, "", ("a",)),
        (2500, "", ("a",)),
        (250, "5.0.0", ("a",)),
        (550, "2.0.0", ("a",)),
        (250, "2.0", ("a",)),
        (250, "2.0.0.0", ("a",)),
        (250, "2.0.0\r\n250", ("a",)),
        (250, "2.1000.0", ("a",)),
    ],
)
def test_what_may_not_be_sent_cannot_be_made(code: int, enhanced: str, lines: tuple[str, ...]) -> None:
    with pytest.raises(ReplyError):
        Reply(code, enhanced, lines)


def test_a_reply_is_written_with_its_code_on_each_line() -> None:
    reply = Reply(550, "5.7.1", ("No", "and no"))
    assert reply.wire == b"550-5.7.1 No\r\n550 5.7.1 and no\r\n"
    assert str(reply) == "550 5.7.1 No / and no"
    assert Reply(354, "", ("Go",)).wire == b"354 Go\r\n"
    assert str(Reply(354, "", ("Go",))) == "354 Go"


def test_the_longest_line_is_512_octets() -> None:
    assert len(Reply(250, "", ("x" * 506,)).wire) == 512
    assert len(Reply.of(250, "2.100.100", "x" * 2000).wire) <= 512


@pytest.mark.parametrize(
    ("code", "positive", "permanent"),
    [
        (250, True, False),
        (354, True, False),
        (399, True, False),
        (400, False, False),
        (451, False, False),
        (499, False, False),
        (500, False, True),
    ],
)
def test_the_first_digit_says_what_it_means(code: int, *, positive: bool, permanent: bool) -> None:
    reply = Reply(code, "", ("x",))
    assert (reply.positive, reply.permanent) == (positive, permanent)


def test_a_final_reply_gets_an_enhanced_code() -> None:
    assert Reply(250, "", ("x",)).with_enhanced() == Reply(250, "2.0.0", ("x",))
    assert Reply(450, "", ("x",)).with_enhanced().wire == b"450 4.0.0 x\r\n"
    assert Reply(354, "", ("x",)).with_enhanced() == Reply(354, "", ("x",))
    given_already = Reply(550, "5.7.1", ("x",))
    assert given_already.with_enhanced() is given_already
