"""Arguments of commands: strictly read, and nothing but our own error for whatever stands there."""

import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import replies
from tidewaiter.wire.errors import RemoteProtocolError
from tidewaiter.wire.grammar import parse_chunk, parse_hello, parse_mail, parse_rcpt

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
            b"ENVID=",
            b"ORCPT=utf-8;",
            b"+2B",
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
    assert parse_mail(argument, extended=True) == mail


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
        (b"FROM:<postmaster>", replies.BARE_SENDER),
        (b"FROM:<root>", replies.BARE_SENDER),
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
        (b"FROM:<a@b.test> S\xc4\xb1ZE=1", replies.PARAMETER_SYNTAX),
        (b"FROM:<a@b.test>\tSIZE=1", replies.MAIL_SYNTAX),
    ],
)
def test_mail_is_refused(argument: bytes, reply: object) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_mail(argument, extended=True)
    assert caught.value.reply is reply


BEHIND_MAIL = {
    b"SIZE=1": Mail(A, 1),
    b"BODY=8BITMIME": Mail(A, eight_bit=True),
    b"BODY=7BIT": Mail(A),
    b"SMTPUTF8": Mail(A, utf8=True),
    b"AUTH=<>": Mail(A),
    b"auth=<>": Mail(A),
    b"RET=FULL": Mail(A),
    b"ret=hdrs": Mail(A),
    b"ENVID=QQ314159": Mail(A),
    b"ENVID=a+2B+20b+3D": Mail(A),
    b"AUTH=<> RET=FULL ENVID=x BODY=8BITMIME SIZE=9 SMTPUTF8": Mail(A, 9, eight_bit=True, utf8=True),
}
BEHIND_RCPT = (
    b"NOTIFY=NEVER",
    b"notify=success,Failure,DELAY",
    b"ORCPT=rfc822;a+2Bc@b.test",
    b"ORCPT=x400;/S+3Da/",
    b"ORCPT=utf-8;a\\x{FC}@b.test",
    b"NOTIFY=FAILURE ORCPT=rfc822;a@b.test",
)


@pytest.mark.parametrize("parameter", BEHIND_MAIL)
def test_what_honest_clients_ask_of_a_message_unasked_is_taken(parameter: bytes) -> None:
    assert parse_mail(b"FROM:<a@b.test> " + parameter, extended=True) == BEHIND_MAIL[parameter]


@pytest.mark.parametrize("parameter", BEHIND_RCPT)
def test_what_honest_clients_ask_about_a_recipient_is_taken_and_dropped(parameter: bytes) -> None:
    assert parse_rcpt(b"TO:<a@b.test> " + parameter, utf8=False, extended=True) == A


