"""The gateway and Postfix as docs/deployment.md has them, on their documented addresses, in a network of their own.

Nothing of the page is changed: its main.cf, its master.cf and its TOML are put where it says that they belong.
What is added is a site's own: its user, its certificate, and how many workers its machine would have.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

from tests.gateway.family import Family
from tests.judged.gateway import COMMAND
from tests.judged.page import blocks
from tests.peers import postfix
from tests.peers.instances import Instance, instance
from tests.peers.network import network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.peers import Peer

HEADING = "In front of Postfix"
ADDRESSES = ("192.0.2.1", "2001:db8::1")
STRANGERS = ("198.51.100.0/24", "203.0.113.0/24", "2001:db8:1::/48")
USER = "ann"
RECIPIENT = f"{USER}@example.test"
FOR_PROGRAMS, FOR_THE_GATEWAY = 25, 10025
WORKERS = "\n[workers]\ncount = 2\n"
# The page's folders, laid over the machine's in a mount namespace that ends with the gateway.
LAID_OVER = """
for each in etc var/lib; do
    mkdir -p "$1/work/$each" && mount -t overlay overlay \
        -o "lowerdir=/$each,upperdir=$1/upper/$each,workdir=$1/work/$each" "/$each" || exit
done
shift; exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Documented:
    """Both, as they run."""

    postfix: Peer
    gateway: Family


@contextmanager
def documented(*, main: str = "", service: str = "", gateway: str = "") -> Iterator[Documented]:
    """Run both; a site's further lines for main.cf, for the gateway's service in master.cf, and for the TOML."""
    written, services, _ = blocks(HEADING)
    (configuration,) = blocks(HEADING, "toml")
    postfix.ROOT.path()  # unpacked while there is a network to fetch it from
    with (
        network(*(f"{each}/32" if "." in each else f"{each}/128" for each in ADDRESSES), *STRANGERS),
        postfix.debian(
            USER, postfix.replaced(written, main), services + service, (FOR_PROGRAMS, FOR_THE_GATEWAY)
        ) as peer,
        instance("documented") as place,
    ):
        yield from _before(peer, place, configuration + WORKERS + gateway)


def _before(peer: Peer, place: Instance, configuration: str) -> Iterator[Documented]:
    certificate = trustme.CA().issue_cert("mx.example.test")
    place.write("/etc/tidewaiter/mx.pem", b"".join(each.bytes() for each in certificate.cert_chain_pems))
    place.write("/etc/tidewaiter/mx.key", certificate.private_key_pem.bytes(), mode=0o600)
    place.write("/etc/tidewaiter/tidewaiter.toml", configuration)
    place.make("/var/lib/tidewaiter", mode=0o700)
    command = ("unshare", "--mount", "sh", "-c", LAID_OVER, "sh", str(place.folder), *COMMAND)
    with Family(place.upper / "etc/tidewaiter", command=command) as family:
        family.wait_for("serving")
        yield Documented(peer, family)
        family.last_words()
