"""Honest mail of every kind through the gateway: byte for byte but for `Received`, and signatures still verify."""

from __future__ import annotations

import base64
import random
from collections import Counter
from typing import TYPE_CHECKING

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.judged.gateway import LISTENER, gateway, route
from tests.judged.hand_over import HELLO, MAIL, hand_over
from tests.judged.judge import behind_received
from tests.peers import CHUNKING, Sink
from tests.peers.raw import Raw
from tests.peers.sink import PLAIN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Count
    from tests.judged.conftest import Tell

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(1800)]

HEAD = b"From: honest@outside.example\r\nTo: rcpt@inside.test\r\nSubject: honest\r\n\r\n"
KINDS = {
    "plain": HEAD + b"hello\r\n",
    "empty": b"",
    "header section alone": HEAD[:-2],
    "empty body": HEAD,
    "empty lines": HEAD + b"\r\n" * 40,
    "dots everywhere": HEAD + b".\r\n..\r\n...\r\n.x\r\n. \r\n.\t\r\nx.\r\n.\r\n\r\n.\r\n" * 100,
    "dots alone, no header section": b"\r\n" + b".\r\n" * 1000,
    "every octet but NUL, CR and LF": HEAD + bytes({*range(1, 256)} - {10, 13}) + b"\r\n",
    "8-bit": HEAD + "Grüße, año nuevo, 東京\r\n".encode() + b"a\xf1o in Latin-1\r\n",
    "8-bit header": "From: jörg@outside.example\r\nSubject: Grüße aus Köln\r\n\r\nhello\r\n".encode(),
    "long lines": HEAD + (b"x" * 998 + b"\r\n") * 50,
    "lines longer than the standard's": HEAD + b"y" * 70_000 + b"\r\n" + b"." * 70_000 + b"\r\n",
    "blanks at the ends of lines": HEAD + b" \r\n\t\r\nx \r\nx\t\r\n \t \r\n",
    "commands": HEAD + b"QUIT\r\nRSET\r\nMAIL FROM:<a@outside.example>\r\nDATA\r\nBDAT 10 LAST\r\n",
    "From at the start of lines": HEAD + b"From here on\r\n>From there\r\n",
}
OPEN_ENDED = {
    "no final newline": HEAD + b"last line",
    "a last dot": HEAD + b"last line\r\n.",
    "no line at all": b"\r\nx",
}
"""What only BDAT can say."""
SIZE = b"The quick brown fox jumps over the lazy dog.\r\n.\r\n0123456789" + b"\xe9" * 6 + b"\r\n"


def passed(port: int, sink: Sink, contents: list[tuple[bytes, bool]], mail: str = MAIL) -> None:
    """Send all by DATA, or by BDAT where that stands beside them, and hold what came out to what went in."""
    with Raw(port, within=300) as connection:
        assert connection.reply().code == 220
        assert connection.ask(HELLO).code == 250
        for content, chunked in contents:
            reply = hand_over(connection, content, "rcpt@inside.test", mail=mail, chunked=chunked)
            assert reply.code == 250, (str(reply), content[:200])
    held = Counter(behind_received(message.content) for message in sink.wait(len(contents), within=120))
    sent: Counter[bytes | None] = Counter(content for content, _ in contents)
    assert [(each or b"")[:2000] for each in held - sent] == [], "changed or added"
    assert [(each or b"")[:2000] for each in sent - held] == [], "lost"


@pytest.mark.parametrize("offers", [PLAIN, CHUNKING], ids=["next hop by DATA", "next hop by BDAT"])
def test_honest_mail_of_every_kind_passes_byte_for_byte(
    offers: tuple[str, ...], tmp_path: Path, count: Count, tell: Tell
) -> None:
    megabytes = count("megabytes of the largest honest message", 5, 50)
    contents = [(content, chunked) for content in KINDS.values() for chunked in (False, True)]
    contents += [(HEAD + SIZE * (megabytes * 2**20 // len(SIZE)), chunked) for chunked in (False, True)]
    if offers == CHUNKING:
        contents += [(content, True) for content in OPEN_ENDED.values()]
    limits = '[limits]\nmessage_size = "64MiB"\n'
    with (
        Sink(offers=offers) as sink,
        gateway(tmp_path, limits + LISTENER + route(f"smtp://127.0.0.1:{sink.port}")) as ports,
    ):
        passed(ports[0], sink, contents)
        assert {message.verb for message in sink.messages} == {"BDAT" if offers == CHUNKING else "DATA"}
    tell(f"honest messages, {'BDAT' if offers == CHUNKING else 'DATA'} behind: {len(contents)} sent, all byte for byte")


def test_an_international_envelope_passes_with_its_message(tmp_path: Path) -> None:
    with Sink() as sink, gateway(tmp_path, LISTENER + route(f"smtp://127.0.0.1:{sink.port}")) as ports:
        content = KINDS["8-bit header"]
        passed(ports[0], sink, [(content, False)], "MAIL FROM:<jörg@bücher.example> SMTPUTF8 BODY=8BITMIME")
        [message] = sink.messages
    path, *parameters = message.reverse_path.split()
    assert path.decode() == "<jörg@bücher.example>"
    assert {b"SMTPUTF8", b"BODY=8BITMIME"} <= set(parameters)


def letter(chance: random.Random, number: int) -> bytes:
    """Write one to be signed, with all that canonicalization is about: blanks, empty lines, dots, long lines."""
    pieces = (b"word", b" ", b"  ", b"\t", b".", b"..", b"", "ü".encode(), b"=20", b"x" * 900)
    lines = [b"".join(chance.choices(pieces, k=chance.randrange(8))) for _ in range(chance.randrange(30))]
    subject = b"Subject: letter %d,\r\n folded\r\n" % number
    fields = b"From: honest@outside.example\r\nTo: rcpt@inside.test\r\n" + subject
    return fields + b"Message-ID: <%d@outside.example>\r\n\r\n" % number + b"".join(line + b"\r\n" for line in lines)


def signed(letter: bytes, key: RSAPrivateKey, way: tuple[bytes, bytes]) -> bytes:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return bytes(dkim.sign(letter, b"s", b"outside.example", private, canonicalize=way)) + letter


def test_signatures_still_verify_after_passing(tmp_path: Path, count: Count, tell: Tell) -> None:
    number = count("signed messages verified by dkimpy after passing", 50, 1000)
    chance = random.Random(number)  # noqa: S311 - repeatable letters
    key = generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    ways = [(head, body) for head in (b"simple", b"relaxed") for body in (b"simple", b"relaxed")]
    letters = [signed(letter(chance, each), key, ways[each % 4]) for each in range(number)]
    with Sink(offers=CHUNKING) as sink, gateway(tmp_path, LISTENER + route(f"smtp://127.0.0.1:{sink.port}")) as ports:
        passed(ports[0], sink, [(each, chance.random() < 0.5) for each in letters])
        contents = [message.content for message in sink.messages]
    verified = sum(dkim.verify(content, dnsfunc=lambda *_, **__: record) for content in contents)
    assert verified == number
    tell(f"signed messages: {verified:,} of {number:,} verified by dkimpy after passing")
