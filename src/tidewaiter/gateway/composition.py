"""What a worker is made of, put together in one place: what its connections share, its next hops, its listeners."""

import asyncio
import ssl
from functools import partial
from pathlib import Path, PurePosixPath

from tidewaiter.config import Settings
from tidewaiter.config.settings import Listener, ListenerTls
from tidewaiter.delivery.hops import Hops
from tidewaiter.gateway.mail.examiner import Examiner
from tidewaiter.gateway.mail.listening import HopRoute, Listening
from tidewaiter.gateway.mail.worker_context import WorkerContext
from tidewaiter.gateway.processes.connections import Connections
from tidewaiter.gateway.processes.descriptors import Descriptors
from tidewaiter.gateway.processes.doubts import Doubts
from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.record.hop_status import HopStatus
from tidewaiter.gateway.record.recorder import Recorder
from tidewaiter.net.deadline import Watch
from tidewaiter.net.tls import server_context
from tidewaiter.store.file_thread import FileThread
from tidewaiter.store.spool import SpoolRoom
from tidewaiter.store.told import at


class Composition:
    """Everything between the sockets of one worker; it listens nowhere yet, and nothing has been asked of a hop."""

    def __init__(  # noqa: PLR0913 - it is all that a process has of its own
        self, settings: Settings, handover: Handover, files: FileThread, doubts: Doubts, *, folder: Path, spool: str
    ) -> None:
        """Put it together; paths of the configuration start at `folder`, and the spool's files lie in `spool`."""
        loop, limits = asyncio.get_running_loop(), settings.limits
        self._folder = folder
        self._settings = settings
        self.worker = WorkerContext(
            settings=settings,
            loop=loop,
            watch=Watch(loop),
            recorder=Recorder(loop, handover.process(), handover.log, handover.clerk_address()),
            room=SpoolRoom(files, spool, limits.spool_memory, limits.spool_memory_total, limits.spool_total),
            connections=Connections(handover.connections, handover.columns, handover.column),
            doubts=doubts,
            examiner=Examiner(loop),
            descriptors=Descriptors.of_process(settings, handover.workers),
        )
        status = partial(HopStatus, self.worker.recorder)
        self.hops = Hops(settings, self.worker.watch, files, handover.workers, self._place, status)

    def listening(self, listener: Listener) -> Listening:
        """Give what serves one of the listeners."""
        routes = [
            HopRoute(route.domains, self.hops.of(route))
            for route in self._settings.route
            if listener.role in route.roles
        ]
        return Listening(self.worker, listener, routes, self._tls(listener))

    def _tls(self, listener: Listener) -> ssl.SSLContext | None:
        if listener.tls is ListenerTls.OFF:
            return None
        assert listener.certificate is not None
        assert listener.key is not None
        certificate, key = self._place(listener.certificate), self._place(listener.key)
        with at(f"{certificate} or {key}"):  # OpenSSL names neither
            return server_context(certificate, key)

    def _place(self, path: PurePosixPath) -> str:
        return str(self._folder / path)

    async def close(self, seconds: float) -> None:
        """Let go of the next hops and of the record, for which there are so many seconds."""
        for hop in self.hops.all():
            hop.close()
        await self.worker.examiner.close()
        await self.worker.recorder.close(seconds)
