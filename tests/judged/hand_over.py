"""One honest message handed to a server: as DATA with its dots stuffed, or counted by BDAT."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.peers.raw import Raw, Reply

HELLO = b"EHLO client.outside.example\r\n"
MAIL = "MAIL FROM:<honest@outside.example>"


def hand_over(connection: Raw, content: bytes, recipient: str, *, mail: str = MAIL, chunked: bool = False) -> Reply:
    """Send one message in a session that was greeted; give the reply to its end, or the first that refused.

    By DATA `content` ends in CR LF, or is empty.
    """
    for command in (mail, f"RCPT TO:<{recipient}>"):
        if (reply := connection.ask(command.encode() + b"\r\n")).code != 250:
            return reply
    if chunked:
        return connection.ask(b"BDAT %d LAST\r\n%s" % (len(content), content))
    if (reply := connection.ask(b"DATA\r\n")).code != 354:
        return reply
    return connection.ask((b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n")
