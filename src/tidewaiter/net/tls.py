"""TLS as we accept it and as we ask for it: one context for each set of terms, made when settings are read.

Certificates are read again on reload, because a reload starts new processes.
"""

import asyncio
import re
import ssl
from typing import Final


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """Make what a listener speaks TLS with.

    Raises OSError where a file cannot be read, ssl.SSLError where it holds no certificate or not its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    return context


def client_context(*, verify: bool, authorities: str | None = None) -> ssl.SSLContext:
    """Make what a next hop is spoken to with; `authorities` stands in the place of the system's.

    Without `verify` any certificate will do: it keeps out who listens, and not who poses (RFC 7435).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif authorities is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(authorities)
    return context


def tls_text(transport: asyncio.BaseTransport) -> str:
    """Name protocol and cipher of a connection; empty without TLS."""
    tls = transport.get_extra_info("ssl_object")
    return f"{tls.version()} {tls.cipher()[0]}" if tls is not None else ""


def tls_failure(error: OSError) -> str:
    """Say why a handshake failed: OpenSSL's reason, or the system's."""
    text = error.strerror if not isinstance(error, ssl.SSLError) and error.strerror else str(error)
    return _WHERE.sub("", text) or "the client left"


_WHERE: Final = re.compile(r" \(_ssl\.c:[0-9]+\)$")
"""Where in Python's own source it was noticed."""
