"""How is a connection to a next hop opened?

Opening is rare, because connections are pooled; so it is a coroutine, which reads like the dialogue that it is.
A name may have several addresses, and any of them may swallow what is sent to it, or take the connection and say
nothing: they are tried one after another without waiting for the first to fail (RFC 8305 §5), and the first that has
answered EHLO is the one.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from ssl import SSLError
from typing import Final, cast

from tidewaiter.config.settings import HopTls
from tidewaiter.config.values import SocketHop, TcpHop
from tidewaiter.delivery.addresses import Addresses
from tidewaiter.delivery.connection import Connection
from tidewaiter.delivery.target import Target
from tidewaiter.net.deadline import Watch
from tidewaiter.wire import Client, Replied, State, Verb

CONNECT_SECONDS: Final = 0.25
"""RFC 8305 §5, Connection Attempt Delay: "a recommended value of 250 milliseconds"."""
SILENT_SECONDS: Final = 2.0
"""The same where an address took the connection and has not answered EHLO yet: it may be a server that greets late."""


class OpeningError(Exception):
    """The next hop cannot be used now; the text says why and at which step, on one line, without a final stop."""


class HandshakeError(OpeningError):
    """A handshake from the first byte failed: without TLS nobody there would understand us."""


class TlsError(OpeningError):
    """It would be usable but for STARTTLS, which it refused, or for the handshake, which failed."""


async def open_connection(
    target: Target, watch: Watch, *, plain: bool, known: Addresses, troubled: Callable[[str, str], None]
) -> Connection:
    """Connect, greet, and go into TLS as the terms have it.

    With `plain` STARTTLS is not used; several addresses are tried in the order of what is `known` of them, and
    `troubled` hears of each that is given up for another: at which step, and why.
    Raises OpeningError.
    """
    if isinstance(target.hop, SocketHop):
        return await _Attempt(target, watch, "", plain=plain).run()
    found = await _addresses(target.hop, target.timeouts.connect)
    addresses = known.in_order(found, watch.loop.time())
    return await _race([_Attempt(target, watch, address, plain=plain) for address in addresses], troubled)


async def _addresses(hop: TcpHop, seconds: float) -> list[str]:
    """Look the host up; the order is the resolver's (RFC 6724)."""
    try:
        async with asyncio.timeout(seconds):
            found = await asyncio.get_running_loop().getaddrinfo(hop.host, hop.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError) as error:
        raise OpeningError(f"{hop.host} has no address: {_text(error)}") from error
    return [str(each[4][0]) for each in found]


class _Attempt:
    """To open one connection to one address."""

    def __init__(self, target: Target, watch: Watch, address: str, *, plain: bool) -> None:
        self._target = target
        self._watch = watch
        self.address = address
        self._plain = plain
        self.connected = False
        self.moment = "connect"

    async def run(self) -> Connection:
        connection = await self._connect()
        connection.address = self.address
        self.connected = True
        try:
            async with asyncio.timeout(self._target.timeouts.greeting):
                await self._said(connection, Verb.GREETING)
                await self._hello(connection)
                if not connection.client.tls and not self._plain:
                    await self._maybe_start_tls(connection)
        except BaseException as error:
            connection.abort()
            if isinstance(error, OSError | TimeoutError):
                raise OpeningError(f"{self.moment}: {_text(error)}") from error
            raise
        return connection

    async def _connect(self) -> Connection:
        target, loop = self._target, asyncio.get_running_loop()
        connection = Connection(Client(target.hello, lmtp=target.lmtp, tls=target.implicit_tls), self._watch)
        make = cast(Callable[[], asyncio.Protocol], lambda: connection)
        try:
            async with asyncio.timeout(target.timeouts.connect):
                if isinstance(target.hop, SocketHop):
                    await loop.create_unix_connection(make, str(target.hop.path))
                else:
                    context = target.context if target.implicit_tls else None
                    name = target.hop.host if context else None
                    await loop.create_connection(make, self.address, target.hop.port, ssl=context, server_hostname=name)
        except SSLError as error:
            raise HandshakeError(f"TLS handshake: {_text(error)}") from error
        except (OSError, TimeoutError) as error:
            raise OpeningError(f"connect: {_text(error)}") from error
        return connection

    async def _maybe_start_tls(self, connection: Connection) -> None:
        target = self._target
        if target.context is None:
            return
        if not connection.client.offers.starttls:
            if target.tls is not HopTls.MAY:
                raise OpeningError("EHLO: the next hop does not offer STARTTLS")
            return
        connection.client.starttls()
        try:
            await self._said(connection, Verb.STARTTLS)
            self.moment = "TLS handshake"
            await connection.start_tls(target.context, cast(TcpHop, target.hop).host, target.timeouts.connect)
            await self._hello(connection)
        except (OpeningError, OSError) as error:
            text = _text(error)
            raise TlsError(text if isinstance(error, OpeningError) else f"{self.moment}: {text}") from error

    async def _hello(self, connection: Connection) -> None:
        connection.client.ehlo()
        await self._said(connection, Verb.EHLO, Verb.HELO, Verb.LHLO)
        if connection.client.state is not State.READY:
            raise OpeningError(f"{self.moment}: the next hop did not accept our greeting")

    async def _said(self, connection: Connection, *verbs: Verb) -> Replied:
        """Wait for the reply to the only command that is outstanding, which must be positive."""
        self.moment = str(verbs[0])
        said = await connection.next_reply()
        if said is None:
            raise OpeningError(f"{self.moment}: {connection.reason}")
        if said.verb not in verbs or not said.reply.positive:
            raise OpeningError(f"{said.verb} was answered {said.reply}")
        return said


_Running = dict[asyncio.Task[Connection], _Attempt]


async def _race(attempts: Sequence[_Attempt], troubled: Callable[[str, str], None]) -> Connection:
    """Begin one attempt after another until one succeeds; the others are given up."""
    waiting = list(reversed(attempts))
    running: _Running = {}
    failure: OpeningError | None = None
    try:
        while waiting or running:
            if waiting:
                attempt = waiting.pop()
                running[asyncio.get_running_loop().create_task(attempt.run())] = attempt
            for task in await _first_news(running, more=bool(waiting)):
                attempt = running.pop(task)
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, OpeningError):
                    raise error
                if len(attempts) > 1:
                    troubled(attempt.moment, f"{attempt.address}: {error}")
                # That an address would do without TLS tells more than that another does not.
                failure = failure if isinstance(failure, TlsError) else error
    finally:
        for task, attempt in running.items():
            task.cancel()
            task.add_done_callback(_throw_away)
            if len(attempts) > 1:
                troubled(attempt.moment, f"{attempt.address}: given up")
    raise failure or OpeningError("there is no address")


async def _first_news(running: _Running, *, more: bool) -> set[asyncio.Task[Connection]]:
    """Wait until an attempt has ended, or until it is time for the next."""
    done, _ = await asyncio.wait(
        running, timeout=CONNECT_SECONDS if more else None, return_when=asyncio.FIRST_COMPLETED
    )
    if not done and more and any(attempt.connected for attempt in running.values()):
        done, _ = await asyncio.wait(
            running, timeout=SILENT_SECONDS - CONNECT_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
    return done


def _throw_away(task: asyncio.Task[Connection]) -> None:
    """An attempt that was given up may have succeeded at the same moment."""
    if not task.cancelled() and task.exception() is None:
        task.result().abort()


def _text(error: BaseException) -> str:
    return str(error) or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)
