"""What a child process receives from the supervisor: one JSON argument and open descriptors.

    python -m tidewaiter.gateway.worker '{"generation":1,"index":0,…}'

A worker must, in this order: `Handover.receive(sys.argv)`; read its settings (`settings()`) and
the keys and certificates they name, as the unprivileged user it already is; start its loop with a
`Link`; start to listen on `listeners`; call `link.ready()`. When the link says *drain*, it stops
accepting (closes its listening sockets: the supervisor holds them too, so nobody is refused),
finishes the transactions at hand, answers 421 to clients between transactions, and leaves with
exit code 0. When the link closes, it leaves at once. Any other end is a crash to the supervisor.
"""

import os
from typing import Self

import msgspec

from tidewaiter.config import Settings, parse
from tidewaiter.gateway.record.ids import WorkerId


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """Who the child is, and the numbers of the descriptors that are open in it."""

    generation: int
    """1 for the first, one more with every reload."""
    index: int
    """Which worker, from 0; a worker started in place of a dead one has its number."""
    workers: int
    """How many workers a generation has: what is limited in all is divided among them."""
    column: int
    """The child's own column in the shared maps; no two living processes have the same."""
    columns: int
    """How many columns the shared maps have."""
    file: str
    """The configuration file's absolute path; relative paths in it start at its folder."""
    configuration: int
    """Descriptor of the configuration's bytes as the supervisor checked them, in memory."""
    listeners: tuple[int, ...]
    """Bound TCP sockets, not listening yet, one for each of `Settings.listener` in order; for the
    clerk, the local socket that workers connect to and, where it is served, the HTTP socket."""
    link: int
    """The child's end of its link (`link.Link`)."""
    log: int
    """Where log lines go (`journal.Journal`); never blocks."""
    state: int
    """The state folder, open and locked; whoever holds it keeps a second supervisor away."""
    connections: int
    """The shared map of clients (`connections.Connections`)."""
    doubts: int
    """The shared file of transactions in doubt (`doubts.Doubts`)."""

    @classmethod
    def receive(cls, argv: list[str]) -> Self:
        """Read the handover, and keep its descriptors from any process started from here."""
        handover = msgspec.json.decode(argv[1], type=cls)
        for descriptor in handover.descriptors():
            os.set_inheritable(descriptor, False)  # noqa: FBT003 - it has no name for it
        return handover

    def argument(self) -> str:
        """Return the one argument that `receive` reads."""
        return msgspec.json.encode(self).decode()

    def descriptors(self) -> tuple[int, ...]:
        """Every descriptor that goes along."""
        return (
            *self.listeners,
            self.configuration,
            self.link,
            self.log,
            self.state,
            self.connections,
            self.doubts,
        )

    def settings(self) -> Settings:
        """Parse the configuration; the supervisor has found no mistake in these very bytes."""
        size = os.fstat(self.configuration).st_size
        return parse(os.pread(self.configuration, size, 0), self.file)

    def process(self) -> WorkerId:
        """Tell which worker this is."""
        return WorkerId(self.index, self.generation, self.column)

    def clerk_address(self) -> str:
        """Where the clerk listens.

        By the descriptor of its folder, because a socket's path may have only 107 bytes.
        """
        return f"/proc/self/fd/{self.state}/{CLERK_SOCKET}"


CLERK_SOCKET = "clerk.sock"
"""The clerk's local socket within the state folder."""
