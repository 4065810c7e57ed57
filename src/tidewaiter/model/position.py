"""Where a protective setting stands: note it, repair it, or refuse it.

None of the three ever changes what ends DATA, and in none does what we write have a second end.
"""

from dataclasses import dataclass
from enum import Enum


class Position(Enum):
    """What is done about one kind of oddity."""

    NOTE = "note"
    """Keep the byte where the next one is ordinary, repair it elsewhere; report it."""
    REPAIR = "repair"
    """Write an honest byte instead, and report it."""
    REFUSE = "refuse"
    """Answer 550 after the true end, then disconnect."""


@dataclass(frozen=True, slots=True)
class Positions:
    """One position for each oddity of content; the defaults are those for strangers' DATA."""

    bare_lf: Position = Position.REFUSE
    bare_cr: Position = Position.REFUSE
    nul: Position = Position.REFUSE
    long_line: Position = Position.NOTE


STRANGERS_DATA = Positions()
STRANGERS_BDAT = Positions(bare_lf=Position.REPAIR, bare_cr=Position.REPAIR)
"""BDAT counts its octets, so a bare newline there cannot end anything: it is repaired."""
