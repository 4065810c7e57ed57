"""How far a transaction has come: on this alone depends what a wait that is over, a departure and an end of ours do."""

from enum import Enum


class Stage(Enum):
    """From MAIL to the reply."""

    ENVELOPE = "envelope"
    """The next hop is asked for each recipient as it comes."""
    CONTENT = "content"
    """The message comes in, and is kept."""
    JUDGING = "judging"
    """It is whole; what is found out about it decides, and the disk has to have it."""
    SENDING = "sending"
    """It goes to the next hop, and can still be taken back."""
    ENDING = "ending"
    """Its last byte leaves, or has left: the next hop may have it, whatever is done here."""
    OVER = "over"
    """It has its record."""
