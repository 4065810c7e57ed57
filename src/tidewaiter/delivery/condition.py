"""What is known of a next hop: what it offers, whether it can be reached, and since when.

The rules it keeps:

- What a hop offers is *unknown* until it has said so, and what one connection was not offered another may have been:
  hops are several servers behind one name. So what was offered lately counts as offered.
- A hop that failed is left alone for as long as the failure took, and for `DOWN_SECONDS` at least; who asks meanwhile
  hears so at once, and may try another. Nobody need ask for it to be found again: it is tried now and then.
- A hop that refuses one more while it keeps others is full, not down: those serve all who wait, and more are tried
  behind `FULL_SECONDS`. Exim of default size takes 20 in all, whoever they come from.
- Where TLS may be and fails, the next connections do without; it is tried again behind `PLAIN_SECONDS`.
"""

from math import inf
from typing import Final, Protocol

from tidewaiter.wire import Offers

DOWN_SECONDS: Final = 1.0
FULL_SECONDS: Final = 10.0
"""Seldom enough for its log, where each refusal is a line."""
PLAIN_SECONDS: Final = 600.0
"""Seldom enough for a server whose TLS is broken, soon enough for one that was mended."""
OFFERED_SECONDS: Final = 3600.0
"""How long it counts that some connection was offered an extension."""
LONGEST_PAUSE: Final = 30.0
"""Seconds between two tries to find a hop again, at most; they begin with one and double."""
OPENING: Final = "opening"
"""The moment of one that failed among others."""
EXTENSIONS: Final = ("eight_bit", "utf8")
"""Those of `Offers` without which a message may have to wait."""


class News(Protocol):
    """Who hears how one next hop does: the log and the counters."""

    def heard(self, failure: str, connections: int) -> None:
        """Hear of an attempt to connect: why it failed, or nothing, and how many connections there are now."""

    def troubled(self, moment: str, said: str) -> None:
        """Hear what went wrong on a connection that stood: at which command, and what was said, or why it is gone."""

    def tls_failed(self) -> None:
        """Hear that a handshake failed, or that STARTTLS was refused though it is offered."""

    def without_tls(self, reason: str) -> None:
        """Hear that TLS may be and fails."""


class Condition:
    """One worker's knowledge of one next hop; all times are loop time."""

    __slots__ = (
        "_failures",
        "_news",
        "_offered",
        "_plain_until",
        "_stood_at",
        "down_until",
        "full_until",
        "offers",
        "try_at",
    )

    def __init__(self, news: News) -> None:
        """Know nothing; `news` hears of each change."""
        self._news = news
        self.offers: Offers | None = None
        """What it offered in its last answer to EHLO."""
        self._offered: dict[str, float] = {}
        self._failures = 0
        self._plain_until = self._stood_at = -inf
        self.down_until = self.full_until = -inf
        self.try_at = -inf
        """From when on it is to be tried though nobody asks."""

    def opened(self, offers: Offers, held: int, now: float) -> None:
        """Note that a connection stands."""
        if offers != self.offers:
            # An equal one stays the one that it was: listeners compare it for each client, and at once where it is.
            self.offers = offers
        for extension in EXTENSIONS:
            if getattr(offers, extension):
                self._offered[extension] = now
        self._failures = 0
        self._stood_at = now
        self.down_until = -inf
        self._news.heard("", held)

    def failed(self, reason: str, seconds: float, held: int, now: float) -> None:
        """Note that no connection came about; it took so long to find out."""
        if now - seconds < self._stood_at:
            self._news.troubled(OPENING, reason)  # one that was begun later stands, or stood: the hop is well
            return
        self._news.heard(reason, held)
        if held:
            self.full_until = now + FULL_SECONDS
            return
        self.down_until = now + max(DOWN_SECONDS, seconds)
        self.try_at = now + min(2.0**self._failures, LONGEST_PAUSE)
        self._failures += 1

    def hangs(self, seconds: float, held: int, now: float) -> None:
        """Note that a connection has been asked for so long, and nothing was said."""
        reason = f"no connection stands after {seconds:.0f} s"
        if now - seconds < self._stood_at:
            self._news.troubled(OPENING, reason)
            return
        self._news.heard(reason, held)
        if held:
            self.full_until = now + FULL_SECONDS

    def without_tls(self, reason: str, now: float) -> None:
        """Note that TLS cannot be had."""
        self._plain_until = now + PLAIN_SECONDS
        self._news.without_tls(reason)

    def takes(self, extension: str, now: float) -> bool | None:
        """Tell whether it takes this: it said so lately, it did not, or it has said nothing yet."""
        if self.offers is None:
            return None
        return now - self._offered.get(extension, -inf) <= OFFERED_SECONDS

    def plain(self, now: float) -> bool:
        """Tell whether TLS is not to be tried now."""
        return now < self._plain_until

    def wants_a_try(self, now: float) -> bool:
        """Tell whether a hop that holds no connection is to be looked for."""
        return (self.offers is None or self._failures > 0) and now >= max(self.try_at, self.down_until)
