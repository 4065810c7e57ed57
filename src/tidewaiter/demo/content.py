"""What becomes of odd bytes in a message: to the receiver alone, and with the gateway before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tidewaiter.demo import conversation, judge, sender
from tidewaiter.demo.configuration import OUTBOUND, STRANGERS
from tidewaiter.demo.mail import END, STRANGER, USER, Mail, unstuffed
from tidewaiter.demo.mailbox import Kept
from tidewaiter.demo.stage import Stage
from tidewaiter.i18n import spoken
from tidewaiter.knowledge.dialects import dialects
from tidewaiter.model.vector import ContentVector, Outcome, Outcomes
from tidewaiter.report.demonstration import Seen, Trial, Way
from tidewaiter.rig.caller import Answer, Caller, ClosedError, SilenceError
from tidewaiter.smuggling.reading import read

LENIENT: Final = "aiosmtpd-1.4.4"
"""The row of the receiver."""
CHANCES: Final = 400
BEFORE: Final = STRANGER.holding(b"From: honest@outside.example\r\nSubject: before\r\n\r\nbefore\r\n")
AFTER: Final = STRANGER.holding(b"From: honest@outside.example\r\nSubject: after\r\n\r\nafter\r\n")


@dataclass(frozen=True, slots=True)
class Passed:
    """What one content came to behind the gateway."""

    seen: Seen
    changed: bool
    broken: tuple[str, ...]


async def inbound(stage: Stage, vector: ContentVector) -> Trial:
    """Send raw bytes as DATA, from a stranger."""
    alone = await _raw_alone(stage, STRANGER.holding(vector.content))
    passed = await raw(stage, vector, STRANGERS, counted=False)
    return _trial(vector, "inbound", alone, passed)


async def outbound(stage: Stage, vector: ContentVector) -> Trial:
    """Send it as a user's message, through a real sender.

    That sender doubles the dots of lines that end in CR LF, which the gateway undoes: so what counts is the content
    itself, as where it is counted.
    """
    mail = USER.holding(vector.content)
    alone = await _sent_alone(stage, mail)
    answer = await sender.send(stage.outbound, mail)
    outcome: Outcome = getattr(vector.bdat, OUTBOUND)
    found = stage.mail.fresh()
    seen = _seen(answer, mail, found)
    broken = (*judge.reply(outcome.reply, answer), *judge.kept(_due(mail, outcome), found))
    return _trial(vector, "outbound", alone, Passed(seen, outcome.delivered != mail.content, broken))


def _trial(vector: ContentVector, way: Way, alone: Seen, passed: Passed) -> Trial:
    fooled = fooled_by(vector.content) if way == "inbound" else ()
    return Trial(vector.name, vector.claim, way, fooled, alone, passed.seen, passed.changed, passed.broken)


def fooled_by(content: bytes) -> tuple[str, ...]:
    """Name the rows that read more than one message in it."""
    rows = [row for row in dialects().values() if row.reader]
    return tuple(row.id for row in rows if len(read(row, content + END)) > 1)


async def _sent_alone(stage: Stage, mail: Mail) -> Seen:
    """Send through the real sender to the receiver alone.

    A sender takes the replies to a forged message for those to its QUIT, and may hang up before the receiver has read
    on: whether that comes to a message of its own is chance, so it is given more than one.
    """
    seen = Seen("", 0, 0)
    for _chance in range(CHANCES if LENIENT in fooled_by(mail.content) else 1):
        answer = await sender.send(stage.alone.port, mail)
        seen = _seen(answer, mail, await stage.alone.settled())
        if seen.forged:
            break
    return seen


async def _raw_alone(stage: Stage, mail: Mail) -> Seen:
    caller = await conversation.greeted(stage.alone.port)
    try:
        answer = str(await conversation.hand_over(caller, mail, mail.content))
    except (ClosedError, SilenceError):
        answer = ""
    await conversation.leave(caller)
    return _seen(answer, mail, await stage.alone.settled())


async def raw(stage: Stage, vector: ContentVector, position: str, *, counted: bool) -> Passed:
    """Send it between two honest messages on one connection, to the listener in `position`."""
    outcomes = vector.bdat if counted else vector.data
    assert isinstance(outcomes, Outcomes)
    outcome: Outcome = getattr(outcomes, position)
    mail = STRANGER.holding(vector.content)
    answer = await _between(stage.inbound[position], mail, outcome, counted=counted)
    found = stage.mail.fresh()
    broken = (*judge.reply(outcome.reply, answer), *judge.kept((BEFORE, *_due(mail, outcome), AFTER), found))
    others = [one for one in found if one.without_received() not in {BEFORE.content, AFTER.content}]
    meant = vector.content if counted else unstuffed(vector.content)
    return Passed(_seen(answer, mail, others), outcome.delivered not in {None, meant}, broken)


async def _between(port: int, mail: Mail, outcome: Outcome, *, counted: bool) -> str:
    """Send before, the vector and after; give the reply to the vector."""
    try:
        caller = await conversation.greeted(port)
        await conversation.hand_over(caller, BEFORE, BEFORE.content)
        answer = await _send(caller, mail, counted=counted)
        if outcome.closed:
            await conversation.closed(caller)
            caller = await conversation.greeted(port)
        await conversation.hand_over(caller, AFTER, AFTER.content)
        await conversation.leave(caller)
    except (ClosedError, SilenceError) as error:
        return spoken(error.sentence)
    return str(answer)


async def _send(caller: Caller, mail: Mail, *, counted: bool) -> Answer:
    if counted:
        return await conversation.hand_over_counted(caller, mail)
    return await conversation.hand_over(caller, mail, mail.content)


def _due(mail: Mail, outcome: Outcome) -> tuple[Mail, ...]:
    """The message that must be kept, if one must."""
    return () if outcome.delivered is None else (mail.holding(outcome.delivered),)


def _seen(answer: str, mail: Mail, found: Sequence[Kept]) -> Seen:
    """Whatever was kept beyond what was sent was forged: nobody sent it."""
    own = sum(one.sender == mail.sender for one in found)
    return Seen(answer, len(found), len(found) - min(own, 1))
