"""Next hops that answer what a vector says: the gateway must not believe what answers nothing.

There is one for each vector, since a hop that has failed is left alone for a while.
The first connections ask what it offers, before the gateway serves: to them it is polite.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from tidewaiter.demo import conversation, judge, sender
from tidewaiter.demo.mail import STRANGER, Mail
from tidewaiter.i18n import _
from tidewaiter.model.vector import DialogueVector
from tidewaiter.report.demonstration import Seen, Trial
from tidewaiter.rig.caller import ClosedError, SilenceError
from tidewaiter.rig.player import HOST

CONTENT: Final = b"From: honest@outside.example\r\nSubject: to a hop\r\n\r\nhello\r\n"
POLITE: Final = {
    b"EHLO": b"250-hop.inside.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}
SECONDS: Final = 20.0
"""For the gateway to hang up on a hop that makes no sense."""
PATIENCE: Final = 0.5
"""For a sender alone, which may wait for more."""


class Hop:
    """One of them, reached by mail to its domain."""

    def __init__(self, vector: DialogueVector) -> None:
        self.vector = vector
        self.port = 0
        self.domain = f"{vector.name}.hop.test"
        self.recipient = f"rcpt@{self.domain}"
        self._awaited: asyncio.Future[list[str]] | None = None
        self._patience = SECONDS

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the vector where a trial has begun, else be polite."""
        awaited, self._awaited = self._awaited, None
        with suppress(ConnectionError):
            if awaited is None:
                await _be_polite(reader, writer)
            else:
                awaited.set_result(await self._play(reader, writer))
        writer.close()

    def begin(self, patience: float) -> "asyncio.Future[list[str]]":
        """Play to the next who connects, and wait `patience` seconds for it to hang up.

        The future holds what was wrong.
        """
        self._patience = patience
        self._awaited = asyncio.get_running_loop().create_future()
        return self._awaited

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[str]:
        wrong: list[str] = []
        for step in self.vector.steps:
            writer.write(step.send)
            wrong += [line for each in step.expect for line in judge.command(self._expected(each), await _line(reader))]
            if wrong:
                break
        rest = await _rest(reader, self._patience)
        return [*wrong, *([_("sent {rest} behind it").format(rest=rest)] if rest and not wrong else [])]

    def _expected(self, line: str) -> str:
        """The vector's recipient, in the domain of this hop."""
        return line.replace(STRANGER.recipient, self.recipient)


async def _line(reader: asyncio.StreamReader) -> str:
    return (await reader.readline()).decode("latin-1").rstrip("\r\n")


async def _rest(reader: asyncio.StreamReader, patience: float) -> bytes:
    """All that still comes, until the other side closes or falls silent."""
    rest = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while (block := await reader.read(4096)) and b"QUIT" not in rest:
                rest += block
    return rest


async def _be_polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 hop.inside.test ESMTP\r\n")
    while line := await reader.readline():
        writer.write(POLITE.get(line[:4].upper(), b"250 2.0.0 Ok\r\n"))


@asynccontextmanager
async def hops(vectors: Iterable[DialogueVector]) -> AsyncIterator[tuple[Hop, ...]]:
    """Listen, one for each vector."""
    async with AsyncExitStack() as stack:
        made = tuple(map(Hop, vectors))
        for hop in made:
            server = await asyncio.start_server(hop.serve, HOST, 0)
            hop.port = (await stack.enter_async_context(server)).sockets[0].getsockname()[1]
        yield made


async def trial(hop: Hop, outbound: int) -> Trial:
    """Send a message to the hop by the real sender alone, then through the gateway."""
    mail = Mail(STRANGER.sender, hop.recipient, CONTENT)
    playing = hop.begin(PATIENCE)
    told = await sender.send(hop.port, mail)
    await playing
    playing = hop.begin(SECONDS)
    answer = await _through(outbound, mail)
    broken = await playing
    if answer.startswith("2"):
        broken.append(_("the client was told {answer}").format(answer=answer))
    vector = hop.vector
    return Trial(
        vector.name,
        vector.claim,
        "next hop",
        vector.known,
        _misled(told),
        _misled(answer),
        changed=False,
        broken=tuple(broken),
    )


async def _through(port: int, mail: Mail) -> str:
    try:
        caller = await conversation.greeted(port)
        answer = str(await conversation.hand_over(caller, mail, mail.content))
        await conversation.leave(caller)
    except (ClosedError, SilenceError) as error:
        return str(error)
    return answer


def _misled(answer: str) -> Seen:
    """Whoever is told 250 by a hop that has kept nothing has been misled."""
    return Seen(answer, 0, int(answer.startswith("2")))
