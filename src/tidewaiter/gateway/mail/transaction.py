"""One transaction: its recipients, asked for as they come; its content, kept; its answer, which comes last.

The client hears 250 only after the next hop said so. Each transaction has one record, however it ends.
Whatever the way out, the next hop is left without a trace of what was not delivered.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from tidewaiter.delivery.delivery import Outcome
from tidewaiter.gateway.mail.examiner import Question
from tidewaiter.gateway.mail.listening import Listening
from tidewaiter.gateway.mail.received import FIELD_LIMIT, received
from tidewaiter.gateway.mail.recipients import Recipients
from tidewaiter.gateway.mail.stage import Stage
from tidewaiter.gateway.mail.waiting import Waiting
from tidewaiter.gateway.mail.worker_context import WorkerContext
from tidewaiter.gateway.record.outcomes import abandoned_name, outcome_name, queue_id
from tidewaiter.message.header import HeaderSection
from tidewaiter.model.address import Address
from tidewaiter.model.client import Client
from tidewaiter.model.envelope import Mail
from tidewaiter.model.reply import Reply
from tidewaiter.store import records
from tidewaiter.store.spool import Spool
from tidewaiter.store.told import is_full, told
from tidewaiter.wire import replies
from tidewaiter.wire.body import Body

LONG_HEADER: Final = Reply(552, "5.3.4", ("The header section is too big",))
LOOP: Final = Reply(554, "5.4.6", ("Too many Received fields: this message goes round in a loop",))
NO_ROOM: Final = Reply(452, "4.3.1", ("No room for this message now, come again",))
NOT_KEPT: Final = Reply(451, "4.3.0", ("The message cannot be kept now, come again",))
"""The disk said no, and not because it is full."""
TOO_LATE: Final = Reply(451, "4.4.2", ("The next hop takes too long to answer, come again",))
FAULT: Final = Reply(451, "4.3.0", ("Internal error, come again",))
GONE: Final = Reply(451, "4.4.2", ("The client left before the reply",))
"""For the record alone: nobody is left to hear it."""


class Transaction:
    """From MAIL to the reply."""

    __slots__ = (
        "_client",
        "_header",
        "_listening",
        "_opening",
        "_reader",
        "_recipients",
        "_session",
        "_slot",
        "_spool",
        "_stage",
        "id",
        "mail",
        "started",
    )

    def __init__(self, session: Waiting, listening: Listening, client: Client, mail: Mail) -> None:
        """Begin; nothing is asked of anybody yet."""
        worker = listening.worker
        worker.transactions.add(self)
        self.id = worker.recorder.new_id()
        self.mail = mail.grown(FIELD_LIMIT)
        self._client = client
        self.started = worker.loop.time()
        self._session: Waiting | None = session
        self._listening = listening
        self._recipients = Recipients(listening, self.mail, client, self._answer, self.failed)
        self._spool: Spool | None = None
        self._header = HeaderSection(listening.limits.header_size)
        self._reader: Body | None = None
        self._opening = ""
        self._slot: int | None = None
        self._stage = Stage.ENVELOPE

    @property
    def behind(self) -> bool:
        """Tell whether the client should wait for our disk."""
        return self._spool is not None and self._spool.behind

    @property
    def erred(self) -> bool:
        """Tell whether a next hop said no to its sender or a recipient."""
        return self._recipients.erred

    def rcpt(self, recipient: Address) -> None:
        """Ask for this recipient; the answer goes to the session."""
        self._recipients.ask(recipient)

    def _answer(self, reply: Reply) -> None:
        if self._session is not None:
            self._session.answer(reply)

    # The content.

    def begin(self) -> Reply:
        """Make room for the content, or say that there is none."""
        worker = self._listening.worker
        lack = worker.room.lack(self.mail.size or 0)
        if lack is not None:
            worker.lacks(lack)
            said = _no_room(worker.room.trouble)
            self._give_up(said, "deferred")
            return said
        self._stage = Stage.CONTENT
        self._spool = Spool(worker.room, self._caught_up)
        return replies.GO_AHEAD

    def content(self, content: bytes) -> None:
        """Take the next piece, once for all who want to know it."""
        assert self._spool is not None
        self._spool.write(content)
        self._header.feed(content)

    def _caught_up(self) -> None:
        try:
            if self._stage is Stage.JUDGING:
                self._send_when_complete()
            elif self._session is not None:
                self._session.regulate()
        except Exception as error:  # noqa: BLE001 - the file thread has no answer for the client
            self.failed(error)

    # The end.

    def end(self, reader: Body, opening: str) -> None:
        """Judge, hand over, and answer when the next hop has answered; `opening` is that of our Received field."""
        self._stage = Stage.JUDGING
        self._reader = reader
        self._opening = opening
        refusal = self._refusal()
        if refusal is None:
            self._send_when_complete()
        else:
            self._recipients.leave()
            self.outcome(Outcome(refusal))

    def _refusal(self) -> Reply | None:
        assert self._spool is not None
        if self._header.too_big:
            return LONG_HEADER
        if self._header.received > self._listening.limits.received_fields:
            return LOOP
        return _no_room(self._spool.trouble) if self._spool.failed else None

    def _send_when_complete(self) -> None:
        spool = self._spool
        assert spool is not None
        spool.flush()
        if spool.failed:
            self._recipients.leave()
            self.outcome(Outcome(_no_room(spool.trouble)))
        elif spool.complete:
            self._stage = Stage.SENDING
            trace = received(self._opening, self.id, self._recipients.accepted, time.time())
            self._recipients.send(trace, spool, self)

    # What the delivery calls.

    def ending(self) -> None:
        """The last byte is about to leave: if we die before our reply, whoever survives is to name this message."""
        self._stage = Stage.ENDING
        self._slot = self._listening.worker.doubts.begin(self.id)

    def outcome(self, outcome: Outcome) -> None:
        """Answer the client, if it still waits, then remember what became of the message."""
        if self._stage is Stage.OVER:
            return  # it was cut, and is told
        try:
            self._end(outcome)
        except Exception as error:  # noqa: BLE001 - the next hop's connection is not to blame
            self.failed(error)

    def _end(self, outcome: Outcome) -> None:
        said = outcome.reply
        if said.positive:
            said = Reply(250, "2.0.0", (f"Ok: {self.id}",))
        session, self._session = self._session, None
        heard = session is not None and not session.finished
        if session is not None:
            session.finish(said)
        if not heard and self._stage is Stage.ENDING:
            # Gone, or sending no more: a program that died looks like one that still listens, and comes again.
            doubtful = outcome.doubtful or outcome.reply.positive
            outcome = Outcome(outcome.reply, outcome.hop_reply, doubtful=doubtful)
        self._record(said, outcome, outcome_name(said, outcome))
        self._close()

    def refused(self, reader: Body, reply: Reply) -> None:
        """The content was refused as it came, and the client has its reply."""
        self._reader = reader
        self._give_up(reply, outcome_name(reply, Outcome(reply)))

    def abandon(self, said: Reply) -> None:
        """The client gave it up, or is gone, or was sent away; `said` is what it heard at the end."""
        self._session = None
        _REACTIONS[self._stage].departure(self, said)

    def failed(self, error: Exception) -> None:
        """Something of ours went wrong: say so, answer the client, and give back all that is held."""
        worker, session = self._listening.worker, self._session
        worker.fault(f"transaction {self.id}", error)
        if session is not None and self._stage is not Stage.ENDING:
            session.fail()  # which abandons this
            return
        self._session = None
        try:
            self.cut(FAULT)
        except Exception as another:  # noqa: BLE001 - what cannot be recorded is given back all the same
            worker.fault(f"transaction {self.id}", another)
        if session is not None:
            session.fail()

    def cut(self, said: Reply) -> None:
        """End it now, though its last byte may have left: then it may come twice."""
        _REACTIONS[self._stage].cut(self, said)

    def too_late(self) -> None:
        """Let the client hear 451 while it still listens; what has left goes on, and may come twice."""
        _REACTIONS[self._stage].too_late(self)

    # What those do, by the stage: see `_REACTIONS`.

    def _answer_for_recipient(self) -> None:
        self._recipients.too_late(TOO_LATE)

    def _answer_for_message(self) -> None:
        """Answer the client; the next hop goes on."""
        session, self._session = self._session, None
        assert session is not None
        session.finish(TOO_LATE)

    def _answer_and_give_up(self) -> None:
        self._answer_for_message()
        self._give_up(TOO_LATE, "deferred", late=True)

    def _leave(self, said: Reply) -> None:
        begun = self._stage is not Stage.ENVELOPE
        self._give_up(said, abandoned_name(said, begun=begun, gone=said is GONE))

    def _end_untold(self, said: Reply) -> None:
        self._give_up(said, outcome_name(said, Outcome(said)))

    def _end_doubtful(self, said: Reply) -> None:
        """Write down that it may come twice."""
        try:
            outcome = Outcome(said, doubtful=True)
            self._record(said, outcome, outcome_name(said, outcome))
        finally:
            self._close()

    def _go_on(self, _said: Reply) -> None:
        """Wait for the next hop's reply, for the log."""

    def _give_up(self, said: Reply, name: records.Outcome, *, late: bool = False) -> None:
        """Take it back from the next hop, and end."""
        try:
            self._recipients.leave(late=late)
            self._record(said, Outcome(said), name)
        finally:
            self._close()

    def _close(self) -> None:
        worker = self._listening.worker
        self._stage = Stage.OVER
        worker.transactions.discard(self)
        if self._spool is not None:
            if self._spool.trouble is not None:
                place = f"{worker.settings.store.path}/spool"
                worker.recorder.log.error("spool fails", id=self.id, **told(self._spool.trouble, place))
            if self._spool.lack is not None:
                worker.lacks(self._spool.lack)
            self._spool.close()
        # Both know us: a circle would keep the message until the collector comes by, and memory that is
        # not used again at once is memory that the processor has to fetch.
        self._recipients.close()
        self._spool = None
        if self._slot is not None:
            # Not before the reply and the log line have left, at the end of this turn of the loop: killed
            # in between, the sender would come again for a message that nobody named.
            worker.loop.call_soon(worker.doubts.end, self._slot)
            self._slot = None

    def _record(self, said: Reply, outcome: Outcome, name: records.Outcome) -> None:
        worker, recipients, reader = self._listening.worker, self._recipients, self._reader
        oddities = reader.oddities if reader is not None else ()
        question = None
        if reader is not None and oddities:
            question = Question.about(oddities, reader.windows, at_least=reader.at_least)
        record = records.Transaction(
            time=datetime.now(UTC),
            id=self.id,
            outcome=name,
            reply=str(said),
            listener=self._listening.name,
            client=self._client.address,
            helo=self._client.hello,
            tls=self._client.tls,
            reverse_path=str(self.mail.sender or ""),
            recipients=tuple([str(each) for each in recipients.accepted]),
            size=self._spool.size if self._spool is not None else 0,
            seconds=round(worker.loop.time() - self.started, 6),
            next_hop=recipients.hop.name if recipients.hop is not None else "",
            next_hop_reply=outcome.hop_reply,
            queue_id=queue_id(outcome.hop_reply),
            oddities=dict(Counter(odd.kind.value for odd in oddities)) if oddities else {},
            findings=(question.unread,) if question is not None else (),
        )
        worker.recorder.transaction(record)
        if question is not None:
            _examine(worker, record, question)


