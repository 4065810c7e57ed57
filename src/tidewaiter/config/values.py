"""How one value is written in TOML: sizes, durations, networks, addresses, domains, next hops.

Each kind has one reader, which raises `WrongValueError` with a sentence that says what to write
instead, and one writer, which gives text that the reader takes back to an equal value.
A number without a unit is an error: 30 seconds and 30 milliseconds must not look alike.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from pathlib import PurePosixPath
from typing import Literal

import idna

from tidewaiter.config.error import WrongValueError
from tidewaiter.model.sentence import Sentence

Network = IPv4Network | IPv6Network


class Size(int):
    """A number of bytes, written as digits and a unit: `998B`, `256KiB`, `50MiB`, `1GiB`."""

    __slots__ = ()


class Duration(float):
    """Seconds, written as digits and a unit: `250ms`, `30s`, `5m`, `12h`, `30d`."""

    __slots__ = ()


class Hostname(str):
    """A domain name in lower case, as A-labels (RFC 5890 §2.3.2.1), as HELO and banners need."""

    __slots__ = ()


class Greeting(str):
    """Text of a reply: visible ASCII characters, and spaces between them."""

    __slots__ = ()


class DomainPattern(str):
    """Recipient domains: `inside.test`, `*.inside.test` (what lies below it), or `*` (any)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where we listen: `192.0.2.1:25` or `[2001:db8::1]:25`; port 0 takes any free port."""

    host: IPv4Address | IPv6Address
    port: int


@dataclass(frozen=True, slots=True)
class TcpHop:
    """A next hop over TCP: `smtp://HOST[:25]`, `smtps://HOST[:465]` or `lmtp://HOST[:24]`."""

    protocol: Literal["smtp", "smtps", "lmtp"]
    host: str
    """A name, looked up by A and AAAA only, or the text of an IPv4 or IPv6 address."""
    port: int


@dataclass(frozen=True, slots=True)
class SocketHop:
    """A next hop that speaks LMTP on a local socket: `lmtp:/run/dovecot/lmtp`."""

    path: PurePosixPath


@dataclass(frozen=True, slots=True)
class MaildirHop:
    """A Maildir that messages are written into: `maildir:PATH`."""

    path: PurePosixPath


NextHop = TcpHop | SocketHop | MaildirHop

SIZE_UNITS = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10, "B": 1}
DURATION_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
HOP_PORTS: dict[str, int] = {"smtp": 25, "smtps": 465, "lmtp": 24}
_LARGEST_QUANTITY = 10**15  # beyond it a count of milliseconds is no exact float any more

_QUANTITY = re.compile(r"([0-9]{1,15})([A-Za-z]+)")
_GREETING = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")  # `_` is seen in real host names
_ENDPOINT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?")


def read_size(text: str) -> Size:
    """Digits and `B`, `KiB`, `MiB` or `GiB`: the number of bytes."""
    return Size(_read_quantity(text, SIZE_UNITS, Sentence("write a size such as 256KiB, 50MiB or 1GiB")))


def read_duration(text: str) -> Duration:
    """Digits and `ms`, `s`, `m`, `h` or `d`: the number of seconds."""
    wanted = Sentence("write a duration such as 250ms, 30s, 5m, 12h or 30d")
    return Duration(_read_quantity(text, DURATION_UNITS_MS, wanted) / 1000)


def _read_quantity(text: str, units: dict[str, int], wanted: Sentence) -> int:
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in units:
        raise WrongValueError(wanted)
    quantity = int(match[1]) * units[match[2]]
    if quantity > _LARGEST_QUANTITY:
        raise WrongValueError(Sentence("too large; {wanted}", wanted=wanted))
    return quantity


def write_size(size: Size) -> str:
    """The largest unit that divides the size."""
    return _write_quantity(int(size), SIZE_UNITS)


def write_duration(duration: Duration) -> str:
    """The largest unit that divides the duration, which is a whole number of milliseconds."""
    return _write_quantity(round(duration * 1000), DURATION_UNITS_MS)


def _write_quantity(quantity: int, units: dict[str, int]) -> str:
    unit = next(unit for unit, worth in units.items() if quantity % worth == 0)
    return f"{quantity // units[unit]}{unit}"


def read_hostname(text: str) -> Hostname:
    """A domain name of at most 253 octets; international names become A-labels."""
    try:
        name = idna.encode(text, uts46=True).decode() if not text.isascii() else text.lower()
    except idna.IDNAError:
        raise WrongValueError(Sentence("no domain name can be so; write one such as mx.example.org")) from None
    if len(name) > 253 or not all(map(_LABEL.fullmatch, name.split("."))):
        raise WrongValueError(Sentence("write a domain name such as mx.example.org"))
    return Hostname(name)


def read_greeting(text: str) -> Greeting:
    """One line of visible ASCII that leaves room for a host name in a reply (RFC 5321 §4.5.3.1.5)."""
    if not _GREETING.fullmatch(text):
        raise WrongValueError(Sentence("write one line of up to 200 visible ASCII characters"))
    return Greeting(text)


def read_domain_pattern(text: str) -> DomainPattern:
    """A domain name, `*.` and a domain name, or `*` alone."""
    star, name = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    return DomainPattern(text if text == "*" else star + read_hostname(name))


def read_network(text: str) -> Network:
    """An address or a prefix; bits beyond the prefix are an error, as they show a slip."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise WrongValueError(Sentence("write a network such as 192.0.2.0/24 or 2001:db8::/32")) from None
    if network.network_address != ip_address(text.partition("/")[0]):
        raise WrongValueError(Sentence("bits are set beyond the prefix; write {network}", network=network))
    return network


