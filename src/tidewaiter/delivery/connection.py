"""One connection to a next hop: bytes between its transport and `wire.Client`, replies to whoever holds it."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from tidewaiter.model.client import Client
from tidewaiter.model.reply import Reply
from tidewaiter.net.deadline import Deadline, Watch
from tidewaiter.wire import Broken, Early, Replied, State, Verb
from tidewaiter.wire import Client as WireClient


class Holder(Protocol):
    """Who uses a connection at the moment."""

    def replied(self, replied: Replied) -> None:
        """Hear the reply to one command."""

    def early(self, reply: Reply) -> None:
        """Hear the final reply to content that had not left whole; the connection is gone."""

    def lost(self, reason: str) -> None:
        """Hear that the connection is gone; it is not to be used again."""

    def writable(self) -> None:
        """Hear that what was written has gone, so that more may follow."""


class Connection:
    """The driver of one `wire.Client`."""

    __slots__ = (
        "_deadline",
        "_loop",
        "_place",
        "_said",
        "_transport",
        "_waiter",
        "address",
        "alive",
        "client",
        "erred",
        "held_since",
        "holder",
        "idle_since",
        "network",
        "origin",
        "reason",
        "stuffed",
        "told",
        "used",
    )

    def __init__(self, client: WireClient, watch: Watch) -> None:
        """Wait for the connection."""
        self.client = client
        self.holder: Holder | None = None
        self.alive = True
        self.used = False
        """It has lain in the pool, so the next hop may be about to close it, or may be frozen by now."""
        self.stuffed = False
        """What was written has not gone yet: write no more."""
        self.reason = ""
        """Why it is gone."""
        self.address = ""
        """The IP address that it leads to, where there is one."""
        self.origin: Client | None = None
        """Whose mail was on it last: who was told of by XCLIENT, and who made the errors that the next hop counts."""
        self.erred = False
        """The next hop said no on it, to a sender or a recipient."""
        self.told: dict[str, str] = {}
        """What XCLIENT told last."""
        self._place = ""
        self.network: int | None = None
        """The client network that it is counted against while it is lent."""
        self.idle_since = 0.0
        """Loop time."""
        self.held_since = 0.0
        """Loop time."""
        self._loop = watch.loop
        self._said: deque[Replied] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = Deadline(watch, self._late)

    @property
    def bound(self) -> bool:
        """Tell whether only mail of the client whose mail was on it may follow.

        It errs, and servers answer a connection with many errors slowly or not at all; or the next hop takes what comes
        for that client's, and did not offer, in its answer to EHLO behind XCLIENT, to hear of another.
        """
        return self.origin is not None and (self.erred or (bool(self.told) and not self.client.offers.xclient))

    def err(self, origin: Client) -> Client:
        """Note that the hop said no: it may count that against this connection, which then serves nobody else."""
        self.erred = True
        return origin.after_error()

    @property
    def place(self) -> str:
        """Name the command whose reply is awaited, or was when the connection ended; else what is going on."""
        client = self.client
        if client.awaited is not None:
            return client.awaited
        if client.state is State.CLOSED:
            return self._place
        return "content" if client.state is State.CONTENT else "between commands"

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; the greeting comes by itself."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand replies on, each to whoever holds the connection when it is its turn."""
        self.run(self._received, data)

    def eof_received(self) -> bool:
        """Go at once: nothing that we could still say would be answered, and what waits to be written has no reader."""
        self.run(self._cut, "the next hop closed the connection")
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the holder."""
        self.run(self._gone, str(error) if error else "the next hop closed the connection")

    def pause_writing(self) -> None:
        """Note it, for whoever writes much."""
        self.stuffed = True

    def resume_writing(self) -> None:
        """Let the holder go on."""
        self.stuffed = False
        if self.holder is not None:
            self.run(self.holder.writable)

    def run(self, action: Callable[..., None], *about: object) -> None:
        """Do something about this connection; where we fail, it is cut, so that nobody waits for what never comes."""
        try:
            action(*about)
        except Exception as error:  # noqa: BLE001 - whatever it is: it is told as a fault, and whoever waits is answered
            self._loop.call_exception_handler({"message": "a connection to a next hop failed", "exception": error})
            self._cut("a fault of ours")

    def _received(self, data: bytes) -> None:
        client = self.client
        if not self.alive:
            return
        awaited = client.awaited
        self._place = self.place
        events = client.receive(data, unsent=awaited is Verb.END and self._transport.get_write_buffer_size() > 0)
        broken = bool(events) and isinstance(events[-1], Broken | Early)
        for event in events:
            if isinstance(event, Broken):
                self._cut(event.reason)
            elif isinstance(event, Early):
                self._early(event.reply)
            elif broken and event.verb is not Verb.END and event.reply.positive:
                continue  # who heard it would go on, on a connection that is no more; a refusal still counts
            elif self.holder is not None:
                self.holder.replied(event)
            else:
                self._said.append(event)
                self._wake()
        if client.state is State.CLOSED:
            self._cut("the next hop is closing the connection")
        self.flush()

    def _early(self, reply: Reply) -> None:
        """Cut at once, with no dot and no QUIT: the next hop may take what else comes for commands."""
        holder, self.holder = self.holder, None
        self._cut(f"answered before the end: {reply}")
        if holder is not None:
            holder.early(reply)

    # What the holder and the pool call.

    def flush(self) -> None:
        """Send what the client core has to say, in one write."""
        output = self.client.output()
        if output and self.alive:
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
        self._cut("aborted by us")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _late(self) -> None:
        self.run(self._cut, "the next hop did not answer in time")

    def _cut(self, reason: str) -> None:
        if self.alive:
            self._transport.abort()
            self._gone(reason)

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
