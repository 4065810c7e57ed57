"""Which next hops can be reached, and what goes wrong there: a count of each, and a line in the log for each change."""

from typing import Final

from tidewaiter.gateway.record import metrics
from tidewaiter.gateway.record.recorder import Recorder

UP: Final = "next hop up"
FULL: Final = "next hop full"
"""It refused one more connection, and keeps those that there are."""
DOWN: Final = "next hop down"
TROUBLE: Final = "next hop trouble"
"""A connection that stood failed, or something was said that is about us; which command, and what was said."""
PLAIN: Final = "next hop without tls"
"""TLS fails where it may be: what follows goes there in plain text, until it is tried again."""

_STATES: Final = {UP: metrics.UP, FULL: metrics.FULL, DOWN: metrics.DOWN}


class HopStatus:
    """What one worker has found out about one next hop."""

    def __init__(self, recorder: Recorder, hop: str) -> None:
        """Take the hop for up until it is heard of."""
        self._recorder = recorder
        self._hop = hop
        self._told = recorder.next_hop(hop)
        self._why = ""

    def heard(self, failure: str, connections: int) -> None:
        """Note an attempt to connect: why it failed, or nothing, and how many connections there are now."""
        self._recorder.count("next_hop_connections", self._hop, "failed" if failure else "opened")
        event = (FULL if connections else DOWN) if failure else UP
        if (_STATES[event], failure) == (self._told.state, self._why):
            return
        self._told.state, self._why = _STATES[event], failure
        if failure:
            self._recorder.log.warning(event, next_hop=self._hop, reason=failure, connections=connections)
        else:
            self._recorder.log.info(event, next_hop=self._hop)

    def troubled(self, moment: str, said: str) -> None:
        """Note what went wrong on a connection that stood."""
        self._recorder.log.warning(TROUBLE, next_hop=self._hop, moment=moment, said=said)

    def tls_failed(self) -> None:
        """Count it; why, says `heard` or `without_tls`."""
        self._recorder.count("tls_failures", "next hop")

    def without_tls(self, reason: str) -> None:
        """Note that TLS fails where it may be."""
        self._recorder.log.warning(PLAIN, next_hop=self._hop, reason=reason)
