"""Mailboxes: parsed to a value, and written anew."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.model.address import Address, AddressError

LOCALS = st.text(
    st.sampled_from(string.ascii_letters + string.digits + "!#$%&'*+-/=?^_`{|}~. @<>\"\\(),:;[]\u00fc\u4e2d"),
    min_size=1,
)
DOMAINS = st.sampled_from(
    ["a", "b.test", "x-y.example", "_u.test", "[192.0.2.1]", "[IPv6:2001:db8::1]", "b\u00fccher.example"]
)


@given(LOCALS, DOMAINS)
def test_what_is_written_is_read_as_the_same(local: str, domain: str) -> None:
    address = Address(local, domain)
    assert Address.parse(str(address)) == address


@given(st.text(st.sampled_from('aA.@"\\<> \r\n\0[]:1-\u00fc\u2028')))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError:
        return
    written = str(address)
    assert Address.parse(written) == address
    assert not set(written) & set("\r\n\0\u2028")


@pytest.mark.parametrize(
    ("text", "local", "domain", "written"),
    [
        ("a@b.test", "a", "b.test", "a@b.test"),
        ("A.b+c@B.TEST", "A.b+c", "b.test", "A.b+c@b.test"),
        ('"a"@b.test', "a", "b.test", "a@b.test"),
        ('"a b"@b.test', "a b", "b.test", '"a b"@b.test'),
        ('"a\\"b\\\\"@b.test', 'a"b\\', "b.test", '"a\\"b\\\\"@b.test'),
        ('"\\a"@b.test', "a", "b.test", "a@b.test"),
        ('"a@b"@c.test', "a@b", "c.test", '"a@b"@c.test'),
        ('""@b.test', "", "b.test", '""@b.test'),
        ("a..b@c.test", "a..b", "c.test", '"a..b"@c.test'),
        ("a.@c.test", "a.", "c.test", '"a."@c.test'),
        (".a@c.test", ".a", "c.test", '".a"@c.test'),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]", "a@[192.0.2.1]"),
        ("a@[ipv6:2001:DB8:0::1]", "a", "[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"),
        ("a@[IPv6:::ffff:192.0.2.1]", "a", "[IPv6:::ffff:c000:201]", "a@[IPv6:::ffff:c000:201]"),
        ("\u00fc@b.test", "\u00fc", "b.test", "\u00fc@b.test"),
        ("a@B\u00fccher.Example", "a", "b\u00fccher.example", "a@b\u00fccher.example"),
        ("a@sub_domain.test", "a", "sub_domain.test", "a@sub_domain.test"),
    ],
)
def test_one_mailbox_has_one_value_and_one_spelling(text: str, local: str, domain: str, written: str) -> None:
    address = Address.parse(text)
    assert (address.local, address.domain, str(address)) == (local, domain, written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@b.test",
        "a@",
        "a@b@c.test",
        "a b@c.test",
        "a@b..c",
        "a@.b",
        "a@b.",
        "a@-b.test",
        "a@b-.test",
        "a@b c.test",
        "a@" + "b" * 64 + ".test",
        "a@" + "b." * 127 + "bc",
        '"a@b.test',
        '"a"b@c.test',
        '"a\r\nb"@c.test',
        '"a\nb"@c.test',
        '"a\0b"@c.test',
        '"a\tb"@c.test',
        '"a\\\nb"@c.test',
        "a@[192.0.2.256]",
        "a@[192.0.2.1",
        "a@[IPv6:2001:db8::1%eth0]",
        "a@[IPv6:2001:db8::g]",
        "a@[tag:content]",
        "a@[]",
        "<a@b.test>",
        "a\u2028b@c.test",
        "a\u2029b@c.test",
        "a\u0085b@c.test",
        "a\ud800b@c.test",
        "a@b\u2028c.test",
        "a@\u0661.test" + "x" * 64,
        "a@b\u00fc\r.test",
    ],
)
def test_what_is_no_mailbox_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        Address.parse(text)


def test_an_error_quotes_only_so_much() -> None:
    with pytest.raises(AddressError) as caught:
        Address.parse("x" * 10_000)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "ascii_only"), [("a@b.test", True), ("\u00fc@b.test", False), ("a@\u00fc.test", False)]
)
def test_an_address_knows_whether_it_needs_smtputf8(text: str, *, ascii_only: bool) -> None:
    assert Address.parse(text).is_ascii is ascii_only


def test_postmaster_alone_has_no_domain() -> None:
    assert str(Address("postmaster", "")) == "postmaster"


def test_the_longest_domain_is_taken() -> None:
    domain = "b." * 127 + "b"
    assert Address.parse(f"a@{domain}").domain == domain
    assert len(domain) == 255
