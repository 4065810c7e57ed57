"""Does the judge see what a broken gateway would leave behind, and does it let what is right pass?"""

import pytest

from tidewaiter.demo import judge
from tidewaiter.demo.mail import STRANGER, Mail, stuffed, unstuffed
from tidewaiter.demo.mailbox import Kept, Mailbox, parse
from tidewaiter.demo.sender import decisive

RECEIVED = (
    b"Received: from client.test ([127.0.0.1])\r\n\tby mx.test with ESMTP id 1\r\n"
    b"\tfor <rcpt@inside.test>; Mon, 1 Jan 2026 00:00:00 +0000\r\n"
)
CONTENT = b"Subject: one\r\n\r\nfirst\r\n"
SENT = STRANGER.holding(CONTENT)
RIGHT = Kept(SENT.sender, (SENT.recipient,), RECEIVED + CONTENT)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


def kept(content: bytes, sender: str = SENT.sender, recipient: str = SENT.recipient) -> Kept:
    return Kept(sender, (recipient,), content)


@pytest.mark.parametrize("said", ["550 5.6.0 odd", "550 5.6.0", "550-5.6.0 odd"])
def test_the_reply_that_was_typed_is_accepted_whatever_its_text(said: str) -> None:
    expected = said[:3] if "-" in said else "550 5.6.0"
    assert not [*judge.reply(expected, said)]


@pytest.mark.parametrize("said", ["", "250 ok", "550 5.6.01", "5500", "550"])
def test_any_other_reply_is_told(said: str) -> None:
    assert [*judge.reply("550 5.6.0", said)]


def test_a_message_that_came_as_sent_is_accepted() -> None:
    assert not [*judge.kept([SENT], [RIGHT])]


@pytest.mark.parametrize(
    "wrong",
    [
        kept(CONTENT),
        kept(RECEIVED + RECEIVED + CONTENT),
        kept(RECEIVED + b" a fold of what is not in it\r\n" + CONTENT),
        kept(RECEIVED + CONTENT.replace(b"\r\n", b"\n")),
        kept(RECEIVED + CONTENT + b"\r\n"),
        kept(RECEIVED + CONTENT[:-1]),
        kept(RECEIVED + b"Subject: forged\r\n\r\nsmuggled\r\n"),
        kept(RECEIVED + CONTENT, sender="smuggled@outside.example"),
        kept(RECEIVED + CONTENT, recipient="another@inside.test"),
    ],
    ids=["no Received", "two", "folded", "repaired", "more", "less", "another", "forged", "misled"],
)
def test_a_message_that_came_otherwise_is_told(wrong: Kept) -> None:
    assert [*judge.kept([SENT], [wrong])]


@pytest.mark.parametrize("found", [[], [RIGHT, RIGHT], [RIGHT, kept(RECEIVED + b"x\r\n", sender="smuggled@x.test")]])
def test_one_message_too_few_or_too_many_is_told(found: list[Kept]) -> None:
    assert [*judge.kept([SENT], found)]


def test_content_that_opens_with_a_blank_is_no_fold_of_received() -> None:
    content = b" .\r\nfirst\r\n"
    assert not [*judge.kept([SENT.holding(content)], [kept(RECEIVED + content)])]


def test_a_chunk_without_a_line_end_gets_one_from_whoever_has_to_write_data() -> None:
    assert not [*judge.kept([SENT.holding(b"first")], [kept(RECEIVED + b"first\r\n")])]
    assert not [*judge.kept([SENT.holding(b"")], [kept(RECEIVED)])]


def test_in_a_maildir_lines_end_in_lf() -> None:
    file = b"Return-Path: <a@x.test>\n" + (RECEIVED + CONTENT).replace(b"\r\n", b"\n")
    mail = Mail("a@x.test", "rcpt@inside.test", CONTENT)
    assert not [*judge.kept([mail], [parse(file)], newline=b"\n")]


def test_what_a_receiver_wrote_on_top_is_parted_from_the_content_and_no_more() -> None:
    content = b"Subject: x\r\nDelivered-To: <not@this.test>\r\n\r\n"
    found = parse(b"Return-Path: <a@x.test>\r\nDelivered-To: <b@y.test>\r\nDelivered-To: <c@y.test>\r\n" + content)
    assert found == Kept("a@x.test", ("b@y.test", "c@y.test"), content)


def test_a_mailbox_gives_each_message_once_in_the_order_of_arrival(tmp_path: object) -> None:
    box = Mailbox(tmp_path)  # type: ignore[arg-type]  # a Path
    assert box.fresh() == ()
    (box.folder / "new").mkdir()
    for number in (2, 1):
        (box.folder / f"new/00000{number}.x").write_bytes(b"Return-Path: <%d@x.test>\r\n" % number)
    assert [one.sender for one in box.fresh()] == ["1@x.test", "2@x.test"]
    assert box.fresh() == ()


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        (["220 x", "250 a", "354 go", "250 kept", "221 bye"], "250 kept"),
        (["220 x", "250-a", "250 b", "354 go", "550 5.6.0 odd"], "550 5.6.0 odd"),
        (["220 x", "250 a", "550 5.7.1 no", "221 bye"], "550 5.7.1 no"),
        (["220 x", "354 go"], ""),
        (["220 x", "250 a"], ""),
    ],
)
def test_the_reply_that_decides_is_the_one_behind_354_or_the_first_refusal(said: list[str], reply: str) -> None:
    assert decisive(said) == reply


@pytest.mark.parametrize("content", [b"", b".", b".\r\n..\r\nx.\r\n", b"a\n.\r\nb\r\n.c", b"\r\n.\r\n"])
def test_stuffing_is_undone(content: bytes) -> None:
    assert unstuffed(stuffed(content)) == content
    assert b"\r\n.\r\n" not in stuffed(content)
