"""What is offered is what every next hop that is known takes, and no more."""

from dataclasses import replace

from tidewaiter.gateway.mail.offering import offering
from tidewaiter.gateway.mail.received import FIELD_LIMIT
from tidewaiter.wire import Offers

ALL = Offers(eight_bit=True, utf8=True, chunking=True, size=10_000)


def test_until_a_next_hop_was_heard_only_what_we_keep_ourselves_is_offered() -> None:
    assert offering([None], starttls=False) == Offers(pipelining=True, size=0)
    assert offering([], starttls=True) == Offers(pipelining=True, starttls=True, size=0)


def test_a_hop_that_is_down_takes_nothing_from_what_the_others_offer() -> None:
    assert offering([None, ALL], starttls=False).utf8


def test_what_one_of_them_does_not_take_is_not_offered() -> None:
    for name in ("eight_bit", "utf8", "chunking"):
        less = replace(ALL, **{name: False})  # type: ignore[arg-type]  # each of the names is that of a bool
        offered = offering([ALL, less], starttls=False)
        assert not getattr(offered, name)
        assert sum((offered.eight_bit, offered.utf8, offered.chunking)) == 2


def test_the_size_is_the_least_less_our_received() -> None:
    other = Offers(size=8_000)
    assert offering([ALL, other, Offers(size=0), Offers(size=None)], starttls=False).size == 8_000 - FIELD_LIMIT
    assert offering([Offers(size=100)], starttls=False).size == 1
