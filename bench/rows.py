"""What is measured: one row for each promise of speed or size, with what it must show."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench import crowd, flight, hostile, idle, probe
from bench.load import SETTLE_SECONDS, Load, run
from bench.stage import AIOSMTPD, ALONE, KEPT, OURS, POSTFIX, SECURE, SERVERS, SHARING, TOLD, UNTOLD, WATCHED, Measured
from tidewaiter.net.tls import client_context

Sample = dict[str, float]
"""One round with one peer: what was measured, by its unit."""
MIB: Final = 1024 * 1024
LARGE: Final = 25 * MIB
_PROBE_SECONDS: Final = 10.0
_PEAK: Final = Load(3000, 10, 4096, many=True)
_OF_PEAK: Final = 0.7
_HONEST_RATE: Final = 100.0


@dataclass(frozen=True, slots=True)
class Need:
    """What a ratio, or our own figure, has to be."""

    unit: str
    than: str
    """The peer that ours is divided by; empty for our own figure."""
    least: float = 0.0
    most: float = float("inf")
    """Where neither is given, it is measured and said."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured, of whom, and how."""

    name: str
    measure: Callable[[Measured, Mapping[str, Measured]], Sample]
    needs: tuple[Need, ...]
    peers: tuple[str, ...] = (OURS, POSTFIX)
    """Ourselves first."""
    once: bool = False
    """One round says it: memory does not vary as speed does."""
    times: int = 1
    """So many times as many rounds: one of a second tells how quick the machine was in that second."""


def _speed(messages: int, sessions: int, *, many: bool) -> Callable[[Measured, Mapping[str, Measured]], Sample]:
    def measure(peer: Measured, _: Mapping[str, Measured]) -> Sample:
        # aiosmtpd's Proxy is several times slower: as many messages would only take longer.
        count = messages // 3 if peer.name == AIOSMTPD else messages
        found = run(Load(count, sessions, 4096, many=many), peer)
        return {"messages/s": count / found.seconds, "CPU µs a message": found.cpu_seconds / count * 1e6}

    return measure


def _crowd(at_once: int, each: int) -> Callable[[Measured, Mapping[str, Measured]], Sample]:
    def measure(peer: Measured, _: Mapping[str, Measured]) -> Sample:
        cpu = peer.cpu_seconds()
        found = crowd.run(peer.processes()[0], SERVERS[peer.name], f"{KEPT}@example.test", at_once, each)
        while peer.queued():  # what Postfix has yet to hand on is its work too, and no burden on who is next
            time.sleep(SETTLE_SECONDS)
        return {
            "messages/s": crowd.MESSAGES / found["seconds"],
            "ms a message": found["median"] * 1e3,
            "CPU µs a message": (peer.cpu_seconds() - cpu) / crowd.MESSAGES * 1e6,
        }

    return measure


def _large(messages: int, sessions: int) -> Callable[[Measured, Mapping[str, Measured]], Sample]:
    def measure(peer: Measured, _: Mapping[str, Measured]) -> Sample:
        found = run(Load(messages, sessions, LARGE, many=True), peer)
        return {"MB/s": messages * LARGE / found.seconds / 1e6, "CPU ms a message": found.cpu_seconds / messages * 1e3}

    return measure


def _latency(peer: Measured, peers: Mapping[str, Measured]) -> Sample:
    rate = _OF_PEAK * _PEAK.messages / run(_PEAK, peers[POSTFIX]).seconds
    took = probe.run(peer.port, _PROBE_SECONDS, rate)
    return {"ms, 99 %": probe.percentile(took, 0.99) * 1e3, "ms, 50 %": probe.percentile(took, 0.5) * 1e3}


def _hostile(peer: Measured, _: Mapping[str, Measured]) -> Sample:
    quiet = probe.run(peer.port, _PROBE_SECONDS, _HONEST_RATE)
    with hostile.attacking(peer.port):
        beside = probe.run(peer.port, _PROBE_SECONDS, _HONEST_RATE)
    ninety_nine = probe.percentile(beside, 0.99)
    return {"ms added, 99 %": (ninety_nine - probe.percentile(quiet, 0.99)) * 1e3, "ms, 99 %": ninety_nine * 1e3}


