"""Every peer there is, in which version, how it is opened, and why one cannot run here.

A receiver is opened as it is, a relay and a sender towards the port of their next hop.
The names are those of the dialect rows that describe them, where there is one.
"""

from __future__ import annotations

import platform
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.peers import (
    aiosmtpd,
    dovecot,
    exim,
    haraka,
    needs,
    network,
    opensmtpd,
    postfix,
    senders,
    sendmail,
    smtp_server,
    smtpd,
    strace,
)
from tests.peers.cache import PeerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.peers.peer import Peer
    from tests.peers.senders import Send


@dataclass(frozen=True, slots=True)
class Program:
    """What is prepared once; `why_not` is empty when it can run here."""

    version: str
    prepare: Callable[[], object]
    why_not: Callable[[], str]


def _nothing() -> str:
    return ""


# The program that a name begins with.
PROGRAMS = {
    "aiosmtpd-1.4.4": Program("1.4.4", partial(aiosmtpd.prepare, "1.4.4"), needs.environments),
    "aiosmtpd-1.4.6": Program("1.4.6", partial(aiosmtpd.prepare, "1.4.6"), needs.environments),
    "smtp-server-3.21.6": Program(smtp_server.VERSION, smtp_server.prepare, needs.environments),
    "haraka-3.3.3": Program("3.3.3", partial(haraka.prepare, "3.3.3"), needs.environments),
    "haraka-3.3.4": Program("3.3.4", partial(haraka.prepare, "3.3.4"), needs.environments),
    "nodemailer-9.0.5": Program("9.0.5", partial(senders.nodemailer_folder, "9.0.5"), needs.environments),
    "nodemailer-10.6.0": Program("10.6.0", partial(senders.nodemailer_folder, "10.6.0"), needs.environments),
    "smtpd-3.11": Program(smtpd.VERSION, _nothing, smtpd.why_not),
    "smtplib-3.11": Program(platform.python_version(), _nothing, _nothing),
    "curl-7.88": Program(senders.CURL_VERSION, senders.CLIENTS.path, needs.namespaces),
    "swaks": Program(senders.SWAKS_VERSION, senders.CLIENTS.path, needs.namespaces),
    "postfix-3.7": Program(postfix.VERSION, postfix.ROOT.path, needs.namespaces),
    "smtp-sink": Program(postfix.VERSION, postfix.ROOT.path, needs.namespaces),
    "exim-4.96-deb12u11": Program(exim.MENDED_VERSION, exim.MENDED.path, needs.namespaces),
    "exim-4.96": Program(exim.VERSION, exim.ROOT.path, needs.namespaces),
    "dovecot-lmtp-2.3.19": Program(dovecot.VERSION, dovecot.ROOT.path, needs.namespaces),
    "opensmtpd-6.8": Program(opensmtpd.VERSION, opensmtpd.ROOT.path, needs.namespaces),
    "network": Program("", network.ROOT.path, needs.namespaces),
    "strace": Program(strace.VERSION, strace.ROOT.path, needs.namespaces),
    "sendmail-8.17": Program(sendmail.VERSION, sendmail.ROOT.path, needs.namespaces),
}


@contextmanager
def _service(booted: AbstractContextManager[Peer], service: str) -> Iterator[Peer]:
    with booted as peer:
        yield peer.at(service)


def _postfix(service: str, **settings: int) -> AbstractContextManager[Peer]:
    return _service(postfix.boot(**settings), service)


def _filtered(service: str, next_hop: int) -> AbstractContextManager[Peer]:
    return _postfix(service, proxy_filter=next_hop)


def _command(
    boot: Callable[..., AbstractContextManager[Peer]], words: tuple[str, ...], next_hop: int
) -> AbstractContextManager[Send]:
    return senders.command(boot(next_hop=next_hop), *words)


