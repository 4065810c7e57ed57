"""One question: a transaction up to 354, a head, the tested word, and a tail whose replies cannot be mistaken.

The tail is a line that is content (and a valid header field) if DATA goes on and a refused command if it has ended;
the true end; NOOP; QUIT.  It begins with a byte that is neither CR nor LF, so a word that ends in CR stays bare.
Where the true end brings no answer a second one is sent: some servers stay in DATA after a rejection.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from tidewaiter.i18n import system
from tidewaiter.lab.target import Target, UntoldError, Way
from tidewaiter.model.sentence import Sentence
from tidewaiter.rig.caller import Caller, ClosedError, SilenceError

REFUSED: Final = b"EXPN: q\r\n"
END: Final = b".\r\n"
TAIL: Final = (REFUSED, END, b"NOOP\r\n", b"QUIT\r\n")
SECOND_END: Final = b"\r\n.\r\nNOOP\r\nQUIT\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back behind 354."""

    codes: tuple[int, ...]
    finished: bool
    """The server took leave or closed; otherwise it fell silent."""
    second: bool = False
    """It had been silent until a second end was sent."""


async def offers(target: Target) -> tuple[str, ...]:
    """Ask a server what it offers; raises UntoldError."""
    caller = await called(target)
    try:
        lines = caller.replies[-1].wire.decode("latin-1").splitlines()
        return tuple(line[4:].strip().upper() for line in lines[1:])
    finally:
        caller.hang_up()


async def ask(caller: Caller, target: Target, way: Way, content: bytes) -> Heard:
    """Ask one question, and hang up; raises UntoldError where the server does not come as far as 354."""
    try:
        await envelope(caller, target)
        before = len(caller.replies)
        await _TAILS[way](caller, target, content)
        silent = not await _finished(caller, target)
        if silent:
            caller.write(SECOND_END)
            await _finished(caller, target)
        return Heard(tuple(answer.code for answer in caller.replies[before:]), _is_finished(caller), second=silent)
    finally:
        caller.hang_up()


async def called(target: Target) -> Caller:
    """Connect and say EHLO or LHLO."""
    try:
        caller = await Caller.call(target.host, target.port, target.within)
    except (OSError, SilenceError) as error:
        why = error.sentence if isinstance(error, SilenceError) else system.reason(error)
        address = f"{target.host}:{target.port}"
        raise UntoldError(Sentence("no connection to {address}: {why}", address=address, why=why)) from None
    try:
        await _answered(caller, target, b"")
        await _answered(caller, target, b"%s tidewaiter.test\r\n" % (b"LHLO" if target.lmtp else b"EHLO"))
    except BaseException:  # one that is cancelled, because another has failed, must not stay open either
        caller.hang_up()
        raise
    return caller


async def envelope(caller: Caller, target: Target) -> None:
    """Name the sender and the recipient and come as far as 354; raises UntoldError."""
    for step in (
        b"MAIL FROM:<%b>\r\n" % target.sender.encode(),
        b"RCPT TO:<%b>\r\n" % target.recipient.encode(),
        b"DATA\r\n",
    ):
        await _answered(caller, target, step)
    if caller.replies[-1].code != 354:
        raise UntoldError(Sentence("{command} was answered: {reply}", command="DATA", reply=caller.replies[-1]))


async def _answered(caller: Caller, target: Target, wire: bytes) -> None:
    """Send a command whose reply must be good for the question to be asked at all; nothing, for the greeting."""
    try:
        answer = await caller.ask(wire, target.within)
    except (SilenceError, ClosedError) as error:
        raise UntoldError(error.sentence) from None
    if answer.code >= 400 and wire:
        command = wire.split()[0].decode()
        raise UntoldError(Sentence("{command} was answered: {reply}", command=command, reply=answer))
    if answer.code >= 400:
        raise UntoldError(Sentence("the connection was answered: {reply}", reply=answer))


async def _pipelined(caller: Caller, _: Target, content: bytes) -> None:
    caller.write(content + b"".join(TAIL))


async def _synchronised(caller: Caller, target: Target, content: bytes) -> None:
    refused, end, *rest = TAIL
    await _steps(caller, target, (content + refused + end, *rest))


async def _paced(caller: Caller, target: Target, content: bytes) -> None:
    refused, end, *rest = TAIL
    for step in (content, refused):
        await _answered_in(caller, step, target.pause)
    await _steps(caller, target, (end, *rest))


_TAILS: Final[dict[Way, Callable[[Caller, Target, bytes], Awaitable[None]]]] = {
    "pipelined": _pipelined,
    "synchronised": _synchronised,
    "paced": _paced,
}


async def _steps(caller: Caller, target: Target, steps: Iterable[bytes]) -> None:
    """Send each step once the one before has been answered: a slow server that insists on that is not hurried."""
    for step in steps:
        if not await _answered_in(caller, step, target.silence):
            return


async def _answered_in(caller: Caller, wire: bytes, within: float) -> bool:
    wanted = len(caller.replies) + 1
    caller.write(wire)
    return await caller.until(wanted, within)


async def _finished(caller: Caller, target: Target) -> bool:
    """Wait until the server has taken leave or closed; False once it has been silent for too long."""
    while not _is_finished(caller):
        if not await caller.until(len(caller.replies) + 1, target.silence):
            return False
    return True


def _is_finished(caller: Caller) -> bool:
    return caller.closed or caller.replies[-1].code == 221
