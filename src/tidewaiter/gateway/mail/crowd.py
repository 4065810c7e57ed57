"""How full the gateway is: who may still come in, and how long those who are in may say nothing.

While there is room a client may be silent for as long as RFC 5321 asks. Once four fifths of the connections are
taken, over all workers, or of the descriptors of this one, it may be so for `limits.crowded_time`: else strangers who
only hold a connection would shut out all who have mail. Postfix does the same, and calls it stress.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final

from tidewaiter.config.settings import Limits
from tidewaiter.gateway.processes.connections import Connections
from tidewaiter.gateway.processes.descriptors import Descriptors
from tidewaiter.gateway.record.recorder import Recorder
from tidewaiter.model.client import ClientRules

CROWDED_SHARE: Final = 0.8


class Entry(Enum):
    """What comes of a connection."""

    TAKEN = "taken"
    FULL = "full"
    NETWORK_FULL = "network full"
    NO_DESCRIPTOR = "no descriptor"


class Crowd:
    """All clients, as one worker sees them."""

    def __init__(self, limits: Limits, connections: Connections, descriptors: Descriptors, recorder: Recorder) -> None:
        """Begin with room for everybody."""
        self._connections = connections
        self._most = limits.connections
        self._crowded_time: float = limits.crowded_time
        self._descriptors = descriptors
        self._recorder = recorder
        self._threshold = CROWDED_SHARE * limits.connections
        self._own_threshold = CROWDED_SHARE * descriptors.clients
        self._hurry: list[Callable[[float], None]] = []
        self._sent_away = 0
        """For want of a descriptor, since the last look."""
        self.short = False
        """Room is short."""

    def tell(self, hurry: Callable[[float], None]) -> None:
        """Call `hurry` whenever room becomes short, for those who are silent already, with the time that they have."""
        self._hurry.append(hurry)

    def enter(self, client: ClientRules, descriptor: int) -> Entry:
        """Count a connection, and say what comes of it. Each one must `leave`."""
        total, networks = self._connections.enter(client.rows)
        self._judge(total)
        if self._descriptors.spent(descriptor):
            self._sent_away += 1
            return Entry.NO_DESCRIPTOR
        if total > self._most:
            return Entry.FULL
        for count, limit in zip(networks, client.limits, strict=False):  # no limits: this one is exempt
            if count > limit:
                return Entry.NETWORK_FULL
        return Entry.TAKEN

    def leave(self, client: ClientRules) -> None:
        """Count it out."""
        self._connections.leave(client.rows)

    def look(self) -> None:
        """See whether there is room, now and then: other workers have clients as well."""
        self._judge(self._connections.total())
        if self._sent_away:
            self._recorder.log.error(
                "no file descriptor is left", clients_sent_away=self._sent_away, limit=self._descriptors.limit
            )
            self._sent_away = 0

    def patience(self, seconds: float) -> float:
        """How long a client may be silent, who could be so for `seconds` while there is room."""
        return min(seconds, self._crowded_time) if self.short else seconds

    def _judge(self, total: int) -> None:
        own = self._connections.own()
        short = total > self._threshold or own > self._own_threshold
        if short == self.short:
            return
        self.short = short
        if short:
            self._recorder.log.warning(
                "room is short", connections=total, limit=self._most, own=own, descriptors=self._descriptors.limit
            )
            for hurry in self._hurry:
                hurry(self._crowded_time)
        else:
            self._recorder.log.info("room again", connections=total)
