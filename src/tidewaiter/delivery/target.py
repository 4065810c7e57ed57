"""Whom a pool connects to and on which terms: a route's settings for one of its next hops, and how a connection opens.

Opening is rare, because connections are pooled; so it is a coroutine, which reads like the dialogue that it is.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import cast

from tidewaiter.config.settings import HopTls, Timeouts
from tidewaiter.config.values import SocketHop, TcpHop
from tidewaiter.delivery.connection import Connection
from tidewaiter.net.deadline import Watch
from tidewaiter.wire import Client, Replied, State, Verb


class OpeningError(Exception):
    """The next hop cannot be used now; the text says why, on one line, without a final stop."""


@dataclass(frozen=True, slots=True)
class Target:
    """One next hop and its terms; equal targets share their connections."""

    hop: TcpHop | SocketHop
    hello: str
    """Our own name."""
    tls: HopTls
    context: ssl.SSLContext | None
    """For TLS towards it; None where `tls` is off."""
    timeouts: Timeouts

    @property
    def lmtp(self) -> bool:
        """It speaks LMTP."""
        return isinstance(self.hop, SocketHop) or self.hop.protocol == "lmtp"

    @property
    def implicit_tls(self) -> bool:
        """TLS begins with the first byte (RFC 8314)."""
        return isinstance(self.hop, TcpHop) and self.hop.protocol == "smtps"


async def open_connection(target: Target, watch: Watch) -> Connection:
    """Connect, greet, and go into TLS as the terms have it.

    Raises OpeningError.
    """
    connection = await _connect(target, watch)
    try:
        async with asyncio.timeout(target.timeouts.greeting):
            await _said(connection, Verb.GREETING)
            await _hello(connection)
            if not connection.client.tls:
                await _maybe_start_tls(connection, target)
    except (OpeningError, TimeoutError, OSError) as error:
        connection.abort()
        raise OpeningError(_text(error)) from error
    return connection


async def _connect(target: Target, watch: Watch) -> Connection:
    loop = asyncio.get_running_loop()
    connection = Connection(Client(target.hello, lmtp=target.lmtp, tls=target.implicit_tls), watch)
    make = lambda: cast(asyncio.Protocol, connection)  # noqa: E731 - asyncio wants a factory
    try:
        async with asyncio.timeout(target.timeouts.connect):
            if isinstance(target.hop, SocketHop):
                await loop.create_unix_connection(make, str(target.hop.path))
            else:
                context = target.context if target.implicit_tls else None
                name = target.hop.host if context else None
                await loop.create_connection(make, target.hop.host, target.hop.port, ssl=context, server_hostname=name)
    except (OSError, TimeoutError) as error:
        raise OpeningError(_text(error)) from error
    return connection


async def _maybe_start_tls(connection: Connection, target: Target) -> None:
    if target.context is None:
        return
    if not connection.client.offers.starttls:
        if target.tls is not HopTls.MAY:
            message = "the next hop does not offer STARTTLS"
            raise OpeningError(message)
        return
    connection.client.starttls()
    await _said(connection, Verb.STARTTLS)
    await connection.start_tls(target.context, cast(TcpHop, target.hop).host, target.timeouts.connect)
    await _hello(connection)


async def _hello(connection: Connection) -> None:
    connection.client.ehlo()
    await _said(connection, Verb.EHLO, Verb.HELO, Verb.LHLO)
    if connection.client.state is not State.READY:
        message = "the next hop did not accept our greeting"
        raise OpeningError(message)


async def _said(connection: Connection, *verbs: Verb) -> Replied:
    """Wait for the reply to the only command that is outstanding, which must be positive."""
    said = await connection.next_reply()
    if said is None:
        raise OpeningError(connection.reason)
    if said.verb not in verbs or not said.reply.positive:
        message = f"{said.verb} was answered {said.reply}"
        raise OpeningError(message)
    return said


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
