"""The clerk's HTTP: `/metrics`, `/livez` and `/readyz`, to GET and HEAD, one request a connection.

Small on purpose: it reads at most 8 KiB, for at most ten seconds, and looks at the request line.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, cast

REQUEST_BYTES = 8192
REQUEST_SECONDS = 10.0


class Page(NamedTuple):
    """An answer."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Pages(asyncio.Protocol):
    """One connection."""

    def __init__(self, pages: dict[str, Callable[[], Page]], loop: asyncio.AbstractEventLoop) -> None:
        """Serve what `pages` holds by path."""
        self._pages = pages
        self._loop = loop
        self._request = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give it ten seconds."""
        self._transport = cast("asyncio.Transport", transport)  # a stream's; uvloop's have no such base
        self._timer = self._loop.call_later(REQUEST_SECONDS, self._transport.abort)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget the timer."""
        self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer once the header section is complete, or too long."""
        self._request += data
        if b"\r\n\r\n" in self._request:
            self._answer(*self._request.split(b"\r\n", 1)[0].split(b" ")[:2])
        elif len(self._request) > REQUEST_BYTES:
            self._send(_plain(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE), with_body=True)

    def _answer(self, method: bytes, target: bytes = b"") -> None:
        page = self._pages.get(target.split(b"?")[0].decode("latin-1"))
        if method not in {b"GET", b"HEAD"}:
            self._send(_plain(HTTPStatus.METHOD_NOT_ALLOWED), with_body=True)
        else:
            self._send(page() if page else _plain(HTTPStatus.NOT_FOUND), with_body=method == b"GET")

    def _send(self, page: Page, *, with_body: bool) -> None:
        head = (
            f"HTTP/1.1 {page.status.value} {page.status.phrase}\r\n"
            f"Content-Type: {page.content_type}\r\n"
            f"Content-Length: {len(page.body)}\r\n"
            "Allow: GET, HEAD\r\n"
            "Connection: close\r\n\r\n"
        )
        self._transport.write(head.encode("ascii") + (page.body if with_body else b""))
        self._transport.close()


def _plain(status: HTTPStatus) -> Page:
    return Page(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode("ascii"))
