import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.files import DURATIONS, HOPS, SIZES
from tidewaiter.config import values
from tidewaiter.config.error import WrongValueError
from tidewaiter.config.values import Duration, NextHop, Size
from tidewaiter.wire import Service


@given(SIZES)
def test_a_size_written_and_read_is_the_same(size: Size) -> None:
    assert values.read_size(values.write_size(size)) == size


@given(DURATIONS)
def test_a_duration_written_and_read_is_the_same(duration: Duration) -> None:
    assert values.read_duration(values.write_duration(duration)) == duration


@given(HOPS)
def test_a_next_hop_written_and_read_is_the_same(hop: NextHop) -> None:
    assert values.read_next_hop(values.write_next_hop(hop)) == hop


@pytest.mark.parametrize(
    ("text", "size"), [("0B", 0), ("998B", 998), ("256KiB", 262_144), ("50MiB", 52_428_800), ("1GiB", 1_073_741_824)]
)
def test_a_size_is_counted_in_powers_of_1024(text: str, size: int) -> None:
    assert values.read_size(text) == size


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("30s", 30), ("5m", 300), ("12h", 43_200), ("30d", 2_592_000)]
)
def test_a_duration_is_in_seconds(text: str, seconds: float) -> None:
    assert values.read_duration(text) == seconds


SIZES_WRONG = ["", "5", "MiB", "5 MiB", "5mib", "5MB", "-5B", "1_0B", "+1B", "1.5GiB", "1e3B", "9" * 16 + "B"]
WRONG: dict[Callable[[str], object], list[str]] = {
    values.read_size: [*SIZES_WRONG, "\uff11B", "9999999GiB"],
    values.read_duration: ["", "5", "s", "5 s", "5S", "5min", "1h30m", "-1s", "1_0s", "0x1s", "\u0663s"],
    values.read_hostname: [
        *("", ".", "a..b", "-a.test", "a-.test", "a b", "a\nb", "a\r.test", "x" * 64, "a." * 127 + "aa"),
        *("[192.0.2.1]", "a/b", "xn--\u00e4", "a\0"),
    ],
    values.read_greeting: [
        *("", " ", " a", "a ", "a\n", "a\r\nb", "a\tb", "\u00fc", "a\0", "\x7f", "x" * 201, "220 a\r\n250 Ok"),
    ],
    values.read_domain_pattern: ["", "*.", "**", "*a.test", "a.*", "*.*", "@a.test"],
    values.read_network: ["", "192.0.2.1/24", "192.0.2.0/33", "300.0.0.0", "a.test", "2001:db8::/129", "192.0.2.0-9"],
    values.read_endpoint: [
        *("", "25", ":25", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "::1:25", "[192.0.2.1]:25", "mx.test:25"),
        *("192.0.2.1:2_5", "192.0.2.1:+25", "192.0.2.1:25 ", "[fe80::1%25eth0]:25"),
    ],
    values.read_next_hop: [
        *("", "smtp:", "smtp://", "mx.test:25", "smtp:/a", "http://a", "SMTP://a", "lmtp:", "lmtp:sock", "maildir:"),
        *("smtp://a:0", "smtp://a:b", "smtp://a@b", "smtp://::1", "smtp://[::1", "smtp://a/b", "smtp://a b"),
        "lmtp:/a\0b",
    ],
}


@pytest.mark.parametrize(("read", "text"), [(read, text) for read, texts in WRONG.items() for text in texts])
def test_what_is_not_in_the_grammar_is_refused(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(WrongValueError):
        read(text)


SAID: list[tuple[Callable[[str], object], str, str]] = [
    (values.read_next_hop, "smtp://[1]:25", "1 is not an IPv6 address"),
    (values.read_next_hop, "smtp://[::ffff:300.1.1.1]:25", "::ffff:300.1.1.1 is not an IPv6 address"),
    (values.read_network, "192.0.2.1/24", "bits are set beyond the prefix; write 192.0.2.0/24"),
    (values.read_network, "192.0.2.0/99", "write a network such as 192.0.2.0/24 or 2001:db8::/32"),
    (values.read_hostname, "\u2603.test", "no domain name can be so; write one such as mx.example.org"),
    (values.read_size, "9999999GiB", "too large; write a size such as 256KiB, 50MiB or 1GiB"),
]


@pytest.mark.parametrize(("read", "text", "said"), SAID)
def test_what_is_said_is_a_sentence_of_ours(read: Callable[[str], object], text: str, said: str) -> None:
    with pytest.raises(WrongValueError) as caught:
        read(text)
    assert str(caught.value) == said


@pytest.mark.parametrize("text", ["x", "Tidewaiter", "No UCE here", "x" * 200, "~ !"])
def test_a_greeting_is_one_line_of_visible_ascii(text: str) -> None:
    assert values.read_greeting(text) == text
    assert len(Service("x" * 253, banner=text).greeting.wire) <= 512


@pytest.mark.parametrize("read", list(WRONG))
@given(text=st.text(max_size=40))
def test_a_reader_gives_a_value_or_says_what_to_write(read: Callable[[str], object], text: str) -> None:
    with contextlib.suppress(WrongValueError):
        read(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [("MX.Example", "mx.example"), ("bücher.example", "xn--bcher-kva.example"), ("_25._tcp.a", "_25._tcp.a")],
)
def test_a_name_is_kept_as_dns_has_it(text: str, name: str) -> None:
    assert values.read_hostname(text) == name
