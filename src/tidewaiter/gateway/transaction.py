"""One transaction: its envelope, asked of the next hop as it arrives; its content, kept; its answer, which comes last.

The client hears 250 only after the next hop said so.
Whatever the way out, the next hop is left without a trace of what was not delivered.
"""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import structs

from tidewaiter.delivery.delivery import Answer, Delivery, Hop, Origin, Outcome
from tidewaiter.gateway.examiner import Question
from tidewaiter.gateway.listening import NOT_OURS, Listening
from tidewaiter.gateway.received import FIELD_LIMIT, received
from tidewaiter.gateway.report import outcome_name, queue_id
from tidewaiter.lines.reader import Reader
from tidewaiter.message.header import HeaderSection
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store import records
from tidewaiter.store.spool import Spool
from tidewaiter.wire import replies

if TYPE_CHECKING:
    from tidewaiter.gateway.session import Session

OTHER_HOP: Final = Reply(452, "4.5.3", ("This recipient needs a transaction of its own",))
NO_HOP: Final = Reply(451, "4.4.1", ("No next hop answers, come again",))
LONG_HEADER: Final = Reply(552, "5.3.4", ("The header section is too big",))
LOOP: Final = Reply(554, "5.4.6", ("Too many Received fields: this message goes round in a loop",))
NO_ROOM: Final = Reply(452, "4.3.1", ("No room for this message now, come again",))
TOO_LATE: Final = Reply(451, "4.4.2", ("The next hop takes too long to answer, come again",))
GONE: Final = Reply(451, "4.4.2", ("The client left before the reply",))
"""For the record alone: nobody is left to hear it."""


