"""One client's connection: bytes between its transport and its dialogue, and no wait without an end.

It keeps three rules.
Replies go out together, when there is nothing left to interpret.
Nothing is read while the client leaves replies unread, while the spool is behind, while much waits for an answer, or
while it is the turn of others who send much.
A connection that we end is half-closed first, and what the client still sends is thrown away for a while: else its
unread bytes would make the kernel take our last reply back.
"""

import asyncio
import ssl
from typing import Any, Final, NamedTuple, cast

from tidewaiter.gateway.mail.dialogue import Dialogue
from tidewaiter.gateway.mail.listening import Listening
from tidewaiter.gateway.mail.turns import LARGE
from tidewaiter.model.client import Client
from tidewaiter.model.reply import Reply
from tidewaiter.net.deadline import Deadline
from tidewaiter.net.tls import tls_failure, tls_text

NOBODY: Final = ("0.0.0.0", 0)  # noqa: S104 - nothing listens there
"""A client that has reset its connection before it was greeted: the kernel no longer knows its address."""
NO_TLS: Final = "TLS handshake failed"
LINGER_SECONDS: Final = 5.0
LINGER_BYTES: Final = 1024 * 1024
"""What is thrown away behind our last reply; a client that sends more does not read it anyway."""


class Admitted(NamedTuple):
    """A connection that was counted before its handshake."""

    client: Client
    refusal: Reply | None


