"""How Exim 4.96 is booted: receiver, relay by DATA or BDAT, sendmail command.

Twice, for Debian's update of 26 November 2026 reads differently behind a rejection: as it was before, which lies in the
archive of a release that is not changed any more, and as Debian's newest is.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.debian import Account, Root
from tests.peers.instances import instance
from tests.peers.peer import Box, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "4.96-15+deb12u10"
MENDED_VERSION = "4.96"
EXIM, MAIL = 101, 8
ACCOUNTS = (Account("Debian-exim", EXIM, "/var/spool/exim4"),)
PACKAGES = ("exim4-daemon-light", "exim4-base", "exim4-config")
ROOT = Root("exim", tuple(f"{name}={VERSION}" for name in PACKAGES), ACCOUNTS)
MENDED = Root("exim-mended", (f"exim4-daemon-light={MENDED_VERSION}",), ACCOUNTS)
START = ("/usr/sbin/exim4", "-bdf", "-q1m")
COMMAND = ("/usr/sbin/sendmail",)

# The load and connection limits are lifted, or a busy machine would answer for Exim.
CONFIGURATION = """\
primary_hostname = mx.inside.test
qualify_domain = inside.test
domainlist local_domains = inside.test
hostlist relay_from_hosts = 127.0.0.1
daemon_smtp_ports = {ports}
local_interfaces = 127.0.0.1
disable_ipv6 = true
keep_environment =
log_file_path = syslog
pid_file_path = /tmp/exim.pid
host_lookup =
rfc1413_hosts =
rfc1413_query_timeout = 0s
acl_smtp_connect = acl_connect
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = accept
message_size_limit = {size_limit}
smtp_accept_max = 200
smtp_accept_max_per_host = 200
smtp_accept_max_nonmail = 1000
smtp_load_reserve = 1000
deliver_queue_load_max = 1000
queue_only_load = 1000
smtp_accept_queue_per_connection = 0
never_users = root
untrusted_set_sender = *
chunking_advertise_hosts = *

begin acl
acl_connect:
  accept condition = ${{if eq{{$received_port}}{{{unsynchronised}}}}}
         control = no_enforce_sync
  accept
acl_rcpt:
  accept domains = +local_domains
  accept hosts = : +relay_from_hosts
  deny message = no relay

begin routers
local:
  driver = accept
  domains = +local_domains
  transport = maildir
next_hop:
  driver = manualroute
  transport = next_hop
  route_list = * 127.0.0.1
  self = send

begin transports
next_hop:
  driver = smtp
  port = {next_hop}
  allow_localhost
  hosts_avoid_tls = *
  hosts_try_chunking = {chunking}
maildir:
  driver = appendfile
  directory = /var/mailtest/box
  maildir_format
  create_directory
  user = mail
  group = mail
  mode = 0660
  return_path_add

begin retry
* * F,1h,1m

begin rewrite
begin authenticators
"""


@contextmanager
def boot(*, next_hop: int = 9, bdat: bool = False, size_limit: int = 200_000, mended: bool = False) -> Iterator[Peer]:
    """Boot one; `ports` has `strict` and `unsynchronised`, which lets a client go on without waiting.

    Mail to inside.test is kept, all other mail goes to `next_hop`, by BDAT if asked for and offered there.
    """
    ports = {"strict": free_port(), "unsynchronised": free_port()}
    root, version = (MENDED, MENDED_VERSION) if mended else (ROOT, VERSION)
    with instance(root.name, root.path()) as place:
        filled = CONFIGURATION.format(
            ports=" : ".join(map(str, ports.values())),
            unsynchronised=ports["unsynchronised"],
            size_limit=size_limit,
            next_hop=next_hop,
            chunking="*" if bdat else "",
        )
        place.write("/etc/exim4/exim4.conf", filled)
        place.make("/var/mailtest", owner=MAIL)
        for folder in ("/var/spool/exim4", "/var/log/exim4"):
            place.make(folder, mode=0o750, owner=EXIM)
        box = Box(place.upper / "var/mailtest/box/new", (place.upper / "var/spool/exim4/input",))
        with running(place, START, ports.values()) as program:
            yield Peer("exim", version, ports["strict"], program, box, ports)
