"""Paths that are written oddly: taken where they have one reading, and refused where they have none or two."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.talk import Talk
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.position import EnvelopePosition
from tidewaiter.wire import Service, replies
from tidewaiter.wire.errors import RemoteProtocolError
from tidewaiter.wire.grammar import parse_mail, parse_rcpt

A = Address("a", "b.test")
ODD = [
    "{}:a@b.test",
    "{}: a@b.test",
    "{} :<a@b.test>",
    "{} : <a@b.test>",
    " {}:<a@b.test>",
    "  {}  :  <a@b.test>",
    "{}:< a@b.test>",
    "{}:<a@b.test >",
    "{}:<  a@b.test  >",
    " {} : a@b.test",
]
ONE_READING = {
    "FROM:a@b.test": Mail(A),
    "FROM:a@b.test SIZE=10": Mail(A, 10),
    " FROM : < a@b.test >  BODY=8BITMIME": Mail(A, eight_bit=True),
    "FROM:prvs=1=a@b.test": Mail(Address("prvs=1=a", "b.test")),
    'FROM:"a b"@c.test': Mail(Address("a b", "c.test")),
    'FROM:"a> b"@c.test SIZE=1': Mail(Address("a> b", "c.test"), 1),
    "FROM :<>": Mail(None),
    " FROM:<> SIZE=1": Mail(None, 1),
}
NO_READING_OR_TWO = [
    *("{}:", "{}: ", " {}: ", "{}:  ", "{} :", "{}:< >", "{} : <  >"),
    *("{}:<a@b.test> <c@d.test>", "{}:a@b.test c@d.test", "{}:<a@b.test>,<c@d.test>", "{}:a@b.test,c@d.test"),
    *("{}:Joe <a@b.test>", '{}:"Joe" <a@b.test>', "{}:Joe<a@b.test>", '{}:"Joe"<a@b.test>', "{}: <a@b.test> Joe@"),
    *("{}:<a@b.test> (root)", "{}:<a@b.test>(root)", "{}:(root) a@b.test", "{}:(root)<a@b.test>", "{}:<a(r)@b.test>"),
    *("{}:<a@b.test", "{}:a@b.test>", "{}:<<a@b.test>>", "{}:<a@b.test>>", "{}:>a@b.test<", "{}:<a@b.test<"),
    *("{}:SIZE=1", "{}: SIZE=1@b.test", "{}:AUTH=a@b.test", "{}:BODY=8BITMIME", "{}:SMTPUTF8", "{}:NOTIFY=NEVER"),
    *("{}<a@b.test>", "{} <a@b.test>", "{}::<a@b.test>", "{}:a b@c.test", "{}:<a b@c.test>", "{}:\ta@b.test"),
    *('{}:"a@b.test', "{}:@b.test", "{}:a@", "{}:a@b@c.test", "{}:a@b.test\t", "{}:<a@b.test>SIZE=1", "XX:<a@b.test>"),
]


def refusal(parse: object, *arguments: object, **named: object) -> str | None:
    """How the reply begins, or None where the argument is taken."""
    try:
        parse(*arguments, **named)  # type: ignore[operator]  # either of the two parsers
    except RemoteProtocolError as error:
        return str(error.reply)[:3]
    return None


@pytest.mark.parametrize("odd", ODD)
def test_a_path_that_is_written_oddly_is_taken_where_it_has_one_reading(odd: str) -> None:
    assert parse_mail(odd.format("FROM").encode(), extended=True, loose=True) == Mail(A)
    assert parse_mail(odd.format("from").encode(), extended=False, loose=True) == Mail(A)
    assert parse_rcpt(odd.format("TO").encode(), utf8=False, extended=True, loose=True) == A


@pytest.mark.parametrize("argument", ONE_READING)
def test_what_stands_behind_it_is_read_as_ever(argument: str) -> None:
    assert parse_mail(argument.encode(), extended=True, loose=True) == ONE_READING[argument]


@pytest.mark.parametrize("odd", ODD)
def test_who_wants_to_may_refuse_it(odd: str) -> None:
    if odd != "{}: <a@b.test>":
        assert refusal(parse_mail, odd.format("FROM").encode(), extended=True) == "501"
        assert refusal(parse_rcpt, odd.format("TO").encode(), utf8=False, extended=True) == "501"


@pytest.mark.parametrize("argument", NO_READING_OR_TWO)
@pytest.mark.parametrize(("loose", "host"), [(False, ""), (True, ""), (True, "mx.test")])
def test_what_has_no_reading_or_two_is_501_in_every_position(argument: str, loose: bool, host: str) -> None:
    mail = argument.format("FROM").encode()
    assert refusal(parse_mail, mail, extended=True, loose=loose, host=host) == "501"
    assert refusal(parse_rcpt, argument.format("TO").encode(), utf8=False, extended=True, loose=loose) == "501"


def test_postmaster_needs_no_brackets_either_but_only_as_a_recipient() -> None:
    assert parse_rcpt(b"TO:postmaster", utf8=False, extended=True, loose=True) == Address("postmaster", "")
    assert refusal(parse_mail, b"FROM:postmaster", extended=True, loose=True, host="mx.test") == "501"


def test_a_sender_without_a_domain_is_given_our_name_where_an_exclusion_says_so() -> None:
    root = parse_mail(b"FROM:<root> SIZE=3", extended=True, loose=True, host="mx.test")
    assert root == Mail(Address("root", "mx.test"), 3)
    quoted = parse_mail(b'FROM:<"a b">', extended=True, loose=True, host="mx.test")
    assert quoted == Mail(Address("a b", "mx.test"))


@pytest.mark.parametrize("path", ["root@", "@", "a b", "root\x07", "(root)", '"root', "root>", "a,b", "[root]", "a;b"])
def test_but_only_to_a_name(path: str) -> None:
    assert refusal(parse_mail, f"FROM:<{path}>".encode(), extended=True, loose=True, host="mx.test") == "501"


def test_strangers_hear_that_it_has_none() -> None:
    talk = Talk()
    talk.say(b"EHLO a\r\n")
    assert talk.say(b"MAIL FROM:<root>\r\n") == replies.BARE_SENDER.wire
    assert talk.say(b"MAIL FROM:<>\r\n") == replies.SENDER_OK.wire
    assert talk.say(b"RCPT TO:<root>\r\n") == replies.BARE_RECIPIENT.wire


@pytest.mark.parametrize("character", [*range(0x20), 0x7F, *b'()<>[]:;,\\" '])
def test_an_invalid_character_in_a_path_is_501(character: int) -> None:
    path = b"<a%cb@c.test>" % character
    for loose in (False, True):
        with pytest.raises(RemoteProtocolError) as caught:
            parse_mail(b"FROM:" + path, extended=True, loose=loose)
        assert caught.value.reply in (replies.BAD_SENDER, replies.MAIL_SYNTAX)
        with pytest.raises(RemoteProtocolError) as caught:
            parse_rcpt(b"TO:" + path, utf8=False, extended=True, loose=loose)
        assert caught.value.reply in (replies.BAD_RECIPIENT, replies.RCPT_SYNTAX)


def test_a_listener_that_refuses_says_so_and_one_that_repairs_does_not() -> None:
    said = {}
    for position in EnvelopePosition:
        talk = Talk(Service("mx.test", envelope=position))
        talk.say(b"EHLO a\r\n")
        talk.say(b"MAIL FROM:<>\r\n")
        said[position] = [
            talk.say(line) for line in (b"RCPT TO:b@inside.test\r\n", b"RSET\r\n", b"MAIL FROM: a@b.c\r\n")
        ]
    assert [line[:3] for line in said[EnvelopePosition.REPAIR]] == [b"250", b"250", b"250"]
    assert [line[:3] for line in said[EnvelopePosition.REFUSE]] == [b"501", b"250", b"501"]


WORDS = [
    "FROM:",
    "FROM",
    ":",
    " ",
    "  ",
    "<",
    ">",
    "a@b.test",
    "c@d.test",
    "root",
    '"x y"@z.test',
    "SIZE=1",
    "(c)",
    "=",
]


@given(st.lists(st.sampled_from(WORDS), max_size=7).map("".join))
def test_what_is_taken_loosely_is_what_is_taken_strictly_or_one_address_alone(argument: str) -> None:
    """An oracle that counts: with all that may be odd taken away, one path is left and nothing else that was said."""
    for loose, host in itertools.product((False, True), ("", "mx.test")):
        try:
            mail = parse_mail(argument.encode(), extended=True, loose=loose, host=host)
        except RemoteProtocolError:
            continue
        said = str(mail.sender or "").removesuffix("@mx.test")
        rest = re.sub(re.escape(said), "", argument, count=1, flags=re.IGNORECASE)  # a domain is in lower case
        assert "@" not in rest.replace("@mx.test", ""), "a second address was not heard"
        assert "(" not in rest, "nor a comment"
        assert rest.replace(" ", "").removesuffix("SIZE=1") in ("FROM:", "FROM:<>"), "nor what else was said"
        assert mail.sender is not None or "<>" in rest, "nothing is not the null sender"