@pytest.mark.parametrize(
    "parameter",
    [
        *(b"BODY", b"BODY=", b"AUTH", b"AUTH=", b"RET", b"RET=", b"RET=ALL", b"RET=FULL,HDRS", b"ENVID", b"ENVID="),
        *(b"ENVID=a=b", b"ENVID=a+b", b"ENVID=+0A", b"ENVID=+7F", b"ENVID=+80", b"ENVID=\xc3\xbc", b"ENVID=a\x7f"),
        *(b"SIZE=1 SIZE=1", b"BODY=7BIT body=7BIT", b"AUTH=<> AUTH=<>", b"RET=FULL ret=HDRS", b"ENVID=a ENVID=a"),
        *(b"SMTPUTF8 SMTPUTF8", b"SMTPUTF8="),
    ],
)
def test_a_parameter_of_mail_that_is_malformed_or_doubled_is_refused(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_mail(b"FROM:<a@b.test> " + parameter, extended=True)
    assert caught.value.reply is replies.PARAMETER_SYNTAX


@pytest.mark.parametrize(
    "parameter",
    [
        *(b"NOTIFY", b"NOTIFY=", b"NOTIFY=NEVER,DELAY", b"NOTIFY=DELAY,NEVER", b"NOTIFY=,DELAY", b"NOTIFY=ALWAYS"),
        *(b"NOTIFY=DELAY,", b"ORCPT", b"ORCPT=", b"ORCPT=a@b.test", b"ORCPT=rfc822;", b"ORCPT=;a@b.test"),
        *(b"ORCPT=rfc822;a+b@c.test", b"ORCPT=rfc822;a=b", b"ORCPT=rfc822;a\x07", b"ORCPT=r f;a@b.test"),
        *(b"ORCPT=utf-8;\xc3\xbc@b.test", b"NOTIFY=DELAY notify=DELAY", b"ORCPT=a;b ORCPT=a;b"),
    ],
)
def test_a_parameter_of_rcpt_that_is_malformed_or_doubled_is_refused(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_rcpt(b"TO:<a@b.test> " + parameter, utf8=False, extended=True)
    assert caught.value.reply in (replies.PARAMETER_SYNTAX, replies.UNKNOWN_PARAMETER)
    assert caught.value.reply is replies.PARAMETER_SYNTAX or b" f;" in parameter


def test_an_original_recipient_may_be_beyond_ascii_where_mail_said_smtputf8() -> None:
    argument = b"TO:<a@b.test> ORCPT=utf-8;\xc3\xbc@b.test"
    assert parse_rcpt(argument, utf8=True, extended=True) == A


@pytest.mark.parametrize(
    "parameter",
    [
        *(
            b"BODY=BINARYMIME",
            b"BODY=9BIT",
            b"REQUIRETLS",
            b"BY=120;R",
            b"HOLDFOR=60",
            b"HOLDUNTIL=2030-01-01T00:00:00Z",
        ),
        *(
            b"AUTH=a@b.test",
            b"AUTH=<a@b.test>",
            b"MT-PRIORITY=3",
            b"NOTIFY=NEVER",
            b"ORCPT=rfc822;a@b.test",
            b"SUBMITTER=a",
        ),
    ],
)
def test_every_other_parameter_of_mail_is_not_known(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_mail(b"FROM:<a@b.test> " + parameter, extended=True)
    assert caught.value.reply is replies.UNKNOWN_PARAMETER


@pytest.mark.parametrize("parameter", [b"RET=FULL", b"SIZE=1", b"BODY=8BITMIME", b"RRVS=2014-04-03T23:01:00Z", b"X"])
def test_every_other_parameter_of_rcpt_is_not_known(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_rcpt(b"TO:<a@b.test> " + parameter, utf8=False, extended=True)
    assert caught.value.reply is replies.UNKNOWN_PARAMETER


@pytest.mark.parametrize("parameter", BEHIND_MAIL)
def test_behind_helo_mail_has_no_parameters(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_mail(b"FROM:<a@b.test> " + parameter, extended=False)
    assert caught.value.reply is replies.UNKNOWN_PARAMETER


@pytest.mark.parametrize("parameter", BEHIND_RCPT)
def test_behind_helo_rcpt_has_no_parameters(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_rcpt(b"TO:<a@b.test> " + parameter, utf8=False, extended=False)
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
    assert parse_rcpt(argument, utf8=False, extended=True) == recipient


@pytest.mark.parametrize(
    ("argument", "reply"),
    [
        (b"", replies.RCPT_SYNTAX),
        (b"TO:a@b.test", replies.RCPT_SYNTAX),
        (b"FROM:<a@b.test>", replies.RCPT_SYNTAX),
        (b"TO:<>", replies.BAD_RECIPIENT),
        (b"TO:<root>", replies.BARE_RECIPIENT),
        (b"TO:<root >", replies.BAD_RECIPIENT),
        (b"TO:<\xc3\xbc@b.test>", replies.NEEDS_UTF8),
    ],
)
def test_rcpt_is_refused(argument: bytes, reply: object) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_rcpt(argument, utf8=False, extended=True)
    assert caught.value.reply is reply


def test_rcpt_takes_utf8_where_mail_said_so() -> None:
    assert parse_rcpt(b"TO:<\xc3\xbc@b.test>", utf8=True, extended=True) == Address("\u00fc", "b.test")


@given(ARGUMENTS)
@example(b"FROM:<" + b"@" * 900 + b">")
@example(b'FROM:<"' + b"\\" * 900 + b">")
@example(b"TO:<a@b.test> ORCPT=utf-8;" + b"x" * 4000 + b"=")
@example(b"FROM:<a@b.test> ENVID=" + b"+20" * 1300 + b"=")
def test_no_argument_raises_anything_but_a_refusal(argument: bytes) -> None:
    _try(parse_hello, argument)
    _try(parse_chunk, argument)
    _try(parse_mail, argument, extended=True)
    _try(parse_rcpt, argument, utf8=True, extended=True)


@given(ARGUMENTS)
def test_what_mail_reads_is_written_anew_on_one_line(argument: bytes) -> None:
    mail = _try(parse_mail, b"FROM:" + argument, extended=True)
    if mail is not None and mail.sender is not None:
        written = f"FROM:<{mail.sender}> SMTPUTF8".encode()
        assert not set(written) & set(b"\r\n\0")
        assert parse_mail(written, extended=True).sender == mail.sender


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
