"""What a real sender emits is what its row says, byte for byte: every content up to a length, into our sink."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, TypeVar

import pytest

from tests.peers import registry
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.lab.emissions import Emissions, contents, mismatches, said_by, said_by_relay
from tidewaiter.lab.target import Target
from tidewaiter.lab.writer import through_relay
from tidewaiter.lines.symbol import Word, spell, visible
from tidewaiter.rig.sink import Sink, sinking

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager

    from tests.conftest import Count

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(3600)]

T = TypeVar("T")
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
    "exim-4.96": "exim-4.96",
    "sendmail-8.17": "sendmail-8.17",
    "opensmtpd-6.8": "opensmtpd-6.8",
    "haraka-3.3.3": "haraka-3.3.3",
    "haraka-3.3.4": "haraka-3.3.4",
}
"""Peers that are given DATA."""


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
