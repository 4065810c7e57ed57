"""What do the replies to a question mean?

Nothing is taken for granted of a server's replies: NOOP is 500 to one and 503 to another.  So two questions come first
whose answer is known, an honest message and an honest end before the tail, and every other is held against them.
"""

from dataclasses import dataclass
from typing import Final

from tidewaiter.lab.session import Heard
from tidewaiter.lab.target import UntoldError
from tidewaiter.lines.symbol import Word, symbols
from tidewaiter.lines.table import AGAIN, CLOSED, CONTENT, ENDED, ENDED_REJECTED, REJECTS, STAYS
from tidewaiter.model.sentence import Sentence

_BEHIND: Final = ("NOOP", "QUIT")
TRUE_END: Final[Word] = symbols(b"\r\n.\r\n")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one server's replies mean, asked one way."""

    going_on: tuple[int, ...]
    """The replies behind the message's own where the word had not ended it: to NOOP and QUIT."""
    refused: int
    """The reply to the refused command where it had."""

    def of(self, heard: Heard) -> str:
        """Read an answer; raises UntoldError where the server fell silent."""
        message, *rest = heard.codes or (0,)
        good = 200 <= message <= 299
        if tuple(rest) == self.going_on:
            return CONTENT if good else REJECTS
        # Refused and then accepted: behind its refusal it had gone on reading content, up to another end.
        if not good and tuple(rest[1:]) == self.going_on and 200 <= rest[0] <= 299:
            return STAYS if heard.second else AGAIN
        if heard.second:
            raise UntoldError(
                Sentence("silence behind a true end, and {codes} behind a second one", codes=repr(heard.codes))
            )
        # Two replies for one end are not two ends, but two more than there should be are those of refused commands.
        if (rest and rest[0] == self.refused) or len(rest) > len(self.going_on) + 1:
            return ENDED if good else ENDED_REJECTED
        if tuple(rest[1:]) == self.going_on:
            return REJECTS
        return CLOSED


def calibrate(honest: Heard, ended: Heard) -> Meaning:
    """Learn what replies mean; raises UntoldError where this way of asking does not tell an end from content."""
    accepted, *going_on = honest.codes or (0,)
    if not 200 <= accepted <= 299 or len(going_on) != len(_BEHIND) or not honest.finished:
        raise UntoldError(Sentence("an honest message was answered {codes}", codes=repr(honest.codes)))
    message, *behind = ended.codes or (0,)
    if message != accepted or not behind or behind == going_on:
        raise UntoldError(
            Sentence("an honest end before further commands was answered {codes}", codes=repr(ended.codes))
        )
    return Meaning(tuple(going_on), behind[0])
