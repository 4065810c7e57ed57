"""How Dovecot's LMTP server 2.3.19 is booted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.debian import Account, Root
from tests.peers.instances import instance
from tests.peers.peer import RECIPIENT, Box, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "2.3.19.1"
ACCOUNTS = (Account("dovecot", 101), Account("dovenull", 102), Account("vmail", 5000, "/var/vmail"))
ROOT = Root("dovecot", ("dovecot-core", f"dovecot-lmtpd={VERSION}"), ACCOUNTS)

CONFIGURATION = """\
protocols = lmtp
listen = 127.0.0.1
ssl = no
first_valid_uid = 100
mail_location = maildir:~/Maildir
mail_plugins = quota
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=4G
  quota_max_mail_size = {size_limit}
}}
passdb {{
  driver = static
  args = password=pass
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home=/var/vmail/%u allow_all_users=yes
}}
hostname = mx.inside.test
service lmtp {{
  client_limit = 1
  process_limit = 200
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
mail_max_userip_connections = 200
log_path = /dev/stderr
"""


@contextmanager
def receiver(*, size_limit: int = 200_000) -> Iterator[Peer]:
    """Boot one that keeps what it is sent by LMTP; over the limit its reply is 451 after DATA."""
    port = free_port()
    with instance("dovecot", ROOT.path()) as place:
        filled = CONFIGURATION.format(port=port, size_limit=size_limit)
        place.write("/etc/dovecot/dovecot.conf", filled)
        place.make("/var/vmail", owner=ACCOUNTS[-1].number)
        box = Box(place.upper / "var/vmail" / RECIPIENT / "Maildir/new")
        with running(place, ["/usr/sbin/dovecot", "-F"], [port]) as program:
            yield Peer("dovecot-lmtp", VERSION, port, program, box, lmtp=True)
