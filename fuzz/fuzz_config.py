"""The configuration, fed with anything: it is refused with a place, or it means what it says and relays for nobody.

The input is the file, byte for byte.
"""

import tomllib
from collections.abc import Iterable, Iterator

from tidewaiter.config import ConfigError, Settings, parse
from tidewaiter.config.settings import Listener, Role
from tidewaiter.config.values import Network, TcpHop
from tidewaiter.config.writing import write

PARTS = (
    "src/tidewaiter/config/error.py",
    "src/tidewaiter/config/parsing.py",
    "src/tidewaiter/config/meaning.py",
    "src/tidewaiter/config/place.py",
    "src/tidewaiter/config/toml.py",
    "src/tidewaiter/config/values.py",
)
FILE = "/etc/tw\n\x1b[31m.toml"
"""Whoever names a file may be somebody else than who reads what is wrong in it."""
EAR = "tidewaiter.config.parsing:parse"
VECTORS = ()
"""No vector comes by way of the configuration."""

_INBOUND = """\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "127.0.0.1:2525"
role = "inbound"
[[route]]
domains = ["inside.test"]
next_hop = "smtp://127.0.0.1:2526"
"""
_OUTBOUND = """\
hostname = "mx.tidewaiter.test"
[[listener]]
address = "[::]:587"
role = "outbound"
networks = ["192.0.2.0/24", "2001:db8::/32"]
data.nul = "repair"
[[listener.exclusion]]
networks = "192.0.2.7"
[[route]]
domains = "*"
next_hop = ["smtps://smarthost.example", "lmtp:/run/lmtp", "maildir:mail"]
roles = "outbound"
timeouts.end = "11m"
[limits]
message_size = "100MiB"
"""


def says(wire: bytes) -> bytes:
    """The input that makes `wire` the file."""
    return wire


SEEDS = [
    text.encode()
    for text in (
        _INBOUND,
        _OUTBOUND,
        _INBOUND.replace('"inside.test"', '"*"'),
        _INBOUND.replace("2526", "2525"),
        _OUTBOUND.replace('"192.0.2.0/24", "2001:db8::/32"', ""),
        _OUTBOUND.replace("192.0.2.0/24", "0.0.0.0/0"),
        _OUTBOUND.replace("2001:db8::/32", "::/0"),
        _OUTBOUND.replace("192.0.2.0/24", '0.0.0.0/1", "128.0.0.0/1'),
        _INBOUND.replace("127.0.0.1:2525", "0.0.0.0:2526"),
        _INBOUND + _OUTBOUND.partition("\n")[2],
        _INBOUND.replace("hostname", "hostnam"),
        _INBOUND + "idle = [\n1,\n2]\n",
    )
]


def one_input(data: bytes) -> None:
    """Hold every invariant of the configuration against one input."""
    try:
        settings = parse(data, FILE)
    except ConfigError as error:
        _placed(error, data)
        return
    _safe(settings)
    written = write(settings)
    assert parse(written.encode(), "/elsewhere/tw.toml") == settings, "written and read again, it differs"
    assert set(_keys(tomllib.loads(data.decode()))) <= set(_keys(tomllib.loads(written))), "a key was not heeded"


def _placed(error: ConfigError, data: bytes) -> None:
    assert error.mistakes, "refused without a reason"
    lines = data.split(b"\n")
    for mistake in error.mistakes:
        assert str(mistake).isprintable(), "a line more, or what a terminal obeys"
        assert 1 <= mistake.line <= len(lines), "a mistake outside of the file"
        name = mistake.key.rpartition(".")[2].partition("[")[0].encode()
        planted = str(mistake.message).startswith("unknown key")
        assert not planted or not name.isalnum() or name in lines[mistake.line - 1], "another line"


def _stranger(networks: Iterable[Network], version: int, first: int, last: int) -> int | None:
    """The first address from `first` to `last` that is in none of the networks."""
    spans = sorted((int(one[0]), int(one[-1])) for one in networks if one.version == version)
    for begin, end in spans:
        if begin > first:
            break
        first = max(first, end + 1)
    return first if first <= last else None


def _safe(settings: Settings) -> None:
    """Promise 10, said once more and otherwise."""
    inbound = [listener for listener in settings.listener if listener.role is Role.INBOUND]
    ours = {(host, listener.address.port) for listener in settings.listener for host in _reached_by(listener)}
    for listener in settings.listener:
        assert (listener in inbound) != bool(listener.networks), "relays for nobody, or inbound for somebody"
        assert _stranger(listener.networks, 4, 0, 2**32 - 1) is not None, "everyone"
        assert _stranger(listener.networks, 6, 0x2 << 124, (0x4 << 124) - 1) is not None, "everyone, by IPv6"
    for route in settings.route:
        assert not (inbound and "*" in route.domains and Role.INBOUND in route.roles), "an open relay"
        for hop in route.next_hop:
            assert not isinstance(hop, TcpHop) or (hop.host, hop.port) not in ours, "a loop to ourselves"


def _reached_by(listener: Listener) -> set[str]:
    host = str(listener.address.host)
    return {host} | {"0.0.0.0": {"127.0.0.1"}, "::": {"::1"}}.get(host, set())  # noqa: S104  # compared, not bound


def _keys(table: object, path: str = "") -> Iterator[str]:
    match table:
        case dict():
            for name, value in table.items():
                yield f"{path}.{name}"
                yield from _keys(value, f"{path}.{name}")
        case list():
            for place, value in enumerate(table):
                yield from _keys(value, f"{path}[{place}]")