def read_endpoint(text: str) -> Endpoint:
    """An IPv4 address, or an IPv6 address in brackets, a colon, and a port."""
    match = _ENDPOINT.fullmatch(text)
    wanted = Sentence("write an address and a port such as 192.0.2.1:25 or [::]:25")
    if match is None or match[3] is None:
        raise WrongValueError(wanted)
    try:
        host = ip_address(match[1] or match[2])
    except ValueError:
        raise WrongValueError(wanted) from None
    if (host.version == 6) != bool(match[1]):
        raise WrongValueError(wanted)
    return Endpoint(host, _port(match[3]))


def write_endpoint(endpoint: Endpoint) -> str:
    """As `read_endpoint` reads it."""
    return f"{_bracketed(str(endpoint.host))}:{endpoint.port}"


def read_next_hop(text: str) -> NextHop:
    """A next hop by its scheme; see `TcpHop`, `SocketHop` and `MaildirHop`."""
    scheme, colon, rest = text.partition(":")
    if scheme == "maildir" and rest:
        return MaildirHop(read_path(rest))
    if scheme == "lmtp" and rest.startswith("/") and not rest.startswith("//"):
        return SocketHop(read_path(rest))
    if scheme in HOP_PORTS and colon and rest.startswith("//"):
        return _read_tcp_hop(scheme, rest[2:])
    raise WrongValueError(
        Sentence("write smtp://HOST:PORT, smtps://HOST:PORT, lmtp://HOST:PORT, lmtp:/SOCKET or maildir:PATH"),
    )


def _read_tcp_hop(scheme: str, text: str) -> TcpHop:
    match = _ENDPOINT.fullmatch(text.removesuffix("/"))
    if match is None:
        raise WrongValueError(Sentence("write {scheme}://HOST:PORT, with an IPv6 address in brackets", scheme=scheme))
    host = _ipv6(match[1]) if match[1] else str(read_hostname(match[2]))
    port = _port(match[3]) if match[3] else HOP_PORTS[scheme]
    if port == 0:
        raise WrongValueError(Sentence("a next hop needs a port from 1 to 65535"))
    return TcpHop(scheme, host, port)  # type: ignore[arg-type]  # a key of HOP_PORTS


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise WrongValueError(Sentence("{text} is not an IPv6 address", text=text)) from None


def write_next_hop(hop: NextHop) -> str:
    """As `read_next_hop` reads it, with the port in full."""
    match hop:
        case TcpHop():
            return f"{hop.protocol}://{_bracketed(hop.host)}:{hop.port}"
        case SocketHop():
            return f"lmtp:{hop.path}"
        case MaildirHop():
            return f"maildir:{hop.path}"


def read_path(text: str) -> PurePosixPath:
    """A path; a relative one starts at the folder of the configuration file."""
    if not text or "\0" in text:
        raise WrongValueError(Sentence("write a path"))
    return PurePosixPath(text)


def _port(digits: str) -> int:
    if int(digits) > 65535:
        raise WrongValueError(Sentence("a port is at most 65535"))
    return int(digits)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


READERS: dict[object, Callable[[str], object]] = {
    Size: read_size,
    Duration: read_duration,
    Hostname: read_hostname,
    Greeting: read_greeting,
    DomainPattern: read_domain_pattern,
    Network: read_network,
    Endpoint: read_endpoint,
    NextHop: read_next_hop,
    PurePosixPath: read_path,
}

WRITERS: dict[object, Callable[..., str]] = dict.fromkeys(READERS, str) | {
    Size: write_size,
    Duration: write_duration,
    Endpoint: write_endpoint,
    NextHop: write_next_hop,
}
