"""The recipients of one transaction: each is asked of a next hop as it comes, and the hop's reply is passed on.

The first recipient chooses the next hop, the first of its route that answers; the others go there too or nowhere, for
one message can have one answer.
"""

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final

from tidewaiter.delivery.delivery import CLIENT, SENDER, Answer, Delivery, Hop, OutcomeObserver, Patience, nobody
from tidewaiter.delivery.meaning import LACKING
from tidewaiter.gateway.mail.listening import NOT_OURS, Listening
from tidewaiter.model.address import Address
from tidewaiter.model.client import Client
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store.spool import Spool

OTHER_HOP: Final = Reply(452, "4.5.3", ("This recipient needs a transaction of its own",))
FIRST_SECONDS: Final = 270.0
"""For the first recipient, over all next hops of its route: a client waits five minutes (RFC 5321 §4.5.3.2.3)."""
OPENING_SECONDS: Final = 3.0
"""For a connection to a next hop that holds none, where another could be asked: an honest hop greets at once."""
_REFUSED: Final = {SENDER: "sender refused by the next hop", CLIENT: "client refused by the next hop"}
"""Why the log says that a recipient was refused, where it was not the recipient that the next hop was asked about."""
NO_HOP: Final = Reply(451, "4.4.1", ("No next hop answers, come again",))


class Recipients:
    """One question at a time, each with one answer."""

    __slots__ = (
        "_answer",
        "_candidates",
        "_client",
        "_delivery",
        "_failed",
        "_listening",
        "_mail",
        "_recipient",
        "_until",
        "accepted",
        "erred",
        "hop",
    )

    def __init__(
        self,
        listening: Listening,
        mail: Mail,
        client: Client,
        answer: Callable[[Reply], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Begin with none; `answer` hears the reply to each, `failed` what goes wrong here when a next hop answers."""
        self._listening = listening
        self._mail = mail
        self._client = client
        self._answer = answer
        self._failed = failed
        self._candidates: deque[Hop] = deque()
        self._until = inf
        """Loop time at which the last of them must have answered."""
        self._recipient: Address | None = None
        self._delivery: Delivery | None = None
        self.accepted: list[Address] = []
        """Those that the next hop takes."""
        self.erred = False
        """A next hop said no to one of them, or to the sender: it may count that against a connection."""
        self.hop: Hop | None = None
        """The next hop that was asked last."""

    def ask(self, recipient: Address) -> None:
        """Ask the next hop for this recipient, and pass its reply on."""
        route = self._listening.routes.find(recipient.domain)
        self._recipient = recipient
        if route is None:
            self._refuse(NOT_OURS, "relay denied")
        elif not self.accepted:
            self._candidates = deque(route.hops)
            self._until = self._listening.worker.loop.time() + FIRST_SECONDS
            self._try_next(Answer(NO_HOP), "")
        elif self.hop is None or self.hop.one_recipient or self.hop not in route.hops:
            # What one hop takes and another refuses could not be told apart.
            self._refuse(OTHER_HOP, "other next hop")
        else:
            self._ask_hop(Patience(inf, inf))

    def send(self, prefix: bytes, spool: Spool, observer: OutcomeObserver) -> None:
        """Hand the message over for those who were accepted."""
        assert self._delivery is not None, "there is no content without an accepted recipient"
        self._delivery.send(prefix, spool, observer)

    def leave(self, *, late: bool = False) -> None:
        """Give up what was asked of the next hop, which keeps no trace of it; with `late` because it is silent."""
        if self._delivery is not None:
            self._delivery.abandon(late=late)
            self._delivery = None

    def too_late(self, reply: Reply) -> None:
        """Answer in the place of a next hop that does not."""
        if self._delivery is not None:
            self._delivery.abandon(late=True)  # and go on with it, for those who were accepted before
        self._refuse(reply, "next hop too slow", self.hop.name if self.hop is not None else "")

    def close(self) -> None:
        """Let go of the delivery and of whoever hears the answers: each knows us, and circles outlive a message."""
        self._delivery = None
        self._answer = self._failed = nobody

    def _try_next(self, otherwise: Answer, asked: str) -> None:
        """Ask the next candidate; where there is none, say `otherwise`, which the next hop `asked` said."""
        if not self._candidates:
            self._refuse(otherwise.reply, _REFUSED.get(otherwise.about, "next hop down"), asked)
            return
        left = max(self._until - self._listening.worker.loop.time(), 0.0)
        share = left / len(self._candidates)
        hop = self._candidates.popleft()
        if hop is not self.hop:
            self.leave()
            self.hop = hop
        self._ask_hop(Patience(share, OPENING_SECONDS if self._candidates else inf))

    def _ask_hop(self, patience: Patience) -> None:
        assert self.hop is not None
        assert self._recipient is not None
        if self._delivery is None:
            self._delivery = self.hop.deliver(self._mail, self._client, self.accepted, self._lacking)
        self._delivery.rcpt(self._recipient, patience, self._hop_answered)

    def _lacking(self, extension: str) -> Reply:
        """Say that no next hop takes what the mail needs, once each has said no; until then the sender comes again."""
        route = self._listening.routes.find(self._recipient.domain) if self._recipient is not None else None
        never, not_now = LACKING[extension]
        return never if route is not None and all(hop.takes(extension) is False for hop in route.hops) else not_now

    def _hop_answered(self, answer: Answer) -> None:
        try:
            self._pass_on(answer)
        except Exception as error:  # noqa: BLE001 - the next hop's connection is not to blame
            self._failed(error)

    def _pass_on(self, answer: Answer) -> None:
        assert self.hop is not None
        name = self.hop.name
        if answer.down and not self.accepted:
            self.leave()
            self.hop = None
            self._try_next(answer, name)
        elif answer.reply.positive:
            assert self._recipient is not None
            self.accepted.append(self._recipient)
            self._answer(answer.reply)
        else:
            self.erred = True
            self._refuse(answer.reply, _REFUSED.get(answer.about, "refused by the next hop"), name)

    def _refuse(self, reply: Reply, reason: str, next_hop: str = "") -> None:
        self._listening.refuse(
            "recipient",
            reason,
            reply,
            self._client,
            reverse_path=str(self._mail.sender or ""),
            forward_path=str(self._recipient),
            next_hop=next_hop,
        )
        self._answer(reply)