class Session:
    """The driver of one `Dialogue`: an asyncio.Protocol without that base, which would make it an uncompiled class."""

    __slots__ = (
        "_admitted",
        "_deadline",
        "_dialogue",
        "_listening",
        "_paused",
        "_securing",
        "_thrown",
        "_tls",
        "_transport",
        "_turn_over",
        "_unread",
        "finished",
    )

    def __init__(self, listening: Listening, admitted: "Admitted | None" = None) -> None:
        """Wait for the connection; one that was counted before its handshake is not counted again."""
        self._listening = listening
        self._admitted = admitted
        self._deadline = Deadline(listening.worker.watch, self._late)
        self._paused = False
        self._securing = False
        """The handshake is under way, and nothing can be said."""
        self._turn_over = False
        """The client has sent much, and it is the turn of others."""
        self._unread = False
        """The client leaves our replies unread."""
        self.finished = False
        """The client has said all that it will say."""
        self._thrown = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet, or say why not."""
        self._transport = cast(asyncio.Transport, transport)
        peer, descriptor = known(transport)
        listening = self._listening
        tls = tls_text(transport) if listening.implicit_tls else ""
        client = Client(listening.rules_of(peer[0]), peer[1], tls=tls)
        self._tls = tls != ""
        self._transport.set_write_buffer_limits(high=listening.limits.unread_replies)
        self._dialogue = Dialogue(self, listening, client)
        if self._admitted is None:
            refusal = listening.enter(self, client, descriptor)
        else:
            client, refusal = self._admitted.client, self._admitted.refusal
            listening.sessions[self] = client
        if refusal is not None:
            self._dialogue.turn_away(refusal)
            # Its descriptor is needed for who comes next: it is not waited for.
            self.finished = listening.worker.descriptors.spent(descriptor)
        else:
            # Behind the loop's next look at the socket: bytes that wait there were sent before we greeted, and are
            # answered 554 and not 220. Within TLS nobody can tell: they may have come with the end of the handshake.
            listening.worker.loop.call_soon(self._greet)
        self._settle()

    def data_received(self, data: bytes) -> None:
        """Interpret what the client sent."""
        dialogue = self._dialogue
        if dialogue.ended:
            self._throw_away(len(data))
            return
        try:
            dialogue.receive(data)
            self._settle()
            if len(data) >= LARGE:
                self._turn_over = self._listening.worker.turns.must_wait(self)
            if dialogue.waiting or self._turn_over:
                self.regulate()
        except Exception as error:  # noqa: BLE001 - the loop would cut the connection without a word
            self._failed(error)

    def eof_received(self) -> bool:
        """Keep our half open while an answer is awaited: the client may still read it."""
        self.finished = True
        return self._dialogue.waiting and not self._tls

    def connection_lost(self, _error: Exception | None) -> None:
        """Give up what hangs on this client; within a handshake it is for that to say why."""
        if not self._securing:
            self._lost()

    def _lost(self) -> None:
        if self not in self._listening.sessions:
            return
        self._deadline.close()
        self._listening.leave(self)
        try:
            self._dialogue.leave()
        except Exception as error:  # noqa: BLE001 - all is given back by now, and nobody is left to hear
            self._listening.worker.fault("session", error)

    def pause_writing(self) -> None:
        """Hear no more from a client that does not read."""
        self._unread = True
        self._deadline.set(self._listening.worker.crowd.patience(self._listening.limits.unread_time))
        self.regulate()

    def resume_writing(self) -> None:
        """Go on."""
        self._unread = False
        try:
            self._settle()
        except Exception as error:  # noqa: BLE001 - as when data comes
            self._failed(error)

    # What the transaction and the worker call.

    def answer(self, reply: Reply) -> None:
        """Answer the question that is open."""
        try:
            if self._dialogue.answer(reply):
                self._settle()
        except Exception as error:  # noqa: BLE001 - whoever answers, a next hop's connection, is not to blame
            self._failed(error)

    def fail(self) -> None:
        """Say 421, and close: something of ours went wrong, and is logged."""
        try:
            self._dialogue.fail()
            self._settle()
        except Exception as error:  # noqa: BLE001 - if that fails too, the client learns it by the end
            self._listening.worker.fault("session", error)
            self._transport.abort()

    def _failed(self, error: Exception) -> None:
        self._listening.worker.fault("session", error)
        self.fail()

    def finish(self, reply: Reply) -> None:
        """Answer for the message; the transaction is over."""
        self._dialogue.over()
        self.answer(reply)
        if self._listening.worker.draining:
            self.drain()

    def regulate(self) -> None:
        """Read from the client, or do not: called whenever one of the reasons may have changed."""
        dialogue = self._dialogue
        pause = self._unread or self._turn_over or dialogue.behind or not dialogue.server.reading
        if pause != self._paused and not self._transport.is_closing():
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def go_on(self) -> None:
        """Take the next turn."""
        self._turn_over = False
        self.regulate()

    def drain(self) -> None:
        """Say 421, once there is no transaction: this process is to leave."""
        if self._securing:
            self._dialogue.cut("shutting down")
            self._transport.abort()
            return
        try:
            if self._dialogue.drain():
                self._settle()
        except Exception as error:  # noqa: BLE001 - as when data comes
            self._failed(error)

    def leave(self, reply: Reply) -> None:
        """Say a last word, whatever is under way: this process ends now."""
        if self._securing:
            self._dialogue.cut("shutting down")
        elif not self._dialogue.ended:
            self._dialogue.close(reply)
            self._transport.write(self._dialogue.server.output())

    def hurry(self, seconds: float) -> None:
        """Let the client be silent for no more than `seconds` from now: room has become short."""
        if not self._dialogue.waiting:
            self._deadline.hurry(seconds)

    def abort(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    # Output, waiting, closing.

    def _greet(self) -> None:
        try:
            if not self._dialogue.ended:
                self._dialogue.server.greet()
                self._settle()
        except Exception as error:  # noqa: BLE001 - as when data comes
            self._failed(error)

    def _settle(self) -> None:
        """Send what is to be sent, then wait for whoever has to move next, and no longer than is allowed."""
        dialogue = self._dialogue
        output = dialogue.server.output()
        if output:
            self._transport.write(output)
        if dialogue.ended:
            self._linger()
        elif self.finished and not dialogue.waiting:
            self._transport.close()
        elif dialogue.secures:
            dialogue.secures = False
            self._securing = True
            self._listening.worker.spawn(self._handshake())
        elif not self._unread:
            self._wait()

    def _wait(self) -> None:
        dialogue, limits, crowd = self._dialogue, self._listening.limits, self._listening.worker.crowd
        if dialogue.waiting:
            self._deadline.set(limits.final_reply)
        elif dialogue.content_until:
            rest = dialogue.content_until - self._listening.worker.loop.time()
            self._deadline.set(min(crowd.patience(limits.data_time), max(rest, 0.0)))
            self.regulate()
        else:
            self._deadline.set(crowd.patience(limits.command_time))
        if self._paused:
            self.regulate()

    def _late(self) -> None:
        """Whoever had to move did not."""
        try:
            self._give_up()
        except Exception as error:  # noqa: BLE001 - as when data comes
            self._failed(error)

    def _give_up(self) -> None:
        dialogue = self._dialogue
        if dialogue.ended:
            self._transport.abort()
        elif self._unread:
            dialogue.cut("replies unread")
            self._transport.abort()
        elif dialogue.waiting:
            dialogue.too_late()
        else:
            dialogue.close(dialogue.server.service.closing("4.4.2", "Timeout"))
            self._settle()

    def _linger(self) -> None:
        """Say no more, and let the client read what we said before the connection is closed."""
        if self.finished or self._dialogue.quit or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._deadline.set(LINGER_SECONDS)
        self._transport.write_eof()
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _throw_away(self, count: int) -> None:
        self._thrown += count
        if self._thrown > LINGER_BYTES:
            self._transport.abort()

    async def _handshake(self) -> None:
        """Go into TLS. What was sent before it in plain text has been thrown away by the core."""
        listening = self._listening
        self._deadline.clear()
        why = "the client left"
        try:
            transport = await listening.worker.loop.start_tls(
                self._transport,
                cast(asyncio.Protocol, self),
                cast(ssl.SSLContext, listening.context),
                server_side=True,
                ssl_handshake_timeout=listening.limits.tls_handshake,
            )
        except (OSError, ssl.SSLError) as error:
            transport, why = None, tls_failure(error)
        self._securing = False
        if transport is not None and not transport.is_closing() and not self._dialogue.ended:
            self._secured(transport)
            return
        listening.worker.recorder.count("tls_failures", "client")
        self._transport.abort()
        if not self._dialogue.ended:
            self._dialogue.cut(NO_TLS, why)
        self._lost()  # uvloop tells no protocol of a connection that it loses within the handshake

    def _secured(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._tls = True
        try:
            self._dialogue.secured(tls_text(transport))
            self._settle()
        except Exception as error:  # noqa: BLE001 - as when data comes
            self._failed(error)


def known(transport: asyncio.BaseTransport) -> tuple[tuple[Any, ...], int]:
    """Give the client's address and the descriptor, as far as the kernel will say: a client waits for our greeting."""
    try:
        peer: tuple[Any, ...] = transport.get_extra_info("peername") or NOBODY
        descriptor: int = transport.get_extra_info("socket").fileno()
    except OSError:
        return NOBODY, -1
    return peer, descriptor
