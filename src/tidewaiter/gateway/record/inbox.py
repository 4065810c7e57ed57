"""The clerk's side of a worker's outbox: lines in, records to the store writer, acknowledgements out."""

import asyncio
from collections.abc import Iterable
from functools import partial
from typing import cast

import msgspec

from tidewaiter.gateway.record.counters import Counters
from tidewaiter.gateway.record.metrics import DOWN, HOP_STATES
from tidewaiter.gateway.record.outbox import ACKNOWLEDGEMENT_BYTES
from tidewaiter.gateway.record.store_writer import Batch, StoreWriter
from tidewaiter.store.records import Findings, Record, Refusal, Transaction

WAITING_RECORDS = 2000
"""Records of one worker that wait for the store before we read no more from it."""

_LINE_BYTES = 1 << 20  # a thousand recipients of 300 octets, twice escaped


class Hello(msgspec.Struct, frozen=True, tag_field="event", tag="hello"):
    """A worker's first line."""

    worker: int
    generation: int


class Counts(msgspec.Struct, frozen=True, tag_field="event", tag="counts"):
    """What a worker counted since its last such line: name and labels, and how many."""

    counts: list[tuple[list[str], int]]
    next_hops: dict[str, str] = {}
    """The states of all its next hops, in some of these lines."""


Line = Hello | Counts | Transaction | Findings | Refusal

_LINE: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def read_line(line: bytes) -> Line | None:
    """What a worker's line says; None if it says nothing that we know."""
    try:
        return _LINE.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def next_hops(inboxes: "Iterable[Inbox]") -> dict[str, str]:
    """The state of each next hop, as the worker knows it who reaches it best."""
    states: dict[str, str] = {}
    for inbox in inboxes:
        for hop, state in inbox.next_hops.items():
            states[hop] = min(state, states.get(hop, DOWN), key=HOP_STATES.index)
    return dict(sorted(states.items()))


class Inbox(asyncio.Protocol):
    """One worker's connection."""

    def __init__(self, store_writer: StoreWriter, counters: Counters, inboxes: "set[Inbox]") -> None:
        """Join `inboxes` while connected."""
        self._store_writer = store_writer
        self._counters = counters
        self._inboxes = inboxes
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self.waiting = 0
        """Records that are not on disk yet."""
        self.next_hops: dict[str, str] = {}
        """What the worker said last of each: one of `metrics.HOP_STATES`."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A worker has connected."""
        self._transport = cast("asyncio.Transport", transport)  # a stream's; uvloop's have no such base
        self._inboxes.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """It has left; what it sent will be stored all the same."""
        self._transport = None
        self._inboxes.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take whole lines; the rest waits for its end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LINE_BYTES and self._transport is not None:
            self._transport.abort()  # not one of our workers
            return
        records, done = [], 0
        for value in map(read_line, lines):
            match value:
                case Hello():
                    pass
                case Counts():
                    self._count(value)
                case Transaction() | Findings() | Refusal():
                    records.append(value)
                    done += 1
                case None:
                    self._counters.add("records_malformed", [], 1)
                    done += 1
        if done:
            self._store(records, done)

    def _count(self, counts: Counts) -> None:
        self.next_hops |= {hop: state for hop, state in counts.next_hops.items() if state in HOP_STATES}
        for (name, *labels), by in counts.counts:
            self._counters.add(name, labels, by)

    def _store(self, records: list[Record], done: int) -> None:
        for record in records:
            if isinstance(record, Transaction):
                self._counters.took(record.seconds)
        self.waiting += done
        if self.waiting > WAITING_RECORDS and self._transport is not None:
            self._transport.pause_reading()
        self._store_writer.take(Batch(records, partial(self._acknowledge, done)))

    def _acknowledge(self, done: int) -> None:
        self.waiting -= done
        if self._transport is None:
            return
        self._transport.write(done.to_bytes(ACKNOWLEDGEMENT_BYTES, "big"))
        if self.waiting <= WAITING_RECORDS:
            self._transport.resume_reading()
