"""What a real sender emits is what its row says, byte for byte: every content up to a length, into our sink."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import pytest

from tests.peers import registry
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.emissions import Emissions, body, contents, mismatches, said_by, said_by_relay
from tidewaiter.lab.target import Target
from tidewaiter.lab.writer import through_relay
from tidewaiter.lines.symbol import Word, spell, symbols, visible
from tidewaiter.rig.sink import Sink, sinking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Count

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(3600)]

T = TypeVar("T")
HEADER: Final = b"Subject: x\n\n"
ROWS: Final = dialects()
SENDERS: Final = {
    "curl-7.88": "curl-7.88",
    "curl-7.88-crlf": "curl-7.88-crlf",
    "smtplib-3.11-bytes": "smtplib-3.11-bytes",
    "smtplib-3.11-str": "smtplib-3.11-str",
    "nodemailer-9.0.5": "nodemailer-9.0.5",
    "nodemailer-10.6.0": "nodemailer-10.6.0",
}
"""Peers that are given content, by the row that describes them."""
RELAYS: Final = {
    "postfix-3.7-no": "postfix-3.7-no",
    "postfix-3.7-proxy-no": "postfix-3.7-proxy-no",
    "postfix-3.7-proxy-normalize": "postfix-3.7-proxy-normalize",
    "exim-4.96": "exim-4.96",
    "sendmail-8.17": "sendmail-8.17",
    "opensmtpd-6.8": "opensmtpd-6.8",
    "haraka-3.3.3": "haraka-3.3.3",
    "haraka-3.3.4": "haraka-3.3.4",
}
"""Peers that are given DATA."""
COMMANDS: Final = {
    "postfix-3.7-command": "postfix-3.7-command",
    "exim-4.96": "exim-4.96-command",
    "opensmtpd-6.8-command": "opensmtpd-6.8-command",
    "sendmail-8.17-command": "sendmail-8.17-command",
    "haraka-3.3-send-email": "haraka-3.3.4-send-email",
}
"""Peers that are given a message as text, and put lines of their own into its header."""
SLOW: Final = {"opensmtpd-6.8-command", "sendmail-8.17-command"}
"""A second for each message, or half a minute where it bounces: all contents of five bytes would take days."""
UNSAID: Final[dict[str, Callable[[bytes], bool]]] = {
    "sendmail-8.17-command": lambda content: content[-1:] != b"\n",
    "haraka-3.3-send-email": lambda content: content[-1:] != b"\n",
    # What follows a NUL is lost with its LF: a last line that had one has none then, and nothing is sent.
    "opensmtpd-6.8-command": lambda content: (
        content[-1:] == b"\n" and re.sub(rb"\0[^\n]*\n", b"", content)[-1:] not in (b"", b"\n")
    ),
}
"""Content of which the words of a row cannot say what becomes of it (docs/learned.md)."""


def differing(sent: Emissions, said: Emissions) -> list[tuple[str, bytes | None, bytes | None]]:
    return [(visible(each.content), each.sender, each.row) for each in mismatches(sent, said)]


@asynccontextmanager
async def apart(peer: AbstractContextManager[T]) -> AsyncIterator[T]:
    """Open and leave a peer in a thread: it may wait for the sink, which answers in this one."""
    opened = await asyncio.to_thread(peer.__enter__)
    try:
        yield opened
    finally:
        await asyncio.to_thread(peer.__exit__, None, None, None)


async def sent_by(peer: str, words: list[Word]) -> Emissions:
    sink = Sink()
    async with sinking(sink) as port, apart(registry.sender(peer, port)) as send:
        for number, word in enumerate(words):
            await asyncio.to_thread(send, spell(word), forward_paths=[f"{number}@sink.test"])
    arrived = {message.forward_paths: message.wire for message in sink.messages}
    return {word: arrived.get((f"{number}@sink.test",)) for number, word in enumerate(words)}


async def written_by(peer: str, words: list[Word]) -> Emissions:
    sink = Sink()
    async with sinking(sink) as port, apart(registry.sender(peer, port)) as send:
        for number, word in enumerate(words):
            await asyncio.to_thread(send, HEADER + spell(word), forward_paths=[f"{number}@sink.test"])
    arrived = {message.forward_paths: body(message.wire) for message in sink.messages}
    return {word: arrived.get((f"{number}@sink.test",)) for number, word in enumerate(words)}


async def relayed_by(peer: str, words: list[Word]) -> Emissions:
    sink = Sink()
    async with sinking(sink) as port, apart(registry.relay(peer, port)) as relay:
        return await through_relay(Target(relay.host, relay.port, "rcpt@sink.test", within=120.0), words, sink)


@pytest.mark.parametrize("name", SENDERS)
def test_a_real_sender_emits_what_its_row_says(name: str, count: Count) -> None:
    if reason := registry.why_not(SENDERS[name]):
        pytest.skip(reason)
    length = count("longest content given to a real sender", 2, 5)
    words = list(contents(length))
    assert differing(asyncio.run(sent_by(SENDERS[name], words)), said_by(ROWS[name], words)) == []


@pytest.mark.parametrize("name", RELAYS)
def test_a_real_relay_writes_anew_what_its_row_says(name: str, count: Count) -> None:
    if reason := registry.why_not(RELAYS[name]):
        pytest.skip(reason)
    length = count("longest word given to a real relay", 2, 5)
    said = said_by_relay(ROWS[name], contents(length))
    assert differing(asyncio.run(relayed_by(RELAYS[name], list(said))), said) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_sends_writes_what_its_row_says(name: str, count: Count) -> None:
    if reason := registry.why_not(COMMANDS[name]):
        pytest.skip(reason)
    length = count(f"longest body given to {name}", 1, 3 if name in SLOW else 5)
    words = [word for word in contents(length) if name not in UNSAID or not UNSAID[name](spell(word))]
    whole = said_by(ROWS[name], [symbols(HEADER) + word for word in words])
    said = {word: wire and body(wire) for word, wire in zip(words, whole.values(), strict=True)}
    assert differing(asyncio.run(written_by(COMMANDS[name], words)), said) == []
