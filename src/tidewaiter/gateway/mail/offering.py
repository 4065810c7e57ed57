"""What a listener offers after EHLO: what its next hops last offered, and no more than the limits allow."""

from collections.abc import Sequence
from functools import reduce
from typing import Final

from tidewaiter.gateway.mail.received import FIELD_LIMIT
from tidewaiter.wire import Offers

UNKNOWN: Final = Offers(pipelining=True)
"""Until a next hop has been heard: what we can keep by ourselves."""


def offering(hops: Sequence[Offers | None], *, starttls: bool) -> Offers:
    """Offer what each of the hops that are known takes.

    A client that was offered more would be refused at RCPT; one that is offered less repacks its message, which
    breaks signatures.
    """
    known = [offers for offers in hops if offers is not None]
    common = reduce(_both, known) if known else UNKNOWN
    return Offers(
        pipelining=True,
        eight_bit=common.eight_bit,
        utf8=common.utf8,
        chunking=common.chunking,
        starttls=starttls,
        size=max(common.size - FIELD_LIMIT, 1) if common.size else 0,
    )


def _both(one: Offers, other: Offers) -> Offers:
    sizes = [offers.size for offers in (one, other) if offers.size]
    return Offers(
        eight_bit=one.eight_bit and other.eight_bit,
        utf8=one.utf8 and other.utf8,
        chunking=one.chunking and other.chunking,
        size=min(sizes, default=0),
    )
