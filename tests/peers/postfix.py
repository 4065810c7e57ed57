"""How Postfix 3.7 is booted: one instance with a service for each setting, side by side."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.peers.boot import free_port, running
from tests.peers.debian import Account, Owned, Root
from tests.peers.instances import Instance, instance
from tests.peers.peer import Box, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "3.7.11"
POSTFIX, POSTDROP, BOX_OWNER, USER = 101, 102, 5000, 5001
SPOOL = "/var/spool/postfix"
PRIVATE = (
    *("active", "bounce", "corrupt", "defer", "deferred", "flush"),
    *("hold", "incoming", "private", "saved", "trace"),
)
ROOT = Root(
    "postfix",
    (f"postfix={VERSION}",),
    (
        Account("postfix", POSTFIX, "/var/spool/postfix"),
        Account("postdrop", POSTDROP),
        Account("boxes", BOX_OWNER),
    ),
    (
        Owned("/var/lib/postfix", POSTFIX, POSTFIX),
        Owned("/usr/sbin/postqueue", 0, POSTDROP, 0o2755),
        Owned("/usr/sbin/postdrop", 0, POSTDROP, 0o2755),
        Owned(f"{SPOOL}/pid", 0, 0),
        Owned(f"{SPOOL}/public", POSTFIX, POSTDROP, 0o710),
        Owned(f"{SPOOL}/maildrop", POSTFIX, POSTDROP, 0o1730),
        *(Owned(f"{SPOOL}/{name}", POSTFIX, 0, 0o700) for name in PRIVATE),
    ),
)
# The master alone: `postfix start-fg` checks for two seconds what the root's recipe has set right.
START = ("/usr/lib/postfix/sbin/master", "-s")
COMMAND = ("/usr/sbin/sendmail",)
QUEUES = ("maildrop", "incoming", "active", "deferred")

MAIN = """\
compatibility_level = 3.6
myhostname = mx.inside.test
mydomain = inside.test
myorigin = inside.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = inside.test
virtual_mailbox_base = /var/mailtest
virtual_mailbox_maps = static:box/
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = {size_limit}
default_transport = smtp:[127.0.0.1]:{next_hop}
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
default_process_limit = 200
in_flow_delay = 0s
append_dot_mydomain = no
biff = no
maillog_file = /dev/stdout
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_forbid_bare_newline = no
smtpd_forbid_bare_newline_exclusions =
smtpd_forbid_unauth_pipelining = no
"""

# Each service and what it says differently. The packaged default of the exclusions is $mynetworks,
# which would exempt loopback, so main.cf empties it and one service sets it again.
SERVICES = {
    "no": ("smtpd_forbid_bare_newline=no",),
    "normalize": ("smtpd_forbid_bare_newline=normalize",),
    "reject": ("smtpd_forbid_bare_newline=reject",),
    "excluded": (
        "smtpd_forbid_bare_newline=normalize",
        "smtpd_forbid_bare_newline_exclusions=127.0.0.0/8",
    ),
    "patient": ("smtpd_forbid_unauth_pipelining=yes",),
    "xclient": ("smtpd_authorized_xclient_hosts=127.0.0.0/8",),
}
FILTERED = {
    "filter": ("smtpd_forbid_bare_newline=no",),
    "filter-normalize": ("smtpd_forbid_bare_newline=normalize",),
}


@contextmanager
def boot(*, next_hop: int = 9, proxy_filter: int = 9, size_limit: int = 200_000) -> Iterator[Peer]:
    """Boot all services; `ports` names them.

    Mail to inside.test is kept, all other mail goes to `next_hop`.
    The services `filter` hand each message to `proxy_filter` before they answer.
    """
    ports = {name: free_port() for name in (*SERVICES, *FILTERED)}
    with instance("postfix", ROOT.path()) as place:
        main = place.write("/etc/postfix/main.cf", MAIN.format(next_hop=next_hop, size_limit=size_limit))
        os.utime(main, (0, 0))  # else it waits two seconds for a file this new to "cool down"
        place.write("/etc/postfix/master.cf", _master(place, ports, proxy_filter))
        place.make("/var/mailtest", owner=BOX_OWNER)
        with running(place, START, ports.values()) as program:
            yield Peer("postfix", VERSION, ports["no"], program, _box(place), ports)


def _master(place: Instance, ports: dict[str, int], proxy_filter: int) -> str:
    packaged = (place.folder / "lower" / "usr/share/postfix/master.cf.dist").read_text().splitlines()
    kept = [line for line in packaged if not line.startswith("smtp      inet")]
    through = f"smtpd_proxy_filter=127.0.0.1:{proxy_filter}"
    services = SERVICES | {name: (*settings, through) for name, settings in FILTERED.items()}
    for name, settings in services.items():
        kept.append(f"127.0.0.1:{ports[name]} inet n - n - 200 smtpd")
        kept += [f"  -o {setting}" for setting in settings]
    return "\n".join(kept) + "\n"


def _box(place: Instance) -> Box:
    spool = place.upper / SPOOL.lstrip("/")
    return Box(place.upper / "var/mailtest/box/new", tuple(spool / queue for queue in QUEUES))


# What Debian's installation asks for and writes itself, as an "Internet Site", but for aliases, which need a map.
DEBIAN_MAIN = """\
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
alias_maps =
relayhost =
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
myhostname = unnamed.test
mydestination = $myhostname, localhost
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
home_mailbox = Maildir/
maillog_file = /dev/stdout
"""


@contextmanager
def debian(user: str, main: str, services: str, ports: tuple[int, ...]) -> Iterator[Peer]:
    """Boot one that an administrator has set up: `main` in Debian's main.cf, `services` instead of its `smtp inet`.

    Mail to `user`, a person on that machine, is kept.
    """
    with instance("postfix", ROOT.path()) as place:
        packaged = place.folder / "lower/usr/share/postfix"
        text = replaced((packaged / "main.cf.debian").read_text() + DEBIAN_MAIN, main)
        os.utime(place.write("/etc/postfix/main.cf", text), (0, 0))  # as in `boot`
        kept = re.sub(r"(?m)^smtp +inet .*\n", "", (packaged / "master.cf.dist").read_text())
        place.write("/etc/postfix/master.cf", kept + services)
        users = (place.folder / "lower/etc/passwd").read_text()
        place.write("/etc/passwd", f"{users}{user}:x:{USER}:{USER}::/home/{user}:/bin/sh\n")
        home = place.make(f"/home/{user}", owner=USER)
        with running(place, START, ports) as program:
            spool = place.upper / SPOOL.lstrip("/")
            box = Box(home / "Maildir/new", tuple(spool / queue for queue in QUEUES))
            yield Peer("postfix", VERSION, ports[0], program, box)


def replaced(text: str, by: str) -> str:
    """Put settings in, each instead of the one that was there: of two Postfix takes the last, and warns."""
    names = re.findall(r"(?m)^(\w+) *=", by)
    return re.sub(rf"(?m)^(?:{'|'.join(names)}) *=.*\n", "", text) + by


def command(name: str) -> list[str]:
    """Give the words that run one of Postfix's own programs, such as `smtp-source`, to be followed by its arguments."""
    return ["chroot", str(ROOT.path()), f"/usr/sbin/{name}"]


@contextmanager
def smtp_sink(*arguments: str, backlog: int = 4096) -> Iterator[Peer]:
    """Boot Postfix's `smtp-sink`, which discards all mail, with further `arguments` of its own."""
    port = free_port()
    with instance("smtp-sink", ROOT.path()) as place:
        words = ["/usr/sbin/smtp-sink", "-u", "nobody", *arguments, f"127.0.0.1:{port}", str(backlog)]
        with running(place, words, [port]) as program:
            yield Peer("smtp-sink", VERSION, port, program)
