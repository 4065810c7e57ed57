"""What EHLO offers: written and read as one value."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.talk import SERVICE
from tidewaiter.wire.offers import Offers, parse_offers
from tidewaiter.wire.xclient import xclient_command, xtext

FLAGS = ("pipelining", "eight_bit", "utf8", "chunking", "starttls", "enhanced")


@given(
    st.builds(
        Offers,
        **dict.fromkeys(FLAGS, st.booleans()),
        size=st.none() | st.integers(0, 10**12),
        xclient=st.just(frozenset()),
    )
)
def test_what_is_offered_is_what_is_read(offers: Offers) -> None:
    assert parse_offers(offers.keywords()) == offers


@pytest.mark.parametrize("keyword", ["BINARYMIME", "REQUIRETLS", "DELIVERBY", "XCLIENT", "AUTH"])
def test_some_things_are_never_offered(keyword: str) -> None:
    everything = replace(SERVICE.offers, size=1, xclient=frozenset({"NAME"}))
    assert keyword not in " ".join(everything.keywords())


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("pipelining", Offers(pipelining=True, enhanced=False)),
        ("8bitmime", Offers(eight_bit=True, enhanced=False)),
        ("SIZE", Offers(size=0, enhanced=False)),
        ("SIZE 10", Offers(size=10, enhanced=False)),
        ("SIZE 1_0", Offers(size=0, enhanced=False)),
        ("SIZE -1", Offers(size=0, enhanced=False)),
        ("SIZE \u0661", Offers(size=0, enhanced=False)),
        ("SIZE 1 2", Offers(size=0, enhanced=False)),
        ("xclient name Addr", Offers(xclient=frozenset({"NAME", "ADDR"}), enhanced=False)),
        ("", Offers(enhanced=False)),
        ("AUTH PLAIN", Offers(enhanced=False)),
    ],
)
def test_a_line_of_ehlo_is_read(line: str, offers: Offers) -> None:
    assert parse_offers([line]) == offers


@given(st.text())
def test_xtext_is_visible_and_can_be_undone(text: str) -> None:
    encoded = xtext(text) if text.isascii() else xtext(text.encode("utf-8", "replace").decode())
    assert all("!" <= character <= "~" and character != "=" for character in encoded)
    parts = encoded.split("+")
    undone = parts[0].encode() + b"".join(bytes([int(part[:2], 16)]) + part[2:].encode() for part in parts[1:])
    assert undone.decode() == text.encode("utf-8", "replace").decode()


def test_visible_ascii_stands_for_itself_but_for_two() -> None:
    visible = "".join(map(chr, range(0x21, 0x7F)))
    assert xtext(visible) == visible.replace("+", "+2B").replace("=", "+3D")
    assert xtext(" \x7f\xfc") == "+20+7F+C3+BC"


@pytest.mark.parametrize(
    ("attributes", "offered", "command"),
    [
        ({"NAME": "c.test", "ADDR": "192.0.2.1"}, {"ADDR"}, b"XCLIENT ADDR=192.0.2.1"),
        ({"NAME": "", "ADDR": "192.0.2.1"}, {"NAME", "ADDR"}, b"XCLIENT NAME=[UNAVAILABLE] ADDR=192.0.2.1"),
        ({"HELO": "x" * 600, "NAME": "a"}, {"HELO", "NAME"}, b"XCLIENT NAME=a HELO=[UNAVAILABLE]"),
        ({"HELO": "x" * 497}, {"HELO"}, b"XCLIENT HELO=" + b"x" * 497),
        ({"HELO": "x" * 498}, {"HELO"}, b"XCLIENT HELO=[UNAVAILABLE]"),
    ],
)
def test_xclient_tells_what_is_taken(attributes: dict[str, str], offered: set[str], command: bytes) -> None:
    assert xclient_command(attributes, frozenset(offered)) == command
    assert len(command) + 2 <= 512
