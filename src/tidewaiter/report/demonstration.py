"""What a demonstration showed: values that the renderers beside this file write down.

Nothing here judges; `broken` holds the sentences of whoever did, and is empty where every promise held.
"""

from dataclasses import dataclass
from typing import Literal

Way = Literal["inbound", "outbound", "session", "next hop"]
"""Raw bytes from a stranger; a user's message through a real sender; a stranger's odd bytes outside of any message;
what a next hop answers to a message of ours."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one program answered to one attack, and what was kept behind it."""

    answer: str
    """The reply that decided, on one line; empty where there was none."""
    delivered: int
    """Messages that the receiver kept."""
    forged: int
    """Those among them that nobody had sent; for a next hop 1 where the sender was told of a delivery that was none."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One vector sent one way, without and with the gateway."""

    vector: str
    claim: str
    way: Way
    fooled: tuple[str, ...]
    """Rows that read more than one message in it; for a dialogue, who is known to have got it wrong."""
    alone: Seen | None
    """None where the receiver has no such command."""
    guarded: Seen
    changed: bool
    """What was delivered through the gateway is not what was sent: it was repaired."""
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Honest:
    """One honest message, sent through the gateway."""

    kind: str
    way: str
    size: int
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """Every vector once more, in a position of its own and as counted content."""

    position: str
    command: Literal["DATA", "BDAT"]
    sent: int
    broken: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved of the gateway's own reader and writer."""

    positions: int
    """Combinations of positions, each for DATA and for BDAT."""
    bytes_compared: int
    words_compared: int
    depth: int
    """Bytes of the longest word that was cut."""
    safe: tuple[str, ...]
    """Rows behind which no input attacks, in any position."""
    within_size: tuple[str, ...]
    """Rows that are safe because we give them nothing larger than they take."""
    unsafe: tuple[str, ...]
    """Rows that cannot read RFC 5321 at all: unsafe behind any writer."""
    broken: tuple[str, ...] = ()
    not_covered: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Demonstration:
    """All of it."""

    receiver: str
    sender: str
    readers: int
    """Rows that `Trial.fooled` was asked of."""
    trials: tuple[Trial, ...]
    honest: tuple[Honest, ...]
    grids: tuple[Grid, ...]
    proof: Proof
    broken: tuple[str, ...]
    """Every promise that did not hold, wherever it was seen."""

    @property
    def held(self) -> bool:
        """Whether every promise held."""
        return not self.broken

    @property
    def split_alone(self) -> int:
        """Trials in which the receiver alone was made to take a forged message."""
        return sum(bool(trial.alone and trial.alone.forged) for trial in self.trials)

    @property
    def split_guarded(self) -> int:
        """Trials in which that happened through the gateway."""
        return sum(bool(trial.guarded.forged) for trial in self.trials)


@dataclass(frozen=True, slots=True)
class Invitation:
    """Where everything is that stays up, for whoever wants to try it."""

    folder: str
    inbound: int
    """Ports on 127.0.0.1: the gateway's listener for strangers, that for users, and the receiver alone."""
    outbound: int
    alone: int
    receiver: str
    """Recipients: one whose mail goes on to the receiver, one whose mail the gateway writes into a Maildir."""
    maildir: str
    kept: tuple[str, str, str]
    """The Maildirs: behind the gateway, written by it, without it."""
    log: str
