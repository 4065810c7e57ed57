"""What is remembered of a transaction, in words for the log and the store."""

import re
from typing import Final

from tidewaiter.delivery.delivery import Outcome
from tidewaiter.model.reply import Reply
from tidewaiter.store import records

# How mail programs name the message they took: "queued as X" (Postfix), "id=X" (Exim), "X Message accepted" (Sendmail).
_QUEUE_ID: Final = re.compile(r"(?:queued as |\bid=)([A-Za-z0-9-]{6,40})|\b([A-Za-z0-9]{12,20}) Message accepted")


def abandoned_name(said: Reply, *, begun: bool, gone: bool) -> records.Outcome:
    """Say in one word how it ended that the client gave up, or had to: `begun` is the content, `gone` the client."""
    if said.positive or (gone and not begun):
        return "abandoned"
    return "refused" if said.permanent else "deferred"


def outcome_name(said: Reply, outcome: Outcome) -> records.Outcome:
    """Say in one word what became of the message."""
    if outcome.doubtful:
        return "doubtful"
    if said.positive:
        return "delivered"
    return "refused" if said.permanent else "deferred"


def queue_id(hop_reply: str) -> str:
    """Find the id that the next hop gave the message, as far as its reply tells."""
    found = _QUEUE_ID.search(hop_reply)
    return (found[1] or found[2]) if found else ""
