"""SMTP without a socket: what a server and a client say, as values in and values out.

A server (`Server`) is fed what the client sent and gives events; a driver carries its output:

    server = Server(service)            # Service: host name, offers, limits, positions; one for a listener
    server.greet(); send(server.output())
    for event in server.receive(data):  # one that is `Asking` is the last: nothing more is interpreted …
        …
    server.answer(reply)                # … until it is answered; returns the events that waited behind it
    send(server.output())               # replies of a whole pipelined group in one write

`MailFrom`, `RcptTo`, `ContentStart`, `ChunkEnd` and `MessageEnd` ask; `Content`, `MessageRefused`, `MailRefused`,
`RcptRefused`, `Reset`, `StartTls` and `Close` tell. Read no more from the socket while `server.reading` is false.
In state HANDSHAKE the next byte belongs to TLS; behind the handshake call `started_tls`.

A client (`Client`) has one method for each command and reports `Replied(verb, reply)` in the order of the commands:

    client = Client("mx.example")       # Replied(GREETING) comes first
    client.ehlo(); client.mail(mail); client.rcpt(recipient); client.data()
    client.content(block); client.end() # or client.bdat(size) and exactly that much content
    send(client.output()); events = client.receive(data)

`Broken` means: close, believe nothing more; `Early`: the same, but the reply to content counts.
`client.idle` says whether a connection is fit for a pool.
State tables: `states`. Neither side ever raises for what its peer sent.
"""

from tidewaiter.wire import replies
from tidewaiter.wire.client import Broken, Client, Early, Heard, Replied
from tidewaiter.wire.errors import LocalProtocolError, WireError
from tidewaiter.wire.events import (
    Asking,
    ChunkEnd,
    Close,
    Content,
    ContentStart,
    Event,
    MailFrom,
    MailRefused,
    MessageEnd,
    MessageRefused,
    RcptRefused,
    RcptTo,
    Reset,
    StartTls,
)
from tidewaiter.wire.offers import Offers
from tidewaiter.wire.server import Server
from tidewaiter.wire.service import Limits, Service
from tidewaiter.wire.states import State, Verb

__all__ = [
    "Asking",
    "Broken",
    "ChunkEnd",
    "Client",
    "Close",
    "Content",
    "ContentStart",
    "Early",
    "Event",
    "Heard",
    "Limits",
    "LocalProtocolError",
    "MailFrom",
    "MailRefused",
    "MessageEnd",
    "MessageRefused",
    "Offers",
    "RcptRefused",
    "RcptTo",
    "Replied",
    "Reset",
    "Server",
    "Service",
    "StartTls",
    "State",
    "Verb",
    "WireError",
    "replies",
]
