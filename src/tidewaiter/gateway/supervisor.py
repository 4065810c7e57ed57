"""The first process: holds the sockets, starts the others, restarts those that die, reloads, stops.

It carries no mail and has no event loop, so that little can go wrong in it: it waits for signals
and for its children's links, and does one thing after the other. What it keeps:

- A bad configuration, or workers that do not come up with it, change nothing.
- An address once bound stays open while any generation uses it: a reload refuses nobody.
- If it dies, however, the links close and its children leave; the lock on the state folder is
  theirs too, so that a successor begins when the last of them is gone.
"""

import os
import resource
import select
import signal
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from functools import partial
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, socketpair

from structlog.typing import FilteringBoundLogger

from tidewaiter.config import ConfigError, Settings
from tidewaiter.gateway.error import StartError
from tidewaiter.gateway.processes import declining, descriptors
from tidewaiter.gateway.processes.children import Child, command
from tidewaiter.gateway.processes.generation import Crew, Generation, Post
from tidewaiter.gateway.processes.handover import Handover
from tidewaiter.gateway.processes.resources import Resources
from tidewaiter.gateway.processes.signals import Signals
from tidewaiter.gateway.record.journal import logger
from tidewaiter.i18n import system
from tidewaiter.model.sentence import Sentence
from tidewaiter.net.notify import READY, STOPPING, Notifier, reloading
from tidewaiter.store.told import in_a_line, told

PROGRAMS: Mapping[str, Sequence[str]] = {
    "worker": command("tidewaiter.gateway.worker"),
    "clerk": command("tidewaiter.gateway.clerk"),
}

CLERK_SECONDS = 10.0
"""How long the clerk may take to write what it has before it leaves."""
ROUND_SECONDS = 5.0
"""How often children that say nothing are looked at."""
PAUSE_SECONDS = 0.1
"""Before the next round, where the system did not even let us wait."""


