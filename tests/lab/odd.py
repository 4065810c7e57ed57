"""Servers that cannot be learned, or only with care: each strays from an honest one in one way."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidewaiter.lab.target import Target
from tidewaiter.model.dialect import STRICT, ReaderDialect, Then
from tidewaiter.rig.player import HOST, Line, Player

if TYPE_CHECKING:
    from collections.abc import Iterator


class Closing(Line):
    """Closes at once, with no greeting."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class Tarpit(Line):
    """Never says a word."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def _say(self, reply: str) -> None:
        """Keep silent."""


def varying() -> type[Line]:
    """Refuses every third message, whatever it is."""
    turns = itertools.count(1)

    class Varying(Line):
        def _end(self, end: Then, *, last: bool) -> None:
            refused = next(turns) % 3 == 0
            super()._end(Then(accepted=False, code=451, goes_on="commands") if refused else end, last=last)

    return Varying


class Choosy(Line):
    """Knows none of the recipients."""

    def _rcpt(self, _: bytes) -> Iterator[str]:
        yield "550 5.1.1 no such user"


class Terse(Line):
    """Does not know NOOP, as Twisted does not."""

    def _noop(self, _: bytes) -> Iterator[str]:
        yield "500 5.5.2 what?"


class HangingUp(Line):
    """Closes on a command that holds a NUL, as Postfix does on one that begins with no letter."""

    def _unknown(self, _: bytes) -> Iterator[str]:
        yield "221 2.7.0 I can break rules, too"
        self._close()


class Repeating(Line):
    """Says twice that it refuses a message."""

    def _end(self, end: Then, *, last: bool) -> None:
        if not end.accepted:
            self._say(f"{end.code} refused")
        super()._end(end, last=last)


class Staying(Line):
    """Answers a message that is refused only at its second end, for it is still reading content behind the first."""

    _ends = 0

    def _end(self, end: Then, *, last: bool) -> None:
        self._ends += 1
        if end.accepted or self._ends == 2:
            super()._end(end, last=last)


@contextmanager
def serving(line: type[Line], reader: ReaderDialect | None = STRICT.reader) -> Iterator[tuple[asyncio.Runner, Target]]:
    """Serve on loopback; the runner holds its loop."""
    assert reader
    player = Player(reader)
    with asyncio.Runner() as runner:
        server = runner.run(_listen(line, player))
        target = Target(HOST, server.sockets[0].getsockname()[1], "me@mine.test", within=0.3, silence=0.3, pause=0.01)
        try:
            yield runner, target
        finally:
            server.close()


async def _listen(line: type[Line], player: Player) -> asyncio.Server:
    return await asyncio.get_running_loop().create_server(lambda: line(player), HOST, 0)
