"""Which next hops can be reached: a count of each attempt to connect, and a line in the log for each change."""

from typing import Final

from tidewaiter.gateway.recorder import Recorder

UP: Final = "next hop up"
FULL: Final = "next hop full"
"""It refused one more connection, and keeps those that there are."""
DOWN: Final = "next hop down"


class Reach:
    """What one worker has found out."""

    def __init__(self, recorder: Recorder) -> None:
        """Take every hop for up until it is heard of."""
        self._recorder = recorder
        self._last: dict[str, str] = {}

    def heard(self, hop: str, failure: str, connections: int) -> None:
        """Note an attempt to connect to `hop`: why it failed, or nothing, and how many connections there are now."""
        self._recorder.count("next_hop_connections", "failed" if failure else "opened")
        event = (FULL if connections else DOWN) if failure else UP
        if event == self._last.get(hop, UP):
            return
        self._last[hop] = event
        if failure:
            self._recorder.log.warning(event, next_hop=hop, reason=failure, connections=connections)
        else:
            self._recorder.log.info(event, next_hop=hop)
