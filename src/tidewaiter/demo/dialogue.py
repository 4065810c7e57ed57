"""What becomes of odd bytes outside of any message: behind STARTTLS, where no group may go on, before the greeting."""

import ssl
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Final

from tidewaiter.demo import conversation, judge
from tidewaiter.demo.configuration import STRANGERS
from tidewaiter.demo.content import AFTER
from tidewaiter.demo.conversation import SECONDS
from tidewaiter.demo.mail import SMUGGLED, Mail
from tidewaiter.demo.mailbox import Kept
from tidewaiter.demo.stage import Stage
from tidewaiter.i18n import _, spoken
from tidewaiter.model.sentence import Sentence
from tidewaiter.model.vector import DialogueVector, Step
from tidewaiter.report.demonstration import Seen, Trial
from tidewaiter.rig.caller import Answer, Caller, ClosedError, SilenceError

PATIENCE: Final = 2.0
"""Seconds that the receiver alone has for replies which it may not give."""


async def trial(stage: Stage, vector: DialogueVector) -> Trial:
    """Send it to the receiver alone, then to the gateway before it, in the first position that it speaks of."""
    alone = await _alone(stage, vector)
    position = STRANGERS if STRANGERS in vector.positions else vector.positions[0]
    guarded, broken = await _guarded(stage, vector, position)
    return Trial(vector.name, vector.claim, "session", vector.known, alone, guarded, changed=False, broken=broken)


async def _alone(stage: Stage, vector: DialogueVector) -> Seen:
    """Nothing is promised of the receiver: send what there is to send, and look what it kept."""
    caller = await _begun(stage.alone.port, vector)
    for step in vector.steps[vector.early :]:
        before = len(caller.replies)
        caller.write(step.send)
        if step.expect:
            await caller.until(before + len(step.expect), PATIENCE)
        answers = caller.replies[before:]
        willing = bool(answers) and answers[0].code == 220 and not caller.closed
        if willing and step.send.startswith(b"STARTTLS") and (step.tls or step.together):
            with suppress(ClosedError):
                await caller.secure(_trusting(), SECONDS)
    await conversation.leave(caller)
    return _seen(caller.replies[-1:], await stage.alone.settled())


async def _guarded(stage: Stage, vector: DialogueVector, position: str) -> tuple[Seen, tuple[str, ...]]:
    caller = await _begun(stage.inbound[position], vector)
    broken: list[str] = []
    first = len(caller.replies) - vector.early
    try:
        for number, step in enumerate(vector.steps):
            broken += await _step(caller, step, sent=vector.early and not number)
        said = caller.replies[first:]
        if not vector.steps[-1].closed:
            await conversation.hand_over(caller, AFTER, AFTER.content)
            await conversation.leave(caller)
    except (ClosedError, SilenceError) as error:
        broken.append(spoken(error.sentence))
        said = caller.replies[first:]
    caller.hang_up()
    found = stage.mail.fresh()
    due = [Mail(each.sender, each.recipients[0], each.content) for each in vector.deliveries]
    broken += judge.kept(due if vector.steps[-1].closed else [*due, AFTER], found)
    own = [one for one in found if one.without_received() != AFTER.content]
    return _seen(said[-1:], own), tuple(broken)


async def _step(caller: Caller, step: Step, *, sent: bool) -> list[str]:
    """Send one step, and judge what is said to it."""
    before = 0 if sent else len(caller.replies)
    caller.write(b"" if sent else step.send)
    if not await caller.until(before + len(step.expect), SECONDS):
        raise SilenceError(Sentence("no reply to {wire!r} in {seconds} s", wire=step.send[:60], seconds=SECONDS))
    said = caller.replies[before : before + len(step.expect)]
    wrong = [
        line for each, answer in zip_longest(step.expect, map(str, said)) for line in judge.reply(each, answer or "")
    ]
    if step.tls:
        await caller.secure(_trusting(), SECONDS)
    if step.closed:
        await conversation.closed(caller)
        if len(caller.replies) > before + len(step.expect):
            wrong.append(_("more was answered than asked"))
    return wrong


async def _begun(port: int, vector: DialogueVector) -> Caller:
    """Be where the vector begins: greeted, or with its first bytes sent before that."""
    if not vector.early:
        return await conversation.greeted(port)
    caller = await conversation.unheard(port, vector.steps[0].send)
    await caller.until(1, SECONDS)
    return caller


def _seen(said: Sequence[Answer], found: Sequence[Kept]) -> Seen:
    """What a vector smuggles says of itself that it is."""
    return Seen("".join(map(str, said)), len(found), sum(one.sender == SMUGGLED for one in found))


def _trusting() -> ssl.SSLContext:
    """Trust any certificate: the other side is a program that we have started."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
