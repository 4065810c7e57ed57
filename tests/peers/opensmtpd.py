"""How OpenSMTPD 6.8 is booted: receiver, relay, sendmail command."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.debian import Account, Owned, Root
from tests.peers.instances import instance
from tests.peers.peer import Box, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "6.8.0p2"
DAEMON, QUEUE, RCPT = 101, 102, 5000
ACCOUNTS = (
    Account("opensmtpd", DAEMON, "/var/lib/opensmtpd/empty"),
    Account("opensmtpq", QUEUE, "/var/lib/opensmtpd/empty"),
    Account("rcpt", RCPT, "/home/rcpt"),  # rcpt@inside.test is delivered to the user of that name
)
OWNED = (
    Owned("/var/lib/opensmtpd/empty", 0, 0),
    Owned("/home/rcpt", RCPT, RCPT),
    Owned("/usr/sbin/smtpctl", 0, QUEUE, 0o2755),
)
ROOT = Root("opensmtpd", (f"opensmtpd={VERSION}",), ACCOUNTS, OWNED)
QUEUES = ("queue", "incoming", "temporary", "offline")
COMMAND = ("/usr/sbin/sendmail",)

CONFIGURATION = """\
smtp max-message-size {size_limit}
smtp limit max-mails 10000
listen on 127.0.0.1 port {port} hostname mx.inside.test
action "local" maildir "/home/rcpt/Maildir"
action "out" relay host "smtp+notls://127.0.0.1:{next_hop}"
match from any for domain "inside.test" action "local"
match from any for any action "out"
"""


@contextmanager
def boot(*, next_hop: int = 9, size_limit: int = 200_000) -> Iterator[Peer]:
    """Boot one: mail to inside.test is kept, all other mail goes to `next_hop`.

    It offers no PIPELINING and means it: whatever stands behind a command or a message closes the connection.
    """
    port = free_port()
    with instance("opensmtpd", ROOT.path()) as place:
        filled = CONFIGURATION.format(port=port, next_hop=next_hop, size_limit=size_limit)
        place.write("/etc/smtpd.conf", filled)
        spool = place.upper / "var/spool/smtpd"
        box = Box(place.upper / "home/rcpt/Maildir/new", tuple(spool / queue for queue in QUEUES))
        with running(place, ["/usr/sbin/smtpd", "-d"], [port]) as program:
            yield Peer("opensmtpd", VERSION, port, program, box)
