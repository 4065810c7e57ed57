"""Whom does the lab speak to, and on whose behalf?

Promise 11: nothing is sent to a host the user did not name, and no recipient but the one they named as theirs.
"""

from dataclasses import dataclass
from typing import Final, Literal

from tidewaiter.model.sentence import Sentence, SentenceError

Way = Literal["pipelined", "synchronised", "paced"]
WAYS: tuple[Way, ...] = ("pipelined", "synchronised", "paced")
"""Fastest first."""
WAYS_IN_WORDS: Final[dict[Way, Sentence]] = {
    "pipelined": Sentence("pipelined"),
    "synchronised": Sentence("synchronised"),
    "paced": Sentence("paced"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver, and how far it is trusted to answer."""

    host: str
    port: int
    recipient: str
    lmtp: bool = False
    sender: str = "lab@tidewaiter.test"
    side_by_side: int = 12
    """Sessions open at once."""
    within: float = 10.0
    """Seconds to wait for an answer that is due."""
    limit: int | None = None
    """Its size limit in bytes, where it does not offer it as SIZE."""
    silence: float = 5.0
    """Seconds behind a true end after which a second one is sent: the server may not have taken the first for one."""
    pause: float = 0.2
    """Seconds behind the word when paced: longer than the server takes to answer an end."""


class UntoldError(SentenceError):
    """Could not tell, and why."""
