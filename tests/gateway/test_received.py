"""Our one header field."""

import pytest

from tidewaiter.gateway.mail.received import FIELD_LIMIT, opening, received
from tidewaiter.lines.header import INSERTED_LIMIT
from tidewaiter.model.address import Address

START = opening(hello="client.test", address="192.0.2.1", hostname="mx.test", protocol="ESMTPS")


def test_the_field_says_from_whom_by_whom_how_for_whom_and_when() -> None:
    assert received(START, "0123456789abcdef0123", [Address("b", "inside.test")], 1_790_000_000.5) == (
        b"Received: from client.test ([192.0.2.1])\r\n"
        b"\tby mx.test with ESMTPS id 0123456789abcdef0123\r\n"
        b"\tfor <b@inside.test>; Mon, 21 Sep 2026 14:13:20 +0000\r\n"
    )


def test_an_ipv6_client_is_named_as_a_literal() -> None:
    assert "([IPv6:2001:db8::1])" in opening(hello="x", address="2001:db8::1", hostname="y", protocol="SMTP")


@pytest.mark.parametrize(
    "recipients", [[Address("a", "b.test"), Address("c", "d.test")], [Address("x" * 300, "b.test")]]
)
def test_several_recipients_are_not_shown_to_one_another_nor_one_that_fits_no_line(recipients: list[Address]) -> None:
    assert b"for <" not in received(START, "id", recipients, 0.0)


@pytest.mark.parametrize("local", ["p" * 252, "\u4e2d" * 84, "\u4e2d" * 254])
def test_the_field_is_never_longer_than_what_size_leaves_for_it(local: str) -> None:
    start = opening(hello="h" * 255, address="2001:db8:1:2:3:4:5:6", hostname="m" * 253, protocol="UTF8SMTPS")
    wire = received(start, "i" * 20, [Address(local, "d")], 0.0)
    assert len(wire) + INSERTED_LIMIT <= FIELD_LIMIT, "with what is written into the header section"
    assert all(len(line) <= 998 for line in wire.split(b"\r\n"))


def test_several_recipients_leave_nothing_where_one_would_be_named() -> None:
    two = [Address("a", "b.test"), Address("c", "d.test")]
    assert received(START, "0123", two, 1_790_000_000.5) == (
        b"Received: from client.test ([192.0.2.1])\r\n"
        b"\tby mx.test with ESMTPS id 0123; Mon, 21 Sep 2026 14:13:20 +0000\r\n"
    )


@pytest.mark.parametrize(("length", "named"), [(254, True), (255, False)])
def test_a_path_of_256_octets_with_its_brackets_is_the_longest_that_is_named(length: int, named: bool) -> None:
    assert (b"for <" in received(START, "id", [Address("x" * (length - 2), "d")], 0.0)) is named
