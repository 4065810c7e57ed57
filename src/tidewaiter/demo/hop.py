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
from tidewaiter.i18n import _, spoken
from tidewaiter.model.vector import DialogueVector
from tidewaiter.report.demonstration import Seen, Trial
from tidewaiter.rig.caller import ClosedError, SilenceError
from tidewaiter.rig.player import HOST

CONTENT: Final = b"From: honest@outside.example\r\nSubject: to a hop\r\n\r\nhello\r\n"
OFFERS: Final = {"EHLO": b"250-hop.inside.test\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"}
SECONDS: Final = 60.0
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
        self._patience: float | None = None
        """Seconds to wait for the other side to hang up, while a trial is on."""
        self._plays: list[asyncio.Task[list[str]]] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Play the vector in a trial, once: who comes again, and then without TLS, finds nobody. Else be polite."""
        self._writers.add(writer)
        if self._patience is None:
            await _be_polite(reader, writer)
        elif not self._plays:
            play = asyncio.create_task(self._play(reader, writer, self._patience))
            self._plays.append(play)
            await play
        self._writers.discard(writer)
        writer.close()

    async def hang_up(self) -> None:
        """End what is still open; a conversation that is cancelled instead complains."""
        while self._writers:
            for writer in self._writers:
                writer.transport.abort()
            await asyncio.sleep(0)

    @asynccontextmanager
    async def playing(self, patience: float) -> AsyncIterator[list[str]]:
        """Play to whoever connects; at the end the list holds what was wrong, and that nobody came."""
        wrong: list[str] = []
        self._patience, self._plays = patience, []
        yield wrong
        self._patience = None
        wrong += [line for said in await asyncio.gather(*self._plays) for line in said]
        if not self._plays:
            wrong.append(_("nobody connected"))

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float) -> list[str]:
        wrong: list[str] = []
        for step in self.vector.steps:
            writer.write(step.send)
            wrong += [line for each in step.expect for line in judge.command(self._expected(each), await _line(reader))]
            if wrong:
                break
        if not wrong and (rest := await _rest(reader, patience)):
            wrong.append(_("sent {rest} behind it").format(rest=rest))
        return wrong

    def _expected(self, line: str) -> str:
        """The vector's recipient, in the domain of this hop."""
        return line.replace(STRANGER.recipient, self.recipient)


async def _line(reader: asyncio.StreamReader) -> str:
    """The next line; empty where there is none, for a reset is as good as a close."""
    with suppress(ConnectionError):
        return (await reader.readline()).decode("latin-1").rstrip("\r\n")
    return ""


async def _rest(reader: asyncio.StreamReader, patience: float) -> bytes:
    """All that still comes, until the other side closes or falls silent."""
    rest = b""
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(patience):
            while (block := await reader.read(4096)) and b"QUIT" not in rest:
                rest += block
    return rest


async def _be_polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what is offered, and close on any other command: mail has to come on a connection that is played to."""
    writer.write(b"220 hop.inside.test ESMTP\r\n")
    while answer := OFFERS.get((await _line(reader))[:4].upper()):
        writer.write(answer)


@asynccontextmanager
async def hops(vectors: Iterable[DialogueVector]) -> AsyncIterator[tuple[Hop, ...]]:
    """Listen, one for each vector."""
    async with AsyncExitStack() as stack:
        made = tuple(map(Hop, vectors))
        for hop in made:
            server = await asyncio.start_server(hop.serve, HOST, 0)
            hop.port = (await stack.enter_async_context(server)).sockets[0].getsockname()[1]
            stack.push_async_callback(hop.hang_up)
        yield made


async def trial(hop: Hop, outbound: int) -> Trial:
    """Send a message to the hop by the real sender alone, then through the gateway."""
    mail = Mail(STRANGER.sender, hop.recipient, CONTENT)
    async with hop.playing(PATIENCE):
        told = await sender.send(hop.port, mail)
    async with hop.playing(SECONDS) as broken:
        answer = await _through(outbound, mail)
    broken += judge.refused_for_now(answer)
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
        return spoken(error.sentence)
    return answer


def _misled(answer: str) -> Seen:
    """Whoever is told 250 by a hop that has kept nothing has been misled."""
    return Seen(answer, 0, int(answer.startswith("2")))
