"""Who is measured: ourselves, Postfix as a proxy filter, and aiosmtpd's Proxy, all before the same smtp-sink.

And, in a network of their own where clients have many addresses, the Postfix of docs/deployment.md alone and behind us.
Everybody is booted once and stays up, so that rounds can alternate between them.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import trustme

from bench.processes import cpu_seconds, pss_bytes
from tests.judged.page import blocks
from tests.peers import aiosmtpd, postfix
from tests.peers.boot import Running, free_port, running
from tests.peers.instances import Instance, instance
from tests.peers.network import network
from tests.peers.peer import Peer

OURS: Final = "tidewaiter"
SECURE: Final = "tidewaiter, implicit TLS"
WATCHED: Final = "tidewaiter, its callbacks timed"
POSTFIX: Final = "postfix proxy"
AIOSMTPD: Final = "aiosmtpd Proxy"
TOLD: Final = "tidewaiter, XCLIENT, postfix"
SHARING: Final = "tidewaiter, XCLIENT shared, postfix"
UNTOLD: Final = "tidewaiter, no XCLIENT, postfix"
ALONE: Final = "postfix alone"
CALLBACKS: Final = "callbacks"
"""The folder of what is imported to time them, here, and of what it found, where a peer runs."""
LARGEST: Final = 64 * 1024 * 1024
"""Size limit of every peer, above all that is sent."""

# Shipped defaults: log and store on, one worker for each core.
_CONFIGURATION: Final = """\
hostname = "mx.tidewaiter.test"

[store]
path = "state"

[log]
file = "log"

[[listener]]
address = "127.0.0.1:{port}"
role = "inbound"

[[listener]]
address = "127.0.0.1:{secure}"
role = "inbound"
tls = "implicit"
certificate = "both.pem"
key = "both.pem"

[[route]]
domains = ["sink.example"]
next_hop = "smtp://127.0.0.1:{next_hop}"
"""

DOCUMENTED: Final = "In front of Postfix"
"""The section of docs/deployment.md."""
KEPT: Final = "ann"
"""Who has mail there; it is discarded behind the queue, where delivering it would be measured too."""
NETWORKS: Final = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")
SERVERS: Final = {TOLD: "192.0.2.1", UNTOLD: "192.0.2.2", ALONE: "192.0.2.3", SHARING: "192.0.2.4"}
_BEFORE: Final = """\
hostname = "mx.example.test"

[store]
path = "state"

[log]
file = "log"

[[listener]]
address = "{server}:25"
role = "inbound"

[[route]]
domains = ["example.test"]
next_hop = "smtp://127.0.0.1:{port}"
xclient = "{xclient}"
tls = "off"
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One peer: where it listens and which processes it is made of."""

    name: str
    port: int
    processes: Callable[[], list[int]]
    folder: Path
    """Where it runs."""
    queued: Callable[[], int] = int
    """How much is still on its way there."""

    def cpu_seconds(self) -> float:
        """CPU used so far."""
        return cpu_seconds(self.processes())

    def longest_callback(self) -> float:
        """Seconds of CPU that the longest call of a loop took so far, in any process of a `WATCHED` peer."""
        return max(float(note.read_text().split()[0]) for note in (self.folder / CALLBACKS).iterdir())

    def pss_bytes(self) -> int:
        """Memory held now."""
        return pss_bytes(self.processes())


@contextmanager
def stage() -> Iterator[dict[str, Measured]]:
    """Boot all three; give them by name."""
    with ExitStack() as stack:
        sink = stack.enter_context(postfix.smtp_sink("-c", "-m", "15000"))
        ours = stack.enter_context(gateway(sink.port))
        watched = stack.enter_context(gateway(sink.port, watched=True))
        filtering = stack.enter_context(postfix.boot(proxy_filter=sink.port, size_limit=LARGEST)).at("filter")
        proxy = stack.enter_context(aiosmtpd.proxy("1.4.6", sink.port))
        yield stack.enter_context(_documented()) | {
            name: Measured(name, peer.port, peer.processes, peer.running.place.upper)
            for name, peer in (
                (OURS, ours),
                (SECURE, ours.at("tls")),
                (WATCHED, watched),
                (POSTFIX, filtering),
                (AIOSMTPD, proxy),
            )
        }


@contextmanager
def _documented() -> Iterator[dict[str, Measured]]:
    main, services, shared = blocks(DOCUMENTED)
    gateways = {TOLD: (10025, "on"), UNTOLD: (10025, "off"), SHARING: (10026, "on")}
    services += services[services.index("127.0.0.1:10025") :].replace("10025", "10026") + shared
    services += f"{SERVERS[ALONE]}:25 inet n - y - - smtpd\n"
    postfix.ROOT.path()  # unpacked while there is a network to fetch it from
    with ExitStack() as stack:
        with network(*NETWORKS):
            site = f"{main}local_transport = discard:\n"
            peer = stack.enter_context(postfix.debian(KEPT, site, services, (25, 10025)))
            ours = {name: stack.enter_context(_before(SERVERS[name], *how)) for name, how in gateways.items()}
        found = {ALONE: peer.processes}
        for name, program in ours.items():
            found[name] = partial(_processes_of_both, program, peer)
        assert peer.box
        folder, queued = peer.running.place.upper, peer.box.queued
        yield {name: Measured(name, 25, processes, folder, queued) for name, processes in found.items()}


def _processes_of_both(ours: Running, postfix: Peer) -> list[int]:
    return [*ours.processes(), *postfix.processes()]


@contextmanager
def _before(server: str, port: int, xclient: str) -> Iterator[Running]:
    with instance(OURS) as place:
        file = place.write("/gateway.toml", _BEFORE.format(server=server, port=port, xclient=xclient))
        with running(place, _command(file), [25], host=server) as program:
            yield program


def _command(file: Path) -> list[object]:
    return [Path(sys.executable).with_name("tidewaiter"), "run", "--config", file]


def _watching(place: Instance) -> list[object]:
    notes = place.make(f"/{CALLBACKS}")
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent / CALLBACKS), os.environ.get("PYTHONPATH", ""))))
    return ["env", f"CALLBACKS={notes}", f"PYTHONPATH={path}"]


@contextmanager
def gateway(next_hop: int, *, watched: bool = False) -> Iterator[Peer]:
    """Boot ourselves before `next_hop`, as `tidewaiter run` does; `watched` with every callback timed."""
    port, secure = free_port(), free_port()
    with instance(OURS) as place:
        certificate = trustme.CA().issue_cert("mx.tidewaiter.test")
        place.write("/both.pem", certificate.private_key_and_cert_chain_pem.bytes())
        file = place.write("/gateway.toml", _CONFIGURATION.format(port=port, secure=secure, next_hop=next_hop))
        words = [*(_watching(place) if watched else []), *_command(file)]
        with running(place, words, [port]) as program:
            yield Peer(OURS, "", port, program, ports={"tls": secure})
