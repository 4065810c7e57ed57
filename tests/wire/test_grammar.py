"""Arguments of commands: strictly read, and nothing but our own error for whatever stands there."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import Offers, replies
from tidewaiter.wire.errors import RemoteProtocolError
from tidewaiter.wire.grammar import parse_chunk, parse_hello, parse_mail, parse_rcpt

ALL = Offers(eight_bit=True, utf8=True, size=1000)
A = Address("a", "b.test")
ARGUMENTS = st.binary() | st.lists(
    st.sampled_from(
        [
            b"FROM:",
            b"TO:",
            b"<",
            b">",
            b"@",
            b"a",
            b"b.test",
            b" ",
            b'"',
            b"\\",
            b"SIZE=",
            b"1",
            b"\xc3\xbc",
            b"\xff",
            b":",
            b",",
            b"BODY=8BITMIME",
            b"SMTPUTF8",
            b"=",
        ]
    )
).map(b"".join)


@pytest.mark.parametrize(
    ("argument", "mail"),
    [
        (b"FROM:<>", Mail(None)),
        (b"from:<a@b.test>", Mail(A)),
        (b"FROM: <a@b.test>", Mail(A)),
        (b"FROM:<a@B.Test>  SIZE=10", Mail(A, 10)),
        (b"FROM:<a@b.test> size=0000000010", Mail(A, 10)),
        (b"FROM:<a@b.test> SIZE=" + b"9" * 20, Mail(A, 10**20 - 1)),
        (b"FROM:<a@b.test> BODY=8bitmime", Mail(A, eight_bit=True)),
        (b"FROM:<a@b.test> body=7BIT", Mail(A)),
        (b"FROM:<a@b.test> SMTPUTF8", Mail(A, utf8=True)),
        (b"FROM:<> SIZE=1 SMTPUTF8 BODY=8BITMIME", Mail(None, 1, eight_bit=True, utf8=True)),
        (b"FROM:<\xc3\xbc@b.test> SMTPUTF8", Mail(Address("\u00fc", "b.test"), utf8=True)),
        (b"FROM:<@x.test:a@b.test>", Mail(A)),
        (b"FROM:<@x.test,@y.test:a@b.test>", Mail(A)),
        (b'FROM:<"a>b c"@b.test>', Mail(Address("a>b c", "b.test"))),
        (b'FROM:<"a\\"> SIZE=2"@b.test>', Mail(Address('a"> SIZE=2', "b.test"))),
    ],
)
def test_mail_is_read(argument: bytes, mail: Mail) -> None:
    assert parse_mail(argument, ALL) == mail


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"", replies.MAIL_SYNTAX),
        (b"FROM", replies.MAIL_SYNTAX),
        (b"FROM:", replies.MAIL_SYNTAX),
        (b"FROM:a@b.test", replies.MAIL_SYNTAX),
        (b"FROM <a@b.test>", replies.MAIL_SYNTAX),
        (b"FROM :<a@b.test>", replies.MAIL_SYNTAX),
        (b"TO:<a@b.test>", replies.MAIL_SYNTAX),
        (b"FROM:<a@b.test", replies.MAIL_SYNTAX),
        (b"FROM:<a@b.test>SIZE=1", replies.MAIL_SYNTAX),
        (b"FROM:<a@b.test>>", replies.MAIL_SYNTAX),
        (b"FR\xc4\xb0M:<a@b.test>", replies.MAIL_SYNTAX),
        (b"FROM:<<a@b.test>>", replies.MAIL_SYNTAX),
        (b"FROM:<postmaster>", replies.BAD_SENDER),
        (b"FROM:<@x.test>", replies.BAD_SENDER),
        (b"FROM:<@x.test:>", replies.BAD_SENDER),
        (b"FROM:<@x.test,a@b.test>", replies.BAD_SENDER),
        (b"FROM:< >", replies.BAD_SENDER),
        (b"FROM:<a@b.test\t>", replies.BAD_SENDER),
        (b"FROM:<\xff@b.test> SMTPUTF8", replies.BAD_SENDER),
        (b"FROM:<\xc3\xbc@b.test>", replies.NEEDS_UTF8),
        (b"FROM:<\xc3\xbc@b.test> SIZE=1", replies.NEEDS_UTF8),
        (b"FROM:<a@b.test> SIZE", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=1_0", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=+10", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=-1", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=1\tBODY=8BITMIME", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=\xd9\xa1", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=" + b"1" * 21, replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=1 SIZE=1", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SIZE=1 size=2", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> BODY", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SMTPUTF8=", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> SMTPUTF8=1", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test> BODY=BINARYMIME", replies.UNKNOWN_PARAMETER),
        (b"FROM:<a@b.test> RET=FULL", replies.UNKNOWN_PARAMETER),
        (b"FROM:<a@b.test> AUTH=<>", replies.UNKNOWN_PARAMETER),
        (b"FROM:<a@b.test> S\xc4\xb1ZE=1", replies.UNKNOWN_PARAMETER),
        (b"FROM:<a@b.test>\tSIZE=1", replies.MAIL_SYNTAX),
    ],
)
def test_mail_is_refused(argument: bytes, reply: object) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_mail(argument, ALL)
    assert caught.value.reply is reply


@pytest.mark.parametrize("parameter", [b"SIZE=1", b"BODY=8BITMIME", b"BODY=7BIT", b"SMTPUTF8"])
def test_what_was_not_offered_is_not_known(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="Parameter") as caught:
        parse_mail(b"FROM:<a@b.test> " + parameter, Offers())
    assert caught.value.reply is replies.UNKNOWN_PARAMETER


@pytest.mark.parametrize(
    ("argument", "recipient"),
    [
        (b"TO:<a@b.test>", A),
        (b"to: <a@b.test>", A),
        (b"TO:<@x.test:a@b.test>", A),
        (b"TO:<Postmaster>", Address("postmaster", "")),
        (b"TO:<a@[192.0.2.1]>", Address("a", "[192.0.2.1]")),
    ],
)
def test_rcpt_is_read(argument: bytes, recipient: Address) -> None:
    assert parse_rcpt(argument, utf8=False) == recipient


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"", replies.RCPT_SYNTAX),
        (b"TO:a@b.test", replies.RCPT_SYNTAX),
        (b"FROM:<a@b.test>", replies.RCPT_SYNTAX),
        (b"TO:<>", replies.BAD_RECIPIENT),
        (b"TO:<root>", replies.BAD_RECIPIENT),
        (b"TO:<a@b.test> ORCPT=rfc822;a@b.test", replies.UNKNOWN_PARAMETER),
        (b"TO:<\xc3\xbc@b.test>", replies.NEEDS_UTF8),
    ],
)
def test_rcpt_is_refused(argument: bytes, reply: object) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_rcpt(argument, utf8=False)
    assert caught.value.reply is reply


def test_rcpt_takes_utf8_where_mail_said_so() -> None:
    assert parse_rcpt(b"TO:<\xc3\xbc@b.test>", utf8=True) == Address("\u00fc", "b.test")


@given(ARGUMENTS)
@example(b"FROM:<" + b"@" * 900 + b">")
@example(b'FROM:<"' + b"\\" * 900 + b">")
def test_no_argument_raises_anything_but_a_refusal(argument: bytes) -> None:
    _try(parse_hello, argument)
    _try(parse_chunk, argument)
    _try(parse_mail, argument, ALL)
    _try(parse_rcpt, argument, utf8=True)


@given(ARGUMENTS)
def test_what_mail_reads_is_written_anew_on_one_line(argument: bytes) -> None:
    mail = _try(parse_mail, b"FROM:" + argument, ALL)
    if mail is not None and mail.sender is not None:
        written = f"FROM:<{mail.sender}> SMTPUTF8".encode()
        assert not set(written) & set(b"\r\n\0")
        assert parse_mail(written, ALL).sender == mail.sender


@given(st.binary(max_size=20) | st.from_regex(rb"[0-9 +_.-]{0,14}( LAST)?"))
def test_a_count_is_digits_and_nothing_else(argument: bytes) -> None:
    count, last = argument.removesuffix(b" LAST"), argument.endswith(b" LAST")
    lawful = 1 <= len(count) <= 10 and all(chr(byte) in string.digits for byte in count)
    chunk = _try(parse_chunk, argument)
    if lawful:
        assert chunk == (int(count), last)
    elif not argument.upper().endswith(b" LAST") or last:
        assert chunk is None


@pytest.mark.parametrize(
    ("argument", "name"),
    [
        (b"client.test", "client.test"),
        (b" [192.0.2.1] ", "[192.0.2.1]"),
        (b"x" * 255, "x" * 255),
        (b"a\xff\x7f", "a??"),
        (b"\ta\v", "?a?"),
        (b"XaX", "XaX"),
    ],
)
def test_hello_is_read(argument: bytes, name: str) -> None:
    assert parse_hello(argument) == name


@pytest.mark.parametrize("argument", [b"", b" ", b"x" * 256])
def test_hello_is_refused(argument: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_hello(argument)
    assert caught.value.reply is replies.HELLO_SYNTAX


def _try(parse: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return parse(*arguments, **named)
    except RemoteProtocolError:
        return None
