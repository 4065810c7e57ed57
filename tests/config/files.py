"""Configurations that are right, drawn at random, and ways to plant one mistake in them."""

from ipaddress import IPv4Network, IPv6Address, IPv6Network
from pathlib import PurePosixPath
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tidewaiter.config.settings import (
    Exclusion,
    HopTls,
    Limits,
    Listener,
    ListenerTls,
    Log,
    Metrics,
    Role,
    Route,
    Settings,
    Store,
    Workers,
    Xclient,
)
from tidewaiter.config.values import (
    DomainPattern,
    Duration,
    Endpoint,
    Greeting,
    Hostname,
    MaildirHop,
    Network,
    NextHop,
    Size,
    SocketHop,
    TcpHop,
)
from tidewaiter.model.position import EnvelopePosition, Position, Positions

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
DOMAINS = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
SIZES = st.integers(0, 2**40).map(Size)
DURATIONS = st.integers(0, 10**9).map(lambda milliseconds: Duration(milliseconds / 1000))
CHANCE = st.integers(0, 2**32).map(Random)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/,"), min_size=1, max_size=8)
PATHS = TEXT.filter(lambda name: name not in {".", ".."}).map(lambda name: PurePosixPath("/srv", name))
# So small that three of them are not everyone.
NETWORKS: SearchStrategy[Network] = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 32)).map(lambda pair: IPv4Network(pair, strict=False)),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(5, 128)).map(lambda pair: IPv6Network(pair, strict=False)),
)
HOPS: SearchStrategy[NextHop] = st.one_of(
    st.builds(
        TcpHop,
        st.sampled_from(["smtp", "smtps", "lmtp"]),
        st.one_of(DOMAINS.filter(lambda name: not name.endswith("localhost")), st.sampled_from(["2001:db8::9"])),
        st.integers(1, 65535),
    ),
    st.builds(SocketHop, PATHS),
    st.builds(MaildirHop, PATHS),
)
POSITIONS = st.builds(
    Positions,
    *[st.sampled_from(Position)] * 3,
    st.sampled_from([Position.NOTE, Position.REFUSE]),
)
ADDRESSES = st.integers(1, 254).map(lambda last: Endpoint(IPv4Network("192.0.2.0/24")[last], 25))

EXCLUSIONS = st.builds(
    Exclusion,
    networks=st.lists(NETWORKS, min_size=1, max_size=3).map(tuple),
    data=POSITIONS,
    bdat=POSITIONS,
    envelope=st.sampled_from(EnvelopePosition),
)


@st.composite
def listeners(draw: st.DrawFn) -> tuple[Listener, ...]:
    """One or two, one of them inbound, on addresses of their own."""
    addresses = draw(st.lists(ADDRESSES, min_size=2, max_size=2, unique=True))
    inbound = draw(_listener(addresses[0], Role.INBOUND, ()))
    outbound = draw(_listener(addresses[1], Role.OUTBOUND, draw(st.lists(NETWORKS, min_size=1, max_size=3).map(tuple))))
    return (inbound, *draw(st.sampled_from([(), (outbound,)])))


def _listener(address: Endpoint, role: Role, networks: tuple[Network, ...]) -> SearchStrategy[Listener]:
    common = {
        "address": st.just(address),
        "role": st.just(role),
        "networks": st.just(networks),
        "data": POSITIONS,
        "bdat": POSITIONS,
        "envelope": st.sampled_from(EnvelopePosition),
        "exclusion": st.lists(EXCLUSIONS, max_size=2).map(tuple),
        "shadow": st.booleans(),
        "backlog": st.integers(1, 65535),
    }
    tls = st.sampled_from([ListenerTls.STARTTLS, ListenerTls.IMPLICIT])
    return st.one_of(
        st.builds(Listener, **common), st.builds(Listener, tls=tls, certificate=PATHS, key=PATHS, **common)
    )


@st.composite
def routes(draw: st.DrawFn) -> tuple[Route, ...]:
    """One to three, no domain in two of them."""
    domains = draw(st.lists(DOMAINS, min_size=1, max_size=3, unique=True))
    return tuple(draw(_route(domain)) for domain in domains)


def _route(domain: str) -> SearchStrategy[Route]:
    common = {
        "domains": st.just((DomainPattern(domain), DomainPattern(f"*.{domain}"))),
        "next_hop": st.lists(HOPS, min_size=1, max_size=3).map(tuple),
        "xclient": st.sampled_from(Xclient),
        "connections": st.integers(1, 1000),
        "idle": DURATIONS,
    }
    other = st.sampled_from([HopTls.OFF, HopTls.MAY, HopTls.REQUIRE])
    return st.one_of(
        st.builds(Route, tls=other, **common),
        st.builds(Route, tls=st.just(HopTls.VERIFY), ca=st.one_of(st.none(), PATHS), **common),
    )


SETTINGS = st.builds(
    Settings,
    hostname=DOMAINS.map(Hostname),
    greeting=st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True).map(Greeting),
    listener=listeners(),
    route=routes(),
    store=st.builds(Store, path=PATHS, keep_age=DURATIONS, keep_size=SIZES),
    limits=st.builds(Limits, recipients=st.integers(100, 10**6), connections=st.integers(100, 10**6)),
    log=st.builds(Log, file=st.one_of(st.none(), PATHS)),
    workers=st.builds(Workers, count=st.integers(0, 256), user=st.one_of(st.none(), TEXT), stop_time=DURATIONS),
    metrics=st.builds(Metrics, address=st.one_of(st.none(), st.just(Endpoint(IPv6Address("::1"), 9125)))),
)


def spread_out(text: str, chance: Random) -> str:
    """The same file with comments, empty lines, and lists over several lines."""
    lines = []
    for line in text.rstrip("\n").split("\n"):
        lines += chance.choice([[], [], [""], ["# hostnam = 1"], ["  # [["]])
        key, equals, value = line.partition(" = [")
        if equals and chance.random() < 0.5:
            lines.append(f"{key} = [ # [\n" + ",\n\n".join(value[:-1].split(", ")) + "\n]")
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
