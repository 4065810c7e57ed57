"""A gateway, its next hop and its clients, set for one check of a limit."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gateway.next_hop import NextHop
from tests.gateway.running import HOST, Caller, RunningGateway, running_gateway, until
from tests.gateway.test_flow import configuration

Fix = Callable[..., None]
"""Sets the constant of the row that is checked; or another one, named behind the value."""
Check = Callable[[Path, Fix], Awaitable[None]]
MESSAGE = b"Subject: x\r\n\r\nHello.\r\n"


@dataclass
class Scene:
    """A gateway and its next hop, with what a check does in it."""

    gateway: RunningGateway
    hop: NextHop
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def call(self, address: str = "127.0.0.1", *, hello: str = "EHLO client.test") -> Caller:
        """Come from `address`, stay until the scene ends, and hear what is said first."""
        caller = Caller(*await asyncio.open_connection(HOST, self.gateway.port, local_addr=(address, 0)))
        await self.stack.enter_async_context(caller)
        caller.greeting = await caller.reply()  # type: ignore[attr-defined]  # for the check
        if hello and greeting(caller).startswith("220"):
            await caller.say(hello)
        return caller

    async def ready(self, address: str = "127.0.0.1", **options: Any) -> Caller:
        """Come, with an envelope that was taken."""
        caller = await self.call(address)
        await caller.envelope(**options)
        return caller

    async def honest(self, address: str = "127.0.0.1") -> None:
        """Send one message as anybody would, which must pass."""
        async with Caller(*await asyncio.open_connection(HOST, self.gateway.port, local_addr=(address, 0))) as caller:
            assert (await caller.reply()).startswith("220 ")
            await caller.say("EHLO client.test")
            await caller.envelope()
            assert (await caller.data(MESSAGE)).startswith("250 ")

    async def alone(self, count: int = 0) -> None:
        """Wait until no more than so many connections are left."""
        await until(lambda: len(self.gateway.sessions) <= count, "the end of connections")


def greeting(caller: Caller) -> str:
    """What it heard first."""
    return str(vars(caller)["greeting"])


@asynccontextmanager
async def scene(
    folder: Path, text: str = "", hop: NextHop | None = None, others: Sequence[int] = (), **shorter: float
) -> AsyncIterator[Scene]:
    """Set it; `text` is the table `[limits]`, or what stands in the listener, the route and the limits, between `--`.

    `others` are the ports of further next hops.
    """
    listener, route, limits = text.split("--") if "--" in text else ("", "", text)
    hop = hop or NextHop()
    async with hop:
        settings = configuration(hop.port, *others, listener=listener, route=route, limits=limits)
        async with running_gateway(folder, settings, (), **shorter) as gateway, AsyncExitStack() as stack:
            yield Scene(gateway, hop, stack)


async def ended(caller: Caller, reply: str) -> None:
    """Hear this last."""
    assert (await caller.reply()).startswith(reply)
    assert await caller.closed()
