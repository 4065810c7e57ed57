"""Every sequence of commands to length 5, with every outcome, against a model of the envelope (promise 5).

Two sequences that leave the server and the model equal have equal futures, so only one of them is followed: that
covers all sequences without walking each. The model knows nothing of the server's table.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pytest

from tests.conftest import Count
from tests.wire.talk import SERVICE, Talk
from tidewaiter.lines.header import HeaderWriter
from tidewaiter.lines.reader import Reader
from tidewaiter.model.reply import Reply
from tidewaiter.wire import State, replies
from tidewaiter.wire.body import Body

LATER, NEVER = Reply(451, "4.3.0", ("Later",)), Reply(550, "5.7.1", ("Never",))
FAKE = b"x\r\n.\r\nMAIL FROM:<evil@client.test>\r\n"
SENDER, RECIPIENT = "a@client.test", "b@inside.test"


@dataclass(frozen=True)
class Model:
    """What an honest reader of RFC 5321, 3030 and 3207 keeps in mind about one client."""

    hello: str = ""
    tls: bool = False
    sender: bool = False
    recipients: int = 0
    chunks: int = 0
    closed: bool = False
    delivered: tuple[tuple[int, int], ...] = ()
    """Recipients and chunks of each accepted message."""

    def over(self) -> "Model":
        return replace(self, sender=False, recipients=0, chunks=0)

    def place(self, *, recipient: bool) -> str:
        """Why MAIL has to come, or what it is missing; empty where content may begin."""
        if not self.hello or not self.sender:
            return "503"
        return "554" if recipient and not self.recipients else ""


class Move(NamedTuple):
    """What the client sends, what the application answers, and what must come of it."""

    wire: tuple[bytes, ...]
    answers: tuple[Reply, ...]
    judge: Callable[[Model], tuple[str, Model]]


def _hello(verb: str) -> Move:
    return Move((verb.encode() + b" c\r\n",), (), lambda m: ("250", replace(m.over(), hello=verb)))


def _fixed(line: bytes, code: str) -> Move:
    return Move((line + b"\r\n",), (), lambda m: (code, m))


def _mail(answer: Reply) -> Move:
    def judge(m: Model) -> tuple[str, Model]:
        if not m.hello or m.sender:
            return "503", m
        return str(answer.code), replace(m, sender=answer.positive)

    return Move((b"MAIL FROM:<a@client.test>\r\n",), (answer,), judge)


def _rcpt(answer: Reply) -> Move:
    def judge(m: Model) -> tuple[str, Model]:
        if m.place(recipient=False) or m.chunks:
            return "503", m
        return str(answer.code), replace(m, recipients=m.recipients + answer.positive)

    return Move((b"RCPT TO:<b@inside.test>\r\n",), (answer,), judge)


def _data(start: Reply, content: bytes = b"", end: Reply = replies.OK, *, refused: str = "") -> Move:
    def judge(m: Model) -> tuple[str, Model]:
        wrong = m.place(recipient=True) or ("503" if m.chunks else "")
        if wrong:
            return wrong, m.over()
        if not start.positive:
            return str(start.code), m.over()
        if refused:
            return f"354 {refused}", replace(m.over(), closed=True)
        done = (*m.delivered, (m.recipients, 0)) if end.positive else m.delivered
        return f"354 {end.code}", replace(m.over(), delivered=done)

    return Move((b"DATA\r\n", content), (start, end), judge)


def _bdat(start: Reply, end: Reply = replies.OK, *, last: bool) -> Move:
    def judge(m: Model) -> tuple[str, Model]:
        wrong = m.place(recipient=True) or ("" if m.hello == "EHLO" else "502")
        if wrong or (not m.chunks and not start.positive):
            return wrong or str(start.code), m.over()
        if last and end.positive:
            return "250", replace(m.over(), delivered=(*m.delivered, (m.recipients, m.chunks + 1)))
        return str(end.code), replace(m, chunks=m.chunks + 1) if end.positive else m.over()

    wire = b"BDAT %d%s\r\n" % (len(FAKE), b" LAST" if last else b"") + FAKE
    return Move((wire,), (start, end), judge)


def _rset(m: Model) -> tuple[str, Model]:
    return "250", m.over()


def _starttls(m: Model) -> tuple[str, Model]:
    if not m.hello or m.sender or m.tls:
        return "503", m
    return ("220", replace(m, hello="", tls=True)) if m.hello == "EHLO" else ("502", m)


def _vrfy(m: Model) -> tuple[str, Model]:
    return ("252" if m.hello else "503"), m


def _quit(m: Model) -> tuple[str, Model]:
    return "221", replace(m.over(), closed=True)


MOVES: dict[str, Move] = {
    "EHLO": _hello("EHLO"),
    "HELO": _hello("HELO"),
    "EHLO nothing": _fixed(b"EHLO", "501"),
    "NOOP": _fixed(b"NOOP", "250"),
    "EXPN": _fixed(b"EXPN x", "502"),
    "unknown": _fixed(b"TURN", "500"),
    "VRFY": Move((b"VRFY x\r\n",), (), _vrfy),
    "RSET": Move((b"RSET\r\n",), (), _rset),
    "STARTTLS": Move((b"STARTTLS\r\n",), (), _starttls),
    "QUIT": Move((b"QUIT\r\n",), (), _quit),
    **{f"MAIL {answer.code}": _mail(answer) for answer in (replies.SENDER_OK, LATER, NEVER)},
    **{f"RCPT {answer.code}": _rcpt(answer) for answer in (replies.RECIPIENT_OK, LATER, NEVER)},
    **{f"DATA {answer.code}": _data(answer) for answer in (LATER, NEVER)},
    **{f"DATA 354 {end.code}": _data(replies.GO_AHEAD, b"x\r\n.\r\n", end) for end in (replies.OK, LATER, NEVER)},
    "DATA odd": _data(replies.GO_AHEAD, b"x\n.\r\nQUIT\r\n.\r\n", refused="550"),
    **{f"BDAT {answer.code}": _bdat(answer, last=False) for answer in (LATER, NEVER)},
    **{f"BDAT ok {end.code}": _bdat(replies.GO_AHEAD, end, last=False) for end in (replies.OK, LATER, NEVER)},
    **{f"BDAT LAST {end.code}": _bdat(replies.GO_AHEAD, end, last=True) for end in (replies.OK, LATER, NEVER)},
    "BDAT LAST refused": _bdat(LATER, last=True),
}


@dataclass
class Run:
    """One sequence, played on a fresh server."""

    talk: Talk = field(default_factory=lambda: Talk(SERVICE))
    codes: str = ""

    def play(self, move: Move, model: Model) -> None:
        """Send the move; answers that no question took are dropped, so that no later move finds them."""
        self.talk.server.output()
        said = b""
        self.talk.answers.extend(self._answers(move, model))
        for packet in move.wire:
            # Behind a refused DATA an honest client sends no content.
            if packet is move.wire[0] or self.talk.server.state is State.CONTENT:
                said += self.talk.say(packet)
        self.talk.answers.clear()
        if self.talk.server.state is State.HANDSHAKE:
            self.talk.server.started_tls()
        lines = said.decode().splitlines()
        self.codes = " ".join(line[:3] for line in lines if line[3] == " ")

    @staticmethod
    def _answers(move: Move, model: Model) -> tuple[Reply, ...]:
        """A second chunk is not asked for again: only its end is."""
        return move.answers[1:] if model.chunks and move.wire[0].startswith(b"BDAT") else move.answers

    def key(self) -> tuple[object, ...]:
        """All that the server knows."""
        server = self.talk.server
        names = (name for cls in type(server).__mro__ for name in getattr(cls, "__slots__", ()))
        return tuple(_frozen(getattr(server, name)) for name in names if name != "_events")


def _frozen(value: object) -> object:
    if isinstance(value, HeaderWriter):
        return value.state, value.odd
    if isinstance(value, Reader):
        return value._state, value.offset, value.oddities
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, Body):
        return tuple(_frozen(getattr(value, name)) for name in Body.__slots__)
    return value


@pytest.mark.interpreted
def test_no_sequence_of_commands_leaves_an_envelope_behind(count: Count) -> None:
    depth = count("commands in a row, every sequence and outcome", 5, 7)
    seen: set[object] = set()
    front: list[tuple[str, ...]] = [()]
    followed = 0
    for _ in range(depth):
        ahead: list[tuple[str, ...]] = []
        for path in front:
            for name in MOVES:
                run, model = _follow((*path, name))
                followed += 1
                key = (run.key(), model)
                if key not in seen and not model.closed:
                    seen.add(key)
                    ahead.append((*path, name))
        front = ahead
    assert followed > 4_000, "the walk has lost its way"


def _follow(path: tuple[str, ...]) -> tuple[Run, Model]:
    """Play a sequence whose every prefix has been held against the model already, and judge its last move."""
    run, model, expected = Run(), Model(), ""
    for name in path:
        expected, after = MOVES[name].judge(model)
        run.play(MOVES[name], model)
        model = after
    assert run.codes == expected, path
    _compare(run, model, path)
    return run, model


def _compare(run: Run, model: Model, path: tuple[str, ...]) -> None:
    server = run.talk.server
    assert (server.mail is not None, len(server.recipients)) == (model.sender, model.recipients), path
    assert (server.body is not None) == bool(model.chunks), path
    assert run.talk.closed == model.closed, path
    assert (server.tls, server.hello) == (model.tls, "c" if model.hello else ""), path
    whole = [(len(envelope.recipients), content.count(FAKE)) for envelope, content in run.talk.messages]
    assert tuple(whole) == model.delivered, path
    for envelope, content in run.talk.messages:
        assert str(envelope.mail.sender) == SENDER, path
        assert {str(recipient) for recipient in envelope.recipients} == {RECIPIENT}, path
        assert content.removeprefix(b"\r\n") in (b"x\r\n", FAKE * content.count(FAKE)), path
