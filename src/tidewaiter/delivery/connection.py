"""One connection to a next hop: bytes between its transport and `wire.Client`, replies to whoever holds it."""

import asyncio
import ssl
from collections import deque
from typing import Protocol, cast

from tidewaiter.net.deadline import Deadline, Watch
from tidewaiter.wire import Broken, Client, Replied, State, Verb


class Holder(Protocol):
    """Who uses a connection at the moment."""

    def replied(self, replied: Replied) -> None:
        """Hear the reply to one command."""

    def lost(self, reason: str) -> None:
        """Hear that the connection is gone; it is not to be used again."""

    def writable(self) -> None:
        """Hear that what was written has gone, so that more may follow."""


class Connection:
    """The driver of one `wire.Client`."""

    __slots__ = (
        "_deadline",
        "_said",
        "_transport",
        "_waiter",
        "alive",
        "client",
        "holder",
        "idle_since",
        "origin",
        "reason",
        "stuffed",
        "told",
        "used",
    )

    def __init__(self, client: Client, watch: Watch) -> None:
        """Wait for the connection."""
        self.client = client
        self.holder: Holder | None = None
        self.alive = True
        self.used = False
        """A transaction has been on it, so the next hop may be about to close it for being idle."""
        self.stuffed = False
        """What was written has not gone yet: write no more."""
        self.reason = ""
        """Why it is gone."""
        self.origin: object = None
        """Whose transaction was on it last."""
        self.told: dict[str, str] = {}
        """What XCLIENT told last."""
        self.idle_since = 0.0
        """Loop time."""
        self._said: deque[Replied] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = Deadline(watch, self._late)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the greeting comes by itself."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand replies on, each to whoever holds the connection when it is its turn."""
        events = self.client.receive(data)
        broken = bool(events) and isinstance(events[-1], Broken)
        for event in events:
            if isinstance(event, Broken):
                self._transport.abort()
                self._gone(event.reason)
                return
            if broken and event.verb is not Verb.END:
                continue  # who heard it would go on, on a connection that is no more; only an outcome still counts
            holder = self.holder
            if holder is not None:
                holder.replied(event)
            else:
                self._said.append(event)
                self._wake()
        if self.client.state is State.CLOSED:
            self._transport.abort()
            self._gone("the next hop is closing the connection")
        self.flush()

    def eof_received(self) -> bool:
        """Let the transport close: nothing that we could still say would be answered."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the holder."""
        self._gone(str(error) if error else "the next hop closed the connection")

    def pause_writing(self) -> None:
        """Note it, for whoever writes much."""
        self.stuffed = True

    def resume_writing(self) -> None:
        """Let the holder go on."""
        self.stuffed = False
        if self.holder is not None:
            self.holder.writable()

    # What the holder and the pool call.

    def flush(self) -> None:
        """Send what the client core has to say, in one write."""
        output = self.client.output()
        if output:
            self._transport.write(output)

    def expect(self, seconds: float) -> None:
        """Send, and give up the connection unless the holder calls again, or `settle`, within this time."""
        self._deadline.set(seconds)
        self.flush()

    def settle(self) -> None:
        """Expect nothing for now."""
        self._deadline.clear()

    async def next_reply(self) -> Replied | None:
        """Send, and wait for one reply; None when the connection is gone. For opening, before anybody holds it."""
        self.flush()
        if not self._said and self.alive:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._said.popleft() if self._said else None

    async def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Do the handshake; who said anything more in plain text is gone by now, and not believed."""
        if not self.alive:
            raise ConnectionError(self.reason)
        loop = asyncio.get_running_loop()
        transport = await loop.start_tls(
            self._transport, cast(asyncio.Protocol, self), context, server_hostname=host, ssl_handshake_timeout=seconds
        )
        if transport is None or not self.alive:
            raise ConnectionError(self.reason)
        self._transport = transport
        self.client.started_tls()

    def close(self) -> None:
        """Say QUIT and go, without waiting for the answer."""
        self.holder = None
        if self.alive:
            if self.client.idle:
                self.client.quit()
                self.flush()
            self._gone("closed by us")
            self._transport.close()

    def abort(self) -> None:
        """Go at once: what was being sent must not look whole."""
        self.holder = None
        if self.alive:
            self._gone("aborted by us")
            self._transport.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _late(self) -> None:
        self._transport.abort()
        self._gone("the next hop did not answer in time")

    def _gone(self, reason: str) -> None:
        if not self.alive:
            return
        self.alive = False
        self.reason = reason
        self._deadline.close()
        self._wake()
        holder, self.holder = self.holder, None
        if holder is not None:
            holder.lost(reason)
