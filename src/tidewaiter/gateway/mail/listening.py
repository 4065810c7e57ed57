"""One listener as all its connections share it: who may connect, what is offered, where mail may go."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from ssl import SSLContext
from typing import Final, Literal

from tidewaiter.config.settings import Limits, Listener, ListenerTls
from tidewaiter.config.values import write_endpoint
from tidewaiter.delivery.delivery import Hop
from tidewaiter.delivery.route import RouteTable
from tidewaiter.gateway.mail.client_rules import STRANGER, rules_of
from tidewaiter.gateway.mail.crowd import Entry
from tidewaiter.gateway.mail.offering import offering
from tidewaiter.gateway.mail.waiting import Waiting
from tidewaiter.gateway.mail.worker_context import WorkerContext
from tidewaiter.model.client import Client, ClientRules
from tidewaiter.model.position import EnvelopePosition, Position, Positions
from tidewaiter.model.reply import Reply
from tidewaiter.store.records import Refusal
from tidewaiter.wire import Limits as WireLimits
from tidewaiter.wire import Offers, Service

CLIENTS: Final = 1024
"""How many clients' rules is remembered: they come again and again."""
NOT_OURS: Final = Reply(554, "5.7.1", ("Relay access denied",))


@dataclass(frozen=True, slots=True)
class HopRoute:
    """A route with its next hops as they are asked."""

    domains: tuple[str, ...]
    hops: tuple[Hop, ...]


class Listening:
    """What the sessions of one listener have in common."""

    def __init__(
        self, worker: WorkerContext, listener: Listener, routes: Sequence[HopRoute], context: SSLContext | None
    ) -> None:
        """Take the listener's settings, and the routes of its role."""
        self.worker = worker
        self.limits: Limits = worker.settings.limits
        self.name = write_endpoint(listener.address)
        self.context = context
        self.implicit_tls = listener.tls is ListenerTls.IMPLICIT
        self.routes = RouteTable(routes)
        self.sessions: dict[Waiting, Client] = {}
        """Each with its client."""
        self._listener = listener
        self._hops = tuple(dict.fromkeys(hop for route in routes for hop in route.hops))
        self._offered: tuple[Offers | None, ...] = ()
        self._services: dict[int, Service] = {}
        """By the number of an exclusion, or `STRANGER`."""
        self.rules_of = lru_cache(maxsize=CLIENTS)(self._look_up_rules)
        worker.crowd.tell(self._hurry)

    def _look_up_rules(self, host: str) -> ClientRules:
        return rules_of(host, self._listener, self.limits, self.worker.connections)

    def service(self, rules: ClientRules) -> Service:
        """Give the voice for this client: the positions of the first exclusion that holds it, or the listener's."""
        offered = tuple([hop.offers for hop in self._hops])
        if offered != self._offered or not self._services:
            self._offered = offered
            self._services = self._make_services()
        return self._services[rules.exclusion]

    def enter(self, session: Waiting, client: Client, descriptor: int) -> Reply | None:
        """Count a connection, which has this descriptor; the reply refuses it. Each one `leave`s."""
        self.sessions[session] = client
        return self.admit(client, descriptor)

    def admit(self, client: Client, descriptor: int) -> Reply | None:
        """Count a connection before it has a session; each one is given back, by `leave` or by `Crowd.leave`."""
        self.worker.recorder.count("connections", self.name)
        entry = self.worker.crowd.enter(client.rules, descriptor)
        if entry is Entry.FULL:
            return self.service(client.rules).closing("4.3.2", "Too many connections")
        if entry is Entry.NETWORK_FULL:
            return self.service(client.rules).closing("4.7.0", "Too many connections from your network")
        if entry is Entry.NO_DESCRIPTOR:
            return self.service(client.rules).closing("4.3.2", "Too many connections, no file descriptor is left")
        return None

    def leave(self, session: Waiting) -> None:
        """Count it out."""
        self.worker.crowd.leave(self.sessions.pop(session).rules)

    def _hurry(self, seconds: float) -> None:
        """Give those who are silent already no more time than those who will be."""
        for session in list(self.sessions):
            session.hurry(seconds)

    def refuse(
        self,
        stage: Literal["connection", "command", "recipient"],
        reason: str,
        reply: Reply | None,
        client: Client,
        **what: str,
    ) -> None:
        """Remember that something was refused; no reply was said where the connection ended without one."""
        recorder = self.worker.recorder
        recorder.refusal(
            Refusal(
                time=datetime.now(UTC),
                id=recorder.new_id(),
                stage=stage,
                reason=reason,
                listener=self.name,
                reply=str(reply or ""),
                client=client.address,
                helo=client.hello,
                **what,
            )
        )

    def _make_services(self) -> dict[int, Service]:
        listener, limits = self._listener, self.limits
        ours = Service(
            hostname=self.worker.settings.hostname,
            offers=offering(self._offered, starttls=listener.tls is ListenerTls.STARTTLS),
            limits=WireLimits(
                line=limits.command_line,
                size=limits.message_size,
                recipients=limits.recipients,
                errors=limits.errors,
                idle_commands=limits.commands,
            ),
            data=self._placed(listener.data),
            bdat=self._placed(listener.bdat),
            envelope=self._taken(listener.envelope),
            banner=self.worker.settings.greeting,
        )
        services = {STRANGER: ours}
        for number, exclusion in enumerate(listener.exclusion):
            taken = self._taken(exclusion.envelope)
            services[number] = replace(
                ours,
                data=self._placed(exclusion.data),
                bdat=self._placed(exclusion.bdat),
                envelope=taken,
                adds_host=ours.hostname if taken is EnvelopePosition.REPAIR else "",
            )
        return services

    def _taken(self, position: EnvelopePosition) -> EnvelopePosition:
        return EnvelopePosition.REPAIR if self._listener.shadow else position

    def _placed(self, positions: Positions) -> Positions:
        """In the shadow, see what would be refused."""
        if not self._listener.shadow:
            return positions
        return Positions(
            *(
                Position.NOTE if position is Position.REFUSE else position
                for position in (
                    positions.bare_lf,
                    positions.bare_cr,
                    positions.nul,
                    positions.long_line,
                    positions.header,
                )
            )
        )