def _callbacks(peer: Measured, _: Mapping[str, Measured]) -> Sample:
    with hostile.attacking(peer.port):
        probe.run(peer.port, _PROBE_SECONDS, _HONEST_RATE)
    return {"ms, the longest": peer.longest_callback() * 1e3}


def _idle(peer: Measured, _: Mapping[str, Measured]) -> Sample:
    held, each = asyncio.run(idle.held(peer.port, peer.pss_bytes))
    return {"held": held, "KiB each": each / 1024}


def _idle_in_tls(peer: Measured, _: Mapping[str, Measured]) -> Sample:
    held, each = asyncio.run(idle.held(peer.port, peer.pss_bytes, client_context(verify=False)))
    return {"held": held, "KiB each": each / 1024}


def _flight(peer: Measured, _: Mapping[str, Measured]) -> Sample:
    return {"MiB more": flight.growth_bytes(peer) / MIB}


_FAST: Final = (
    Need("messages/s", POSTFIX, least=2.0),
    Need("messages/s", AIOSMTPD, least=4.0),
    Need("CPU µs a message", POSTFIX, most=0.5),
)
_ALL: Final = (OURS, POSTFIX, AIOSMTPD)
_BESIDE: Final = tuple(Need(unit, than) for than in (ALONE, UNTOLD) for unit in ("messages/s", "CPU µs a message"))
_BEHIND: Final = (TOLD, SHARING, UNTOLD, ALONE)

ROWS: Final = (
    Row("4 KB, 100 sessions, one message a connection", _speed(3000, 100, many=False), _FAST, _ALL, times=3),
    Row("4 KB, 100 sessions, many messages a connection", _speed(6000, 100, many=True), _FAST, _ALL, times=3),
    Row("A real Postfix, 200 addresses, 80 at once, one message a connection", _crowd(80, 1), _BESIDE, _BEHIND),
    Row("A real Postfix, 200 addresses, 80 at once, ten messages a connection", _crowd(80, 10), _BESIDE, _BEHIND),
    Row("A real Postfix, 200 addresses, 20 at once, one message a connection", _crowd(20, 1), _BESIDE, _BEHIND),
    Row("A real Postfix, 200 addresses, 20 at once, ten messages a connection", _crowd(20, 10), _BESIDE, _BEHIND),
    Row("99 % latency at 70 % of Postfix's peak", _latency, (Need("ms, 99 %", POSTFIX, most=1.2),)),
    Row(
        "25 MiB, 8 at once",
        _large(32, 8),
        (Need("MB/s", POSTFIX, least=0.9), Need("CPU ms a message", POSTFIX, most=1.0)),
    ),
    Row(
        "25 MiB, alone",
        _large(8, 1),
        (Need("MB/s", POSTFIX, least=0.6), Need("CPU ms a message", POSTFIX, most=1.0)),
    ),
    Row(
        "10,000 idle connections",
        _idle,
        (Need("held", "", least=idle.CONNECTIONS), Need("KiB each", "", most=8.0)),
        (OURS,),
        once=True,
    ),
    Row(
        "10,000 idle connections in TLS",
        _idle_in_tls,
        (Need("held", "", least=idle.CONNECTIONS), Need("KiB each", "", most=32.0)),
        (SECURE,),
        once=True,
    ),
    Row("100 messages of 25 MiB at once", _flight, (Need("MiB more", "", most=128.0),), once=True),
    Row(
        "100 honest messages a second beside 50 hostile clients",
        _hostile,
        (Need("ms added, 99 %", "", most=100.0),),
    ),
    Row(
        "The longest callback among them",
        _callbacks,
        (Need("ms, the longest", "", most=10.0),),
        (WATCHED,),
        once=True,
    ),
)