class Transaction:
    """From MAIL to the reply."""

    __slots__ = (
        "_accepted",
        "_answered",
        "_candidates",
        "_delivery",
        "_header",
        "_hop",
        "_listening",
        "_opening",
        "_reader",
        "_recipient",
        "_session",
        "_slot",
        "_spool",
        "id",
        "mail",
        "origin",
        "started",
        "tls",
    )

    def __init__(self, session: "Session", listening: Listening, origin: Origin, mail: Mail, tls: str) -> None:
        """Begin; nothing is asked of anybody yet."""
        station = listening.station
        station.under_way += 1
        self.id = station.recorder.new_id()
        self.mail = mail if mail.size is None else mail._replace(size=mail.size + FIELD_LIMIT)
        self.origin = origin
        self.tls = tls
        self.started = station.loop.time()
        self._session: Session | None = session
        self._listening = listening
        self._accepted: list[str] = []
        self._candidates: Iterator[Hop] = iter(())
        self._recipient: Address | None = None
        self._hop: Hop | None = None
        self._delivery: Delivery | None = None
        self._spool: Spool | None = None
        self._header = HeaderSection(listening.limits.header_size)
        self._reader: Reader | None = None
        self._opening = ""
        self._slot: int | None = None

    @property
    def behind(self) -> bool:
        """Tell whether the client should wait for our disk."""
        return self._spool is not None and self._spool.behind

    # The envelope.

    def rcpt(self, recipient: Address) -> None:
        """Ask the next hop for this recipient, and pass its reply on."""
        route = self._listening.routes.find(recipient.domain)
        self._recipient = recipient
        if route is None:
            self._answer_recipient(NOT_OURS, "relay denied")
        elif not self._accepted:
            self._candidates = iter(route.hops)
            self._try_next(NO_HOP)
        elif self._hop is None or self._hop.one_recipient or self._hop not in route.hops:
            # One message can have one answer: what one hop takes and another refuses could not be told apart.
            self._answer_recipient(OTHER_HOP, "other next hop")
        else:
            self._ask()

    def _try_next(self, otherwise: Reply) -> None:
        hop = next(self._candidates, None)
        if hop is None:
            self._answer_recipient(otherwise, "next hop down")
            return
        if hop is not self._hop:
            self._leave_hop()
            self._hop = hop
        self._ask()

    def _ask(self) -> None:
        assert self._hop is not None
        assert self._recipient is not None
        if self._delivery is None:
            self._delivery = self._hop.deliver(self.mail, self.origin)
        self._delivery.rcpt(self._recipient, self._hop_answered)

    def _hop_answered(self, answer: Answer) -> None:
        if answer.down and not self._accepted:
            self._leave_hop()
            self._try_next(answer.reply)
        elif answer.reply.positive:
            assert self._recipient is not None
            self._accepted.append(str(self._recipient))
            self._answer_recipient(answer.reply, "")
        else:
            self._answer_recipient(answer.reply, "refused by the next hop")

    def _leave_hop(self) -> None:
        if self._delivery is not None:
            self._delivery.abandon()
        self._delivery = self._hop = None

    def _answer_recipient(self, reply: Reply, reason: str) -> None:
        if reason:
            self._listening.refuse(
                "recipient",
                reason,
                reply=str(reply),
                client=self.origin.address,
                helo=self.origin.hello,
                reverse_path=str(self.mail.sender or ""),
                forward_path=str(self._recipient),
            )
        if self._session is not None:
            self._session.answer(reply)

    # The content.

    def begin(self) -> Reply:
        """Make room for the content, or say that there is none."""
        room = self._listening.station.room
        if not room.has_room(self.mail.size or self._listening.limits.message_size):
            self.abandon()
            return NO_ROOM
        self._spool = Spool(room, self._caught_up)
        return replies.GO_AHEAD

    def content(self, content: bytes) -> None:
        """Take the next piece, once for all who want to know it."""
        assert self._spool is not None
        self._spool.write(content)
        self._header.feed(content)

    def _caught_up(self) -> None:
        if self._reader is not None:
            self._send_when_complete()
        elif self._session is not None:
            self._session.regulate()

    # The end.

    def end(self, reader: Reader, opening: str) -> None:
        """Judge, hand over, and answer when the next hop has answered; `opening` is that of our Received field."""
        self._reader = reader
        self._opening = opening
        refusal = self._refusal()
        if refusal is None:
            self._send_when_complete()
        else:
            self._give_up()
            self.outcome(Outcome(refusal))

    def _refusal(self) -> Reply | None:
        assert self._spool is not None
        if self._header.too_big:
            return LONG_HEADER
        if self._header.received > self._listening.limits.received_fields:
            return LOOP
        return NO_ROOM if self._spool.failed else None

    def _send_when_complete(self) -> None:
        spool = self._spool
        assert spool is not None
        assert self._delivery is not None
        spool.flush()
        if spool.failed:
            self._give_up()
            self.outcome(Outcome(NO_ROOM))
        elif spool.complete:
            self._delivery.send(received(self._opening, self.id, self._accepted, time.time()), spool, self)

    # What the delivery calls.

    def ending(self) -> None:
        """The last byte is about to leave: if we die before our reply, whoever survives is to name this message."""
        self._slot = self._listening.station.doubts.begin(self.id)

    def outcome(self, outcome: Outcome) -> None:
        """Answer the client, if it still waits, then remember what became of the message."""
        said = outcome.reply
        if said.positive:
            said = Reply(250, "2.0.0", (f"Ok: {self.id}",))
        session, self._session = self._session, None
        if session is not None:
            session.finish(said)
        elif self._slot is not None:
            outcome = outcome._replace(doubtful=outcome.doubtful or outcome.reply.positive)
        self._record(said, outcome)
        self._close()

    def refused(self, reader: Reader, reply: Reply) -> None:
        """The content was refused as it came, and the client has its reply."""
        self._reader = reader
        self._give_up()
        self._record(reply, Outcome(reply))
        self._close()

    def abandon(self) -> None:
        """The client gave it up, or is gone."""
        self._session = None
        if self._slot is not None:
            return
        self._give_up()
        if self._spool is not None:
            self._record(GONE, Outcome(GONE))
        self._close()

    def too_late(self) -> None:
        """Let the client hear 451 while it still listens; what has left goes on, and may come twice."""
        session, self._session = self._session, None
        assert session is not None
        if self._reader is None:
            # The delivery still knows who was accepted before; without it they would be forgotten behind our 250.
            self._session = session
            if self._delivery is not None:
                self._delivery.abandon()
            self._answer_recipient(TOO_LATE, "next hop too slow")
            return
        session.finish(TOO_LATE)
        if self._slot is None:
            self._give_up()
            self._record(TOO_LATE, Outcome(TOO_LATE))
            self._close()

    def _give_up(self) -> None:
        if self._delivery is not None:
            self._delivery.abandon()
            self._delivery = None

    def _close(self) -> None:
        station = self._listening.station
        station.under_way -= 1
        if self._spool is not None:
            self._spool.close()
        # Each of the two knows us: a circle would keep the message until the collector comes by, and memory that is
        # not used again at once is memory that the processor has to fetch.
        self._delivery = self._spool = None
        if self._slot is not None:
            # Not before the reply and the log line have left, at the end of this turn of the loop: killed
            # in between, the sender would come again for a message that nobody named.
            station.loop.call_soon(station.doubts.end, self._slot)

    def _record(self, said: Reply, outcome: Outcome) -> None:
        station = self._listening.station
        reader = self._reader
        oddities = reader.oddities if reader is not None else ()
        record = records.Transaction(
            time=datetime.now(UTC),
            id=self.id,
            outcome=outcome_name(said, outcome),
            reply=str(said),
            listener=self._listening.name,
            client=self.origin.address,
            helo=self.origin.hello,
            tls=self.tls,
            reverse_path=str(self.mail.sender or ""),
            recipients=tuple(self._accepted),
            size=self._spool.size if self._spool is not None else 0,
            seconds=round(station.loop.time() - self.started, 6),
            next_hop=self._hop.name if self._hop is not None else "",
            next_hop_reply=outcome.hop_reply,
            queue_id=queue_id(outcome.hop_reply),
            oddities=dict(Counter(odd.kind.value for odd in oddities)) if oddities else {},
        )
        if reader is None or not oddities:
            station.recorder.transaction(record)
            return
        question = Question.about(oddities, reader.windows, at_least=reader.at_least)
        station.examiner.ask(
            question, lambda found: station.recorder.transaction(structs.replace(record, findings=found))
        )
