"""How Haraka is booted: 3.3.3, which ended DATA at an odd place, and 3.3.4, its successor."""

from __future__ import annotations

import json
import re
import socket
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from tests.peers.boot import HOST, free_port, running
from tests.peers.instances import Instance, instance
from tests.peers.node import PROGRAMS, modules, node
from tests.peers.peer import Box, Peer
from tests.peers.senders import WITHIN, Send, Sent, request, when_emptied

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def prepare(version: str) -> Path:
    """Give the folder whose `node_modules` holds `version`."""
    return modules(f"haraka-{version}", "Haraka", version)


@contextmanager
def receiver(version: str) -> Iterator[Peer]:
    """Boot one that keeps each message as a queue plugin reads it, up to 200,000 octets."""
    with instance(f"haraka-{version}") as place:
        box = place.make("box")
        place.write("plugins/keep.js", (PROGRAMS / "haraka_keep.js").read_bytes())
        place.write("config/keep_folder", f"{box}\n")
        with _boot(version, place, ["rcpt_to.in_host_list", "keep"], Box(box)) as peer:
            yield peer


@contextmanager
def discarding(version: str) -> Iterator[Peer]:
    """Boot one with its own `queue/discard`: for learning and load."""
    with (
        instance(f"haraka-{version}") as place,
        _boot(version, place, ["rcpt_to.in_host_list", "queue/discard"], None) as peer,
    ):
        yield peer


@contextmanager
def forwarder(version: str, next_hop: int) -> Iterator[Peer]:
    """Boot one that hands each message on with `queue/smtp_forward` before it says 250."""
    with instance(f"haraka-{version}") as place:
        place.write("config/smtp_forward.ini", f"host=127.0.0.1\nport={next_hop}\n")
        plugins = ["rcpt_to.in_host_list", "queue/smtp_forward"]
        with _boot(version, place, plugins, None) as peer:
            yield peer


@contextmanager
def relay(version: str, next_hop: int) -> Iterator[Peer]:
    """Boot one that says 250 first and then delivers from its own queue."""
    with (
        instance(f"haraka-{version}") as place,
        _boot(version, place, ["to_next_hop"], _outbound(place, next_hop)) as peer,
    ):
        yield peer


@contextmanager
def send_email(version: str, next_hop: int) -> Iterator[Send]:
    """Open `outbound.send_email`, by which plugins send; the content is handed over as text."""
    with instance(f"haraka-{version}") as place:
        place.write("plugins/send.js", (PROGRAMS / "haraka_send.js").read_bytes())
        port = free_port()
        place.write("config/send_port", f"{port}\n")
        with _boot(version, place, ["to_next_hop", "send"], _outbound(place, next_hop)) as peer:
            yield Send(partial(_send_email, peer, port))


def _send_email(peer: Peer, port: int, message: bytes, reverse_path: str, forward_paths: Sequence[str]) -> Sent:
    with socket.create_connection((HOST, port), timeout=WITHIN) as client, client.makefile("rw") as lines:
        lines.write(request(message, reverse_path, forward_paths))
        lines.flush()
        queued = Sent(**json.loads(lines.readline()))
    return when_emptied(peer) if queued.accepted else queued


def _outbound(place: Instance, next_hop: int) -> Box:
    place.write("plugins/to_next_hop.js", (PROGRAMS / "haraka_relay.js").read_bytes())
    place.write("config/next_hop", f"{next_hop}\n")
    return Box(place.make("box"), (place.make("queue"),))


@contextmanager
def _boot(version: str, place: Instance, plugins: Sequence[str], box: Box | None) -> Iterator[Peer]:
    port, package = free_port(), prepare(version) / "node_modules" / "Haraka"
    _configure(place, package, port, plugins)
    command = ["env", "YES_REALLY_DO_DISCARD=1", node(), package / "bin" / "haraka", "-c", place.upper]
    with running(place, command, [port]) as program:
        yield Peer(f"haraka-{version}", version, port, program, box)


def _configure(place: Instance, package: Path, port: int, plugins: Sequence[str]) -> None:
    place.write("config/me", "mail.inside.test\n")
    place.write("config/host_list", "inside.test\nsink.test\n")
    place.write("config/smtp.ini", f"listen=127.0.0.1:{port}\nnodes=0\n")
    place.write("config/log.ini", "[main]\nlevel=NOTICE\n")
    place.write("config/plugins", "\n".join(plugins) + "\n")
    # The whole packaged file, edited: Haraka does not fill a partial one with its defaults.
    packaged = (package / "config" / "connection.ini").read_text()
    place.write("config/connection.ini", re.sub(r"(?m)^bytes *=.*$", "bytes=200000", packaged))
