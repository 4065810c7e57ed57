"""The gateway as users run it: the command `tidewaiter run --config FILE`, with its workers and its clerk."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.gateway.family import Family
from tests.judged.judge import GATEWAY

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = (Path(sys.executable).with_name("tidewaiter"), "run", "--config")
FRAME = """\
hostname = "{hostname}"
[store]
path = "state"
{rest}
"""
LISTENER = """
[[listener]]
address = "127.0.0.1:0"
role = "inbound"
"""


@contextmanager
def running(folder: Path, rest: str) -> Iterator[tuple[list[int], Family]]:
    """Run one whose listeners, routes and the rest are `rest`; give the ports of its listeners, and its processes."""
    (folder / "tidewaiter.toml").write_text(FRAME.format(hostname=GATEWAY, rest=rest))
    with Family(folder, command=COMMAND) as family:
        yield [port for _, port in family.wait_for("serving")["addresses"]], family


@contextmanager
def gateway(folder: Path, rest: str) -> Iterator[list[int]]:
    """Give the ports of one that is stopped as a service manager would, and must leave with nothing to complain of."""
    with running(folder, rest) as (ports, family):
        yield ports
        family.last_words()


def route(next_hop: str, domain: str = "inside.test") -> str:
    """Give a route in the clear."""
    return f'[[route]]\ndomains = ["{domain}"]\nnext_hop = "{next_hop}"\ntls = "off"\n'
