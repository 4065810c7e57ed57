"""How Sendmail 8.17 is booted: receiver with Debian's or more lenient rules, relay, sendmail command."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

from tests.peers.boot import free_port, running
from tests.peers.debian import Account, Owned, Root
from tests.peers.instances import Instance, instance
from tests.peers.peer import Box, Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "8.17.1.9"


class Rules(TypedDict, total=False):
    """How a variant is looser than Debian's own."""

    features: str
    reject_nul: bool


MTA, CLIENT, RCPT = 101, 102, 5000
PROGRAM = "/usr/libexec/sendmail/sendmail"
ACCOUNTS = (Account("smmta", MTA), Account("smmsp", CLIENT), Account("rcpt", RCPT, "/home/rcpt"))
OWNED = (
    Owned(PROGRAM, 0, CLIENT, 0o2755),
    Owned("/var/spool/mqueue", MTA, CLIENT, 0o2750),
    Owned("/var/spool/mqueue-client", CLIENT, CLIENT, 0o2770),
    Owned("/var/lib/sendmail", MTA, CLIENT, 0o2755),
    Owned("/home/rcpt", RCPT, RCPT),
    Owned("/home/rcpt/new", RCPT, RCPT),
)
ROOT = Root("sendmail", (f"sendmail-bin={VERSION}", f"sendmail-cf={VERSION}", "m4"), ACCOUNTS, OWNED)

# Flags of srv_features, by the name of the row. O: a lone dot ends. G: bare LF is taken, g2: it becomes a space.
# U and u2: the same for a bare CR. F: a client need not wait for 354.
RULES: dict[str, Rules] = {
    "": {},
    "-NUL": {"reject_nul": False},
    "-O": {"features": "O"},
    "-G": {"features": "G"},
    "-U": {"features": "U"},
    "-O-G": {"features": "O G"},
    "-O-G-U": {"features": "O G U F", "reject_nul": False},
    "-g2": {"features": "g2"},
    "-u2": {"features": "u2"},
}

# On top of Debian's own files. The limits are lifted, or a busy machine would answer for Sendmail.
COMMON = """\
define(`confDOMAIN_NAME', `mx.inside.test')dnl
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch-nodns')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
FEATURE(`nocanonify')dnl
"""
SETTINGS = """\
define(`confMAX_MESSAGE_SIZE', `{size_limit}')dnl
define(`confPID_FILE', `/run/sendmail.pid')dnl
define(`confREJECT_NUL', `{reject_nul}')dnl
define(`ESMTP_MAILER_ARGS', `TCP $h {next_hop}')dnl
define(`SMART_HOST', `esmtp:[127.0.0.1]')dnl
define(`LOCAL_MAILER_PATH', `/usr/local/bin/keep')dnl
define(`LOCAL_MAILER_ARGS', `keep $u')dnl
define(`LOCAL_MAILER_FLAGS', `Pmn9')dnl
undefine(`confHOST_STATUS_DIRECTORY')dnl
define(`confTO_IDENT', `0')dnl
define(`confDELAY_LA', `0')dnl
define(`confDONT_PROBE_INTERFACES', `true')dnl
FEATURE(`accept_unresolvable_domains')dnl
"""
SUBMISSION = """\
define(`RELAY_MAILER_ARGS', `TCP $h {next_hop}')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
"""
DROPPED = re.compile(r".*(Name=MSP-v4|confCONNECTION_RATE).*\n")

# The local mailer, in place of Debian's: one file a message, whole or not at all.
# Its arguments must name $u, else Sendmail speaks SMTP to it.
KEEP = "#!/bin/sh\nname=$(date +%s%N)-$$\ncat > /home/rcpt/.$name && mv /home/rcpt/.$name /home/rcpt/new/$name\n"
START = (
    "cd /etc/mail && m4 sendmail.mc > sendmail.cf && m4 submit.mc > submit.cf"
    " && /usr/sbin/makemap hash access < access"
    f" && {PROGRAM} -bi -C/etc/mail/sendmail.cf"
    f" && exec {PROGRAM} -bD -q1m -C/etc/mail/sendmail.cf"
)
COMMAND = (PROGRAM, "-Ac", "-C/etc/mail/submit.cf")


@contextmanager
def boot(
    *, next_hop: int = 9, features: str = "", reject_nul: bool = True, size_limit: int = 200_000
) -> Iterator[Peer]:
    """Boot one with Debian's rules, loosened by `features` (flags of srv_features) and `reject_nul`.

    Mail to inside.test is kept, all other mail goes to `next_hop`.
    """
    port = free_port()
    with instance("sendmail", ROOT.path()) as place:
        settings = COMMON + SETTINGS.format(
            next_hop=next_hop, reject_nul=str(reject_nul).lower(), size_limit=size_limit
        )
        submission = COMMON + SUBMISSION.format(next_hop=next_hop)
        _configure(place, port, settings, submission, features)
        queues = (place.upper / "var/spool/mqueue", place.upper / "var/spool/mqueue-client")
        box = Box(place.upper / "home/rcpt/new", queues)
        with running(place, ["/bin/sh", "-c", START], [port]) as program:
            yield Peer("sendmail", VERSION, port, program, box)


def _configure(place: Instance, port: int, settings: str, submission: str, features: str) -> None:
    packaged = place.folder / "lower/usr/share/sendmail"
    server = (packaged / "cf/debian/sendmail.mc").read_text().replace("Port=smtp", f"Port={port}")
    server = DROPPED.sub("", server).replace("MAILER_DEFINITIONS", settings + "MAILER_DEFINITIONS")
    if features:
        server += f"LOCAL_SRV_FEATURES\nR$*\t$# {features}\n"
    client = re.sub(r"(?m)^FEATURE\(`msp'.*\n", submission, (packaged / "cf/debian/submit.mc").read_text())
    place.write("/etc/mail/sendmail.mc", server)
    place.write("/etc/mail/submit.mc", client)
    place.write("/etc/mail/access", (packaged / "examples/db/access").read_bytes())
    place.write("/etc/mail/local-host-names", "inside.test\nmx.inside.test\n")
    place.write("/etc/mail/aliases", "root: /dev/null\npostmaster: /dev/null\n")
    for name in ("dialup", "provider"):
        place.write(f"/etc/mail/m4/{name}.m4", "")
    place.write("/usr/local/bin/keep", KEEP, mode=0o755)
