"""Raw bytes on a connection of ours: greeted, a message handed over, and the last word."""

import asyncio
import socket
from typing import Final

from tidewaiter.demo.mail import END, Mail
from tidewaiter.model.sentence import Sentence
from tidewaiter.rig.caller import Answer, Caller, SilenceError
from tidewaiter.rig.player import HOST

SECONDS: Final = 60.0
MORE_THAN_COME: Final = 1_000_000
"""Waiting for so many replies is waiting for the end."""
EHLO: Final = b"EHLO client.outside.example\r\n"


async def greeted(port: int) -> Caller:
    """Connect, be greeted, and say EHLO."""
    caller = await Caller.call(HOST, port, SECONDS)
    await caller.until(1, SECONDS)
    await caller.ask(EHLO, SECONDS)
    return caller


async def unheard(port: int, wire: bytes) -> Caller:
    """Connect with `wire`, so that the other side has it before it can greet."""
    connected = socket.socket()
    # The acknowledgement that ends TCP's handshake waits for data, and goes with it (tcp(7)): else it were a race.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
    connected.settimeout(SECONDS)
    connected.connect((HOST, port))
    connected.sendall(wire)
    connected.setblocking(False)  # noqa: FBT003 - it has no name for it
    _, caller = await asyncio.get_running_loop().create_connection(Caller, sock=connected)
    return caller


async def hand_over(caller: Caller, mail: Mail, wire: bytes) -> Answer:
    """Send one message whose content is on the wire as `wire`; give the reply to its end, or that which refused it."""
    answer = await envelope(caller, mail)
    if answer.good:
        answer = await caller.ask(b"DATA\r\n", SECONDS)
    return await caller.ask(wire + END, SECONDS) if answer.code == 354 else answer


async def hand_over_counted(caller: Caller, mail: Mail) -> Answer:
    """Send one message in one chunk (RFC 3030 §2)."""
    answer = await envelope(caller, mail)
    chunk = b"BDAT %d LAST\r\n" % len(mail.content) + mail.content
    return await caller.ask(chunk, SECONDS) if answer.good else answer


async def envelope(caller: Caller, mail: Mail) -> Answer:
    """Send MAIL and RCPT; give the last reply."""
    answer = await caller.ask(f"MAIL FROM:<{mail.sender}>\r\n".encode(), SECONDS)
    return await caller.ask(f"RCPT TO:<{mail.recipient}>\r\n".encode(), SECONDS) if answer.good else answer


async def closed(caller: Caller) -> None:
    """Wait until the other side has closed; raises SilenceError."""
    if not await caller.until(MORE_THAN_COME, SECONDS):
        raise SilenceError(Sentence("the connection was left open"))


async def leave(caller: Caller) -> None:
    """Say QUIT and wait until the other side has closed: by then it has kept all that it keeps."""
    caller.write(b"QUIT\r\n")
    await caller.until(MORE_THAN_COME, SECONDS)
    caller.hang_up()