class _Reactions(NamedTuple):
    """What ends a transaction, and what it does in one stage."""

    too_late: Callable[[Transaction], None]
    """The client would not wait any longer for an answer."""
    departure: Callable[[Transaction, Reply], None]
    """The client gave it up, or is gone, or was sent away."""
    cut: Callable[[Transaction, Reply], None]
    """This process ends, or something of ours went wrong."""


def _is_over(_self: Transaction, _said: Reply) -> None:
    """It has its record."""


_NEVER: Final = Transaction._answer_and_give_up  # nothing is asked in this stage; if it were, that would be right
_REACTIONS: Final[Mapping[Stage, _Reactions]] = {
    Stage.ENVELOPE: _Reactions(Transaction._answer_for_recipient, Transaction._leave, Transaction._end_untold),
    Stage.CONTENT: _Reactions(_NEVER, Transaction._leave, Transaction._end_untold),
    Stage.JUDGING: _Reactions(Transaction._answer_and_give_up, Transaction._leave, Transaction._end_untold),
    Stage.SENDING: _Reactions(Transaction._answer_and_give_up, Transaction._leave, Transaction._end_untold),
    Stage.ENDING: _Reactions(Transaction._answer_for_message, Transaction._go_on, Transaction._end_doubtful),
    Stage.OVER: _Reactions(_NEVER, _is_over, _is_over),
}
"""A refusal of ours takes it back wherever it stands: it is made in CONTENT and JUDGING, and never later."""


def _no_room(trouble: Exception | None) -> Reply:
    """Say that there is no room only where that is why: a disk that is broken may be so for long."""
    return NO_ROOM if trouble is None or is_full(trouble) else NOT_KEPT


def _examine(worker: WorkerContext, record: records.Transaction, question: Question) -> None:
    """Remember what others would have read in it, once the examiner has said so."""

    def add(found: tuple[records.Finding, ...]) -> None:
        if found != record.findings:
            worker.recorder.findings(records.Findings(time=datetime.now(UTC), id=record.id, findings=found))

    worker.examiner.ask(question, add)
