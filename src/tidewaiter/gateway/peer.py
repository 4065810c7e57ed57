"""What a transport tells of the client at its other end."""

import asyncio
import select


def tls_text(transport: asyncio.BaseTransport) -> str:
    """Name protocol and cipher; empty without TLS."""
    tls = transport.get_extra_info("ssl_object")
    return f"{tls.version()} {tls.cipher()[0]}" if tls is not None else ""


def speaks_first(transport: asyncio.Transport, tls: str) -> bool:
    """Whether bytes wait that the client sent before it was greeted: they are answered 554, not 220.

    Only the kernel knows, for nothing has been read yet.  Within TLS what waits may be the handshake's own.
    """
    waiting = select.poll()
    waiting.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return not tls and bool(waiting.poll(0))
