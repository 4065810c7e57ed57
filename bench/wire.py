"""What one 4 KB message costs in the SMTP core alone: both sides, no socket. Prints µs of CPU, the best of many rounds.

The gateway has about 150 µs for a message in all; the core may take 40 as a server and 30 as a client.
"""

import time
from collections.abc import Callable

from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import replies
from tidewaiter.wire.client import Client
from tidewaiter.wire.events import Asking, ContentStart
from tidewaiter.wire.server import Server
from tidewaiter.wire.service import Service

CONTENT = b"Subject: a message of four kilobytes\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 56
DIALOGUE = (
    b"EHLO client.example\r\n",
    b"MAIL FROM:<sender@client.example> SIZE=4096 BODY=8BITMIME\r\n",
    b"RCPT TO:<recipient@inside.test>\r\n",
    b"DATA\r\n",
    CONTENT + b".\r\n",
    b"QUIT\r\n",
)
REPLIES = (
    b"220 mx.inside.test ESMTP\r\n",
    b"250-mx.inside.test\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-8BITMIME\r\n250 CHUNKING\r\n",
    b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n",
    b"354 End data with <CR><LF>.<CR><LF>\r\n",
    b"250 2.0.0 Ok: queued as 4F1B2C3D\r\n",
)
ROUNDS, TIMES = 40, 300
SERVICE = Service("mx.example")
MAIL = Mail(Address.parse("sender@client.example"), 4096, eight_bit=True)
RECIPIENT = Address.parse("recipient@inside.test")


def serve() -> None:
    """One connection with one message, seen from the server."""
    server = Server(SERVICE)
    server.greet()
    server.output()
    for data in DIALOGUE:
        events = server.receive(data)
        while events and isinstance(events[-1], Asking):
            events = server.answer(replies.GO_AHEAD if isinstance(events[-1], ContentStart) else replies.OK)
        server.output()


POOLED = Client("mx.example")
POOLED.receive(REPLIES[0])
POOLED.ehlo()
POOLED.receive(REPLIES[1])


def send() -> None:
    """One message over a pooled connection, seen from the client."""
    POOLED.mail(MAIL)
    POOLED.rcpt(RECIPIENT)
    POOLED.output()
    POOLED.receive(REPLIES[2])
    POOLED.data()
    POOLED.output()
    POOLED.receive(REPLIES[3])
    POOLED.content(CONTENT)
    POOLED.end()
    POOLED.output()
    POOLED.receive(REPLIES[4])


def commands() -> None:
    """A hundred RSET in one read, the cheapest command there is."""
    server = Server(SERVICE)
    server.greet()
    server.receive(b"EHLO client.example\r\n")
    server.receive(b"RSET\r\n" * 90)
    server.output()


def measure(run: Callable[[], None]) -> float:
    """Microseconds of CPU for one call: the best round, since noise only ever adds."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(TIMES):
            run()
        best = min(best, time.process_time() - start)
    return best / TIMES * 1e6


if __name__ == "__main__":
    print(f"server, one connection with a 4 KB message: {measure(serve):6.1f} µs")
    print(f"client, a 4 KB message, pooled connection:  {measure(send):6.1f} µs")
    print(f"server, one RSET of a pipelined group:      {measure(commands) / 91:6.2f} µs")
