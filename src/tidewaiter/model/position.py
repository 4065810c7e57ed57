"""Where a protective setting stands: note it, repair it, or refuse it.

None of the three ever changes what ends DATA, and in none does what we write have a second end.
"""

from dataclasses import dataclass
from enum import StrEnum


class Position(StrEnum):
    """What is done about one kind of oddity."""

    NOTE = "note"
    """Keep the byte where the next one is ordinary, repair it elsewhere; report it."""
    REPAIR = "repair"
    """Write an honest byte instead, and report it."""
    REFUSE = "refuse"
    """Answer 550 after the true end, then disconnect."""


class EnvelopePosition(StrEnum):
    """What is done about a command whose envelope is not written as it should be, but has one reading.

    Addresses are always written anew, so there is nothing that could only be noted.
    """

    REPAIR = "repair"
    """Take what it means."""
    REFUSE = "refuse"
    """Answer 501 or 553."""


@dataclass(frozen=True, slots=True)
class Positions:
    """One position for each oddity of content; the defaults are those for strangers' DATA."""

    bare_lf: Position = Position.REFUSE
    """LF without CR before it, which ends a line for a lenient program; repaired to CR LF."""
    bare_cr: Position = Position.REFUSE
    """CR without LF behind it, which some programs drop and some take for a line's end; repaired to a space."""
    nul: Position = Position.REFUSE
    """NUL, which ends a string for a program in C, and a line for a few; repaired to a space."""
    long_line: Position = Position.NOTE
    """A line over 998 octets, which others fold or cut; not to be repaired, for folding breaks signatures."""
    header: Position = Position.REPAIR
    """A line in the header section that is no field, or that our own field would take in: an empty line is written
    before it, or `X-Mailbox-Line:` before the first of a mailbox file. `note` does the same."""


STRANGERS_DATA = Positions()
STRANGERS_BDAT = Positions(bare_lf=Position.REPAIR, bare_cr=Position.REPAIR)
"""BDAT counts its octets, so a bare newline there cannot end anything: it is repaired."""
