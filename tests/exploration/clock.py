"""An event loop on a clock that the test moves: when nothing is ready, it is at once as late as the next timer.

Nothing sleeps and nothing comes from outside, so an hour takes milliseconds, and the same input gives the same run.
What a program asks of the network, it asks of `wire.Network`.
"""

import asyncio
import ssl as tls
from collections import deque
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from traceback import format_exception
from typing import Any

from tests.exploration.wire import End, Network

TURNS = 400_000
"""Turns of the loop in one run; a program that goes on without time passing is a failure and not a hang."""


class StandstillError(Exception):
    """Nothing is ready, nothing is due, and somebody still waits."""


class Call:
    """A callback that is due, or was cancelled; what asyncio calls a handle, without what it costs."""

    __slots__ = ("_run", "args", "callback")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args = args
        self._run = context.run if context is not None else None

    def cancel(self) -> None:
        self.callback = None
        self.args = ()

    def cancelled(self) -> bool:
        return self.callback is None

    def run(self) -> None:
        if self.callback is None:
            return
        if self._run is not None:
            self._run(self.callback, *self.args)
        else:
            self.callback(*self.args)


Base: Any = asyncio.BaseEventLoop


class Clock(Base):  # type: ignore[misc]  # it is called in fewer ways than asyncio's signatures tell
    """The loop; `faults` are exceptions that no callback caught."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.network = Network(self)
        self.faults: list[str] = []
        self._soon: deque[Call] = deque()
        self._later: list[tuple[float, int, Call]] = []
        self._count = 0
        self.descriptors = 0
        """Sockets made so far."""

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        call = Call(callback, args, context)
        self._soon.append(call)
        return call

    call_soon_threadsafe = call_soon  # there is one thread

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        if when <= self.now:
            return self.call_soon(callback, *args, context=context)
        call = Call(callback, args, context)
        self._count += 1  # those of one moment come in the order in which they were asked for
        heappush(self._later, (when, self._count, call))
        return call

    def run_forever(self) -> None:
        """Run until `stop`."""
        asyncio._set_running_loop(self)
        self._stopping = False
        try:
            for _ in range(TURNS):
                self._turn()
                if self._stopping:
                    return
            raise StandstillError("time stands still")
        finally:
            asyncio._set_running_loop(None)

    def _turn(self) -> None:
        soon, later = self._soon, self._later
        if not soon:
            if not later:
                raise StandstillError("nothing will ever happen")
            self.now = later[0][0]
        while later and later[0][0] <= self.now:
            soon.append(heappop(later)[2])
        for _ in range(len(soon)):
            call = soon.popleft()
            try:
                call.run()
            except Exception as error:  # noqa: BLE001 - what asyncio does
                self.faults.append("".join(format_exception(error)))

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what a task or a transport complains of."""
        error = context.get("exception")
        self.faults.append(context["message"] + ("".join(format_exception(error)) if error else ""))

    def run_for(self, seconds: float) -> None:
        """Let so much time pass."""
        self.call_at(self.now + seconds, self.stop)
        self.run_forever()

    @property
    def timers(self) -> list[str]:
        """What is still due, by name."""
        return [call.callback.__qualname__ for _, _, call in self._later if call.callback is not None]

    def add_reader(self, *_: Any) -> None:
        """Nothing comes from outside."""

    remove_reader = remove_writer = add_writer = add_reader

    # What a program asks of a loop with sockets.

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> list[Any]:
        await asyncio.sleep(0)
        return self.network.addresses(str(host), int(port))

    async def create_connection(
        self,
        make: Callable[[], asyncio.Protocol],
        host: str,
        port: int,
        *,
        ssl: object = None,
        happy_eyeballs_delay: float | None = None,
        **_: Any,
    ) -> tuple[End, asyncio.Protocol]:
        assert happy_eyeballs_delay is None, "not played"
        error: OSError = ConnectionRefusedError(f"no address for {host}")
        for found in await self.getaddrinfo(host, port):
            try:
                return await self._connect(found[4][:2], make, secure=ssl is not None)
            except OSError as refused:
                error = refused
        raise error

    async def create_unix_connection(
        self, make: Callable[[], asyncio.Protocol], path: str, **_: Any
    ) -> tuple[End, asyncio.Protocol]:
        return await self._connect((str(path), 0), make, secure=False)

    async def _connect(
        self, address: tuple[str, int], make: Callable[[], asyncio.Protocol], *, secure: bool
    ) -> tuple[End, asyncio.Protocol]:
        ours = await self.network.connect(address)
        if secure:
            await asyncio.sleep(0)  # the other side has begun
            try:
                await self._handshake(ours, None)
            except BaseException:
                ours.close()
                raise
        protocol = make()
        ours.begin(protocol)
        return ours, protocol

    async def start_tls(
        self,
        transport: End,
        protocol: asyncio.Protocol,
        _context: tls.SSLContext,
        *,
        ssl_handshake_timeout: float | None = None,
        **_: Any,
    ) -> End:
        """Do a handshake that the other side decides; as asyncio's, it closes where it fails, and tells nobody else."""
        transport.set_protocol(asyncio.Protocol())
        try:
            await self._handshake(transport, ssl_handshake_timeout)
        except BaseException:
            transport.close()
            raise
        transport.set_protocol(protocol)
        return transport

    async def _handshake(self, ours: End, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await ours.peer.get_protocol().handshake()
        except TimeoutError as error:
            raise ConnectionAbortedError("SSL handshake is taking longer than it may: aborting") from error
        ours.tls = ours.peer.tls = True