class Supervisor:
    """The one process that `tidewaiter run` is."""

    def __init__(
        self, file: Path, environment: MutableMapping[str, str], programs: Mapping[str, Sequence[str]] = PROGRAMS
    ) -> None:
        """Read the configuration; take the state folder, the addresses and the user.

        :raises ConfigError: if the configuration has mistakes.
        :raises StartError: if something else stands in the way.
        """
        self._notifier = Notifier(environment)
        self._programs = programs
        try:
            self._resources = Resources(file)
            self._generations = [self._resources.read()]
            self._shared = self._resources.share()
            self._signals = Signals()
        except OSError as error:
            why = Sentence("{place}: {reason}", place=error.filename or file, reason=system.reason(error))
            raise StartError(why) from error
        self._clerk = Crew([self._start_clerk])
        self._reload_wanted = False
        self._stopping = False
        self._exit_code = 0
        self._declined: set[int] = set()
        """Places whose share of the connections has gone to others."""

    @property
    def _newest(self) -> Generation:
        return self._generations[-1]

    @property
    def _current(self) -> Generation:
        """The newest that serves; before there is one, the first."""
        serving = [generation for generation in self._generations if generation.serving]
        return serving[-1] if serving else self._newest

    @property
    def _room(self) -> bool:
        """Whether there is room for another generation; each that still has clients takes some."""
        return self._shared.free_columns >= self._resources.workers

    @property
    def _log(self) -> FilteringBoundLogger:
        return logger(self._current.journal, process="supervisor")

    def run(self) -> int:
        """Serve until told to stop; returns the exit code."""
        if os.getuid() == 0:
            self._log.warning("running as root", remedy="name a user in [workers], whom a fault would give less")
        for transaction in self._shared.doubts_of_the_past():
            self._log.warning("transaction in doubt", id=transaction)
        self._start_workers(self._newest)
        while not (self._stopping and self._clerk.gone):
            for step in (self._wait, self._heed, self._remove_dead, self._advance):
                self._take(step)
        self._log.info("stopped")
        self._signals.close()
        return self._exit_code

    # What happens in one round.

    def _take(self, step: Callable[[], None]) -> None:
        """Let nothing that the system refuses once end the one process on which all others hang."""
        try:
            step()
        except OSError as error:
            self._log.error("fault", **told(error), exc_info=error)
            time.sleep(PAUSE_SECONDS)

    def _wait(self) -> None:
        """Until a signal, a word from a child, or the next thing that is due."""
        poll = select.poll()
        poll.register(self._signals.descriptor, select.POLLIN)
        children = {child.socket.fileno(): child for child in self._children() if child.linked}
        for descriptor in children:
            poll.register(descriptor, select.POLLIN)
        for descriptor, _ in poll.poll(1000 * self._seconds_until_due()):
            if descriptor in children:
                children[descriptor].hear()

    def _seconds_until_due(self) -> float:
        crews = self._crews()
        moments = [post.due for crew in crews for post in crew.posts if post.child is None]
        moments += [crew.deadline for crew in crews if crew.children]
        rest = self._notifier.watchdog_seconds or ROUND_SECONDS
        now = time.monotonic()
        return max(0.0, min([ROUND_SECONDS, rest / 3, *(due - now for due in moments if due is not None)]))

    def _heed(self) -> None:
        for number in self._signals.take():
            self._obey(number)

    def _obey(self, number: int) -> None:
        if number == signal.SIGHUP:
            self._reload_wanted = not self._stopping
            if self._reload_wanted and not self._room:
                self._log.info("reload waits until older workers have left")
        elif number in {signal.SIGTERM, signal.SIGINT}:
            self._stop(0.0 if self._stopping else self._current.settings.workers.stop_time)

    def _remove_dead(self) -> None:
        """Find the dead; give back what they held, and say what they left undone."""
        for crew in self._crews():
            for post in crew.posts:
                if post.child is not None and (code := post.child.exit_code()) is not None:
                    self._remove(crew, post, post.child, code)

    def _remove(self, crew: Crew, post: Post, child: Child, code: int) -> None:
        expected = crew.leaving and code == 0
        say = self._log.info if expected else self._log.error
        lost = {} if expected else {"records": "what it had not handed to the clerk stands in the log alone"}
        say("process ended", pid=child.pid, code=code, index=child.index, of_generation=child.generation, **lost)
        for transaction in self._shared.release_column(child.column):
            self._log.warning("transaction in doubt", id=transaction)
        post.vacate(refill=not crew.leaving)

    def _advance(self) -> None:
        """Whatever the news have made possible or necessary."""
        if self._reload_wanted and self._room:
            self._reload_wanted = False
            self._reload()
        self._judge_newest()
        for crew in self._crews():
            self._fill(crew)
            crew.insist()
        self._decline()
        for child in self._children():
            if child.silent:
                self._log.error("process hangs, and is killed", pid=child.pid)
                child.kill()
        self._dismiss()
        self._notifier.alive()

    def _fill(self, crew: Crew) -> None:
        try:
            crew.fill()
        except OSError as error:
            self._log.error("process cannot be started", **told(error))

    def _decline(self) -> None:
        """Give the share of a worker that does not come up to others, until one comes up."""
        unmanned = declining.unmanned(self._generations, self._current)
        for index in unmanned:  # each time: it may have begun to listen before it failed
            declining.decline(self._current, index)
        for index in sorted(unmanned - self._declined):
            self._log.error("worker does not come up, others get its share", index=index)
        posts = enumerate(self._current.workers.posts)
        back = self._declined & {index for index, post in posts if post.child is not None and post.child.ready}
        for index in sorted(back):
            self._log.info("worker has its share again", index=index)
        self._declined = (self._declined | unmanned) - back

    def _judge_newest(self) -> None:
        """A new generation serves once all its workers are ready; one that has lost a worker never does."""
        newest = self._newest
        if newest.serving or newest.workers.leaving:
            return
        if newest.workers.lost_a_child:
            self._abandon(newest)
        elif newest.workers.ready:
            self._serve(newest)

    def _dismiss(self) -> None:
        """Close generations that have gone; the clerk leaves last, or makes place for a new one."""
        for generation in [one for one in self._generations if one.workers.gone and one is not self._current]:
            self._generations.remove(generation)
            self._resources.keep_only(self._generations)
            generation.close()
        if self._stopping and not self._clerk.leaving and all(one.workers.gone for one in self._generations):
            self._clerk.drain(CLERK_SECONDS)
        if self._clerk.gone and not self._stopping:
            self._clerk = Crew([self._start_clerk])

    # What is done to generations.

    def _reload(self) -> None:
        self._notifier.say(reloading())
        try:
            generation = self._resources.read()
        except (ConfigError, StartError, OSError) as error:
            reason = in_a_line(error) if isinstance(error, OSError) else str(error)
            self._log.error("reload refused, nothing has changed", reason=reason)
            self._resources.keep_only(self._generations)  # an address may have been bound before the mistake was found
            self._notifier.say(READY)
            return
        self._log.info("reload begun", of_generation=generation.number)
        self._generations.append(generation)
        self._start_workers(generation)

    def _serve(self, generation: Generation) -> None:
        before = self._current.settings
        generation.serving = True
        addresses = [one.getsockname()[:2] for copies in generation.sockets for one in copies[:1]]
        pages = [one.getsockname()[:2] for one in generation.pages]
        self._log.info("serving", of_generation=generation.number, addresses=addresses, pages=pages)
        self._notifier.say(READY)
        older = self._generations[:-1]
        for each in older:
            if not each.workers.leaving:
                each.workers.drain(generation.settings.workers.drain_time)
        # The first generation's clerk goes by its settings already.
        if older and _concerns_clerk(before, generation.settings):
            self._clerk.drain(CLERK_SECONDS)

    def _abandon(self, generation: Generation) -> None:
        self._log.error("workers do not come up, nothing has changed", of_generation=generation.number)
        if generation is self._current:
            self._exit_code = 1
            self._stop(0.0)
            return
        generation.workers.drain(0.0)
        self._notifier.say(READY)

    def _stop(self, seconds: float) -> None:
        self._stopping, self._reload_wanted = True, False
        self._notifier.say(STOPPING)
        self._resources.close_addresses()
        for generation in self._generations:
            generation.workers.drain(seconds)

    # How children are started.

    def _start_workers(self, generation: Generation) -> None:
        self._count_descriptors(generation)
        starts = (partial(self._start_worker, generation, index) for index in range(self._resources.workers))
        generation.workers = Crew(starts)

    def _count_descriptors(self, generation: Generation) -> None:
        """Say what workers may come to need, and what they may have: without, clients are sent away by 421."""
        wanted = descriptors.needed(generation.settings, self._resources.workers)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if limit < wanted:
            remedy = "raise LimitNOFILE= of the service or ulimit -n, or lower limits.connections"
            self._log.warning("few file descriptors", needed=wanted, limit=limit, remedy=remedy)

    def _start_worker(self, generation: Generation, index: int) -> Child:
        listeners = tuple(copies[index].fileno() for copies in generation.sockets)
        return self._start(self._programs["worker"], generation, index, listeners)

    def _start_clerk(self) -> Child:
        listeners = [self._shared.clerk_socket, *self._current.pages]
        descriptors = tuple(listener.fileno() for listener in listeners)
        return self._start(self._programs["clerk"], self._current, 0, descriptors)

    def _start(self, program: Sequence[str], generation: Generation, index: int, listeners: tuple[int, ...]) -> Child:
        ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
        column = self._shared.take_column()
        with theirs:
            handover = Handover(
                generation=generation.number,
                index=index,
                workers=self._resources.workers,
                column=column,
                columns=self._shared.columns,
                file=str(self._resources.file),
                configuration=generation.configuration,
                listeners=listeners,
                link=theirs.fileno(),
                log=generation.log,
                state=self._shared.state,
                connections=self._shared.connections,
                doubts=self._shared.doubts,
            )
            try:
                return Child(program, handover, ours)
            except OSError:
                ours.close()
                self._shared.release_column(column)
                raise

    def _crews(self) -> list[Crew]:
        return [*(generation.workers for generation in self._generations), self._clerk]

    def _children(self) -> list[Child]:
        return [child for crew in self._crews() for child in crew.children]


def _concerns_clerk(before: Settings, after: Settings) -> bool:
    """Whether a reload needs a new clerk; a log file is opened again on reload, because it may have been rotated."""
    return after.log.file is not None or any(
        getattr(before, table) != getattr(after, table) for table in ("store", "metrics", "log")
    )
