import asyncio
from http import HTTPStatus

import pytest

from tidewaiter.gateway.record.pages import REQUEST_BYTES, Page, Pages


async def answer(request: bytes, cut: int = 1 << 20) -> bytes:
    """What comes back for a request, sent in pieces of so many bytes."""
    loop = asyncio.get_running_loop()
    pages = {"/livez": lambda: Page(HTTPStatus.OK, "text/plain", b"alive\n")}
    server = await loop.create_server(lambda: Pages(pages, loop), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for start in range(0, len(request), cut):
        writer.write(request[start : start + cut])
        await writer.drain()
    found = await reader.read()
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    return found


REQUESTS = {
    b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n": (b"200 OK", b"alive\n"),
    b"GET /livez?a=b HTTP/1.0\r\n\r\n": (b"200 OK", b"alive\n"),
    b"HEAD /livez HTTP/1.1\r\nHost: a\r\n\r\n": (b"200 OK", b""),
    b"GET /other HTTP/1.1\r\n\r\n": (b"404 Not Found", b"Not Found\n"),
    b"GET http://a/livez HTTP/1.1\r\n\r\n": (b"404 Not Found", b"Not Found\n"),
    b"POST /livez HTTP/1.1\r\n\r\n": (b"405 Method Not Allowed", b"Method Not Allowed\n"),
    b"GET\r\n\r\n": (b"404 Not Found", b"Not Found\n"),
    b"\r\n\r\n": (b"405 Method Not Allowed", b"Method Not Allowed\n"),
    b"GET /\xff\0 HTTP/1.1\r\n\r\n": (b"404 Not Found", b"Not Found\n"),
}


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
@pytest.mark.parametrize("request_bytes", REQUESTS, ids=repr)
def test_a_request_gets_its_page_however_it_is_cut(request_bytes: bytes, cut: int) -> None:
    status, body = REQUESTS[request_bytes]
    head, _, found = asyncio.run(answer(request_bytes, cut)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert found == body


def test_a_request_without_an_end_is_refused() -> None:
    endless = b"GET /livez HTTP/1.1\r\nX: " + b"a" * REQUEST_BYTES
    assert asyncio.run(answer(endless)).startswith(b"HTTP/1.1 431 ")
