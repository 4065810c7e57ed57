"""The clerk's numbers, in the form that Prometheus reads."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from tidewaiter.gateway.record.metrics import COUNTERS, GAUGES, HOP_GAUGES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600)


class Counters:
    """Adds up what workers counted; used on the clerk's loop."""

    def __init__(self, gauges: dict[str, Callable[[], float]], next_hops: Callable[[], dict[str, str]]) -> None:
        """Begin at zero.

        :param gauges: for each name in `metrics.GAUGES`, what gives its value when it is read.
        :param next_hops: gives the state of each next hop.
        """
        self._registry = CollectorRegistry()
        self._counters = {
            name: Counter(f"tidewaiter_{name}", meaning, labels, registry=self._registry)
            for name, (meaning, labels) in COUNTERS.items()
        }
        self._seconds = _Seconds()
        self._registry.register(self._seconds)
        self._registry.register(_NextHops(next_hops))
        for name, meaning in GAUGES.items():
            Gauge(f"tidewaiter_{name}", meaning, registry=self._registry).set_function(gauges[name])

    def add(self, name: str, labels: list[str], by: int) -> None:
        """Add to one counter; one unknown here, from a worker of another version, is left out."""
        counter = self._counters.get(name)
        if counter is None or len(labels) != len(COUNTERS[name][1]):
            return
        (counter.labels(*labels) if labels else counter).inc(by)

    def took(self, seconds: float) -> None:
        """Note how long a transaction took."""
        self._seconds.observe(seconds)

    def page(self) -> bytes:
        """Everything, as `/metrics` serves it."""
        return generate_latest(self._registry)


class _NextHops(Collector):
    """What `metrics.HOP_GAUGES` says of each next hop; one that a reload has taken away is not there any more."""

    def __init__(self, states: Callable[[], dict[str, str]]) -> None:
        self._states = states

    def collect(self) -> Iterator[GaugeMetricFamily]:
        states = self._states()
        for name, (meaning, holds) in HOP_GAUGES.items():
            family = GaugeMetricFamily(f"tidewaiter_{name}", meaning, labels=("next_hop",))
            for hop, state in states.items():
                family.add_metric((hop,), float(state in holds))
            yield family


class _Seconds(Collector):
    """How long transactions took: the library's own histogram takes a lock for each message, at a cost that shows."""

    def __init__(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        limits = [*(str(float(limit)) for limit in _SECONDS), "+Inf"]
        yield HistogramMetricFamily(
            "tidewaiter_transaction_seconds",
            "Time from MAIL to our reply to the end of the message.",
            buckets=list(zip(limits, accumulate(self._counts), strict=True)),
            sum_value=self._sum,
        )