RECEIVERS: dict[str, Callable[[], AbstractContextManager[Peer]]] = {
    **{f"postfix-3.7-{service}": partial(_postfix, service) for service in postfix.SERVICES},
    "exim-4.96": exim.boot,
    "exim-4.96-deb12u11": partial(exim.boot, mended=True),
    "exim-4.96-unsynchronised": lambda: _service(exim.boot(), "unsynchronised"),
    **{f"sendmail-8.17{name}": partial(sendmail.boot, **rules) for name, rules in sendmail.RULES.items()},
    "opensmtpd-6.8": opensmtpd.boot,
    "dovecot-lmtp-2.3.19": dovecot.receiver,
    **{f"haraka-{version}": partial(haraka.receiver, version) for version in ("3.3.3", "3.3.4")},
    **{f"haraka-{version}-discarding": partial(haraka.discarding, version) for version in ("3.3.3", "3.3.4")},
    **{f"aiosmtpd-{version}": partial(aiosmtpd.receiver, version) for version in ("1.4.4", "1.4.6")},
    **{f"aiosmtpd-{version}-discarding": partial(aiosmtpd.discarding, version) for version in ("1.4.4", "1.4.6")},
    "smtp-server-3.21.6": smtp_server.receiver,
    "smtp-sink": postfix.smtp_sink,
}
RELAYS: dict[str, Callable[[int], AbstractContextManager[Peer]]] = {
    "postfix-3.7-no": lambda next_hop: _postfix("no", next_hop=next_hop),
    "postfix-3.7-proxy-no": partial(_filtered, "filter"),
    "postfix-3.7-proxy-normalize": partial(_filtered, "filter-normalize"),
    "exim-4.96": lambda next_hop: exim.boot(next_hop=next_hop),
    "exim-4.96-bdat": lambda next_hop: exim.boot(next_hop=next_hop, bdat=True),
    "sendmail-8.17": lambda next_hop: sendmail.boot(next_hop=next_hop),
    "opensmtpd-6.8": lambda next_hop: opensmtpd.boot(next_hop=next_hop),
    "haraka-3.3.3": partial(haraka.forwarder, "3.3.3"),
    "haraka-3.3.4": partial(haraka.forwarder, "3.3.4"),
    "haraka-3.3.3-outbound": partial(haraka.relay, "3.3.3"),
    "haraka-3.3.4-outbound": partial(haraka.relay, "3.3.4"),
    "aiosmtpd-1.4.6-proxy": partial(aiosmtpd.proxy, "1.4.6"),
}
SENDERS: dict[str, Callable[[int], AbstractContextManager[Send]]] = {
    "curl-7.88": senders.curl,
    "curl-7.88-crlf": lambda port: senders.curl(port, "--crlf"),
    "swaks": senders.swaks,
    "smtplib-3.11-bytes": lambda port: senders.python(port, text=False),
    "smtplib-3.11-str": lambda port: senders.python(port, text=True),
    "nodemailer-9.0.5": lambda port: senders.nodemailer(port, "9.0.5"),
    "nodemailer-10.6.0": lambda port: senders.nodemailer(port, "10.6.0"),
    "haraka-3.3.3-send-email": partial(haraka.send_email, "3.3.3"),
    "haraka-3.3.4-send-email": partial(haraka.send_email, "3.3.4"),
    "postfix-3.7-command": partial(_command, postfix.boot, postfix.COMMAND),
    "exim-4.96-command": partial(_command, exim.boot, exim.COMMAND),
    "sendmail-8.17-command": partial(_command, sendmail.boot, sendmail.COMMAND),
    "opensmtpd-6.8-command": partial(_command, opensmtpd.boot, opensmtpd.COMMAND),
}
PEERS = {"receiver": tuple(RECEIVERS), "relay": tuple(RELAYS), "sender": tuple(SENDERS)}


def program(name: str) -> Program:
    """Give the program that the peer called `name` is a setting of; raise `PeerError` for none."""
    found = [program for known, program in PROGRAMS.items() if name == known or name.startswith(f"{known}-")]
    if not found:
        raise PeerError(f"there is no peer called {name!r}")
    return found[0]


def why_not(name: str) -> str:
    """Say why the peer called `name` cannot run here; empty when it can."""
    return program(name).why_not()


def receiver(name: str) -> AbstractContextManager[Peer]:
    """Open a receiver by its name."""
    return RECEIVERS[name]()


def relay(name: str, next_hop: int) -> AbstractContextManager[Peer]:
    """Open a relay by its name, towards the port `next_hop`; it relays what is not for inside.test."""
    return RELAYS[name](next_hop)


def sender(name: str, port: int) -> AbstractContextManager[Send]:
    """Open a sender by its name, towards `port`."""
    return SENDERS[name](port)
