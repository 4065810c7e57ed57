"""Do the clerk's numbers say what the library's own histogram would?"""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from tidewaiter.gateway.record import counters
from tidewaiter.gateway.record.counters import Counters
from tidewaiter.gateway.record.metrics import GAUGES

EDGES = st.sampled_from(counters._SECONDS)


@given(st.lists(st.floats(0, 1000) | EDGES))
def test_seconds_fall_into_the_buckets_of_the_librarys_own_histogram(seconds: list[float]) -> None:
    registry = CollectorRegistry()
    oracle = Histogram("tidewaiter_transaction_seconds", "-", buckets=counters._SECONDS, registry=registry)
    ours = Counters(dict.fromkeys(GAUGES, lambda: 0.0), dict)
    for each in seconds:
        oracle.observe(each)
        ours.took(each)
    assert _lines(ours.page()) == _lines(generate_latest(registry))


def _lines(page: bytes) -> list[bytes]:
    wanted = (b"tidewaiter_transaction_seconds_bucket", b"tidewaiter_transaction_seconds_count")
    return [line for line in page.splitlines() if line.startswith(wanted)]
