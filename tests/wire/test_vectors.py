"""Every vector of the catalogue against both sides in memory: each position, DATA and BDAT, cut in every way.

Whole, byte by byte, by every single cut, and at random; `tests/gateway/test_vectors.py` cuts them over sockets.

What is expected is typed in the vector. A content vector stands between two honest messages of one connection; what the
next hop would hold is undone here from what our client writes, by three lines that are not ours to trust.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from tests.conftest import Count
from tests.wire.talk import Talk
from tidewaiter.knowledge.vectors import vectors
from tidewaiter.lines.writer import Writer
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.model.position import STRANGERS_BDAT, STRANGERS_DATA, Position, Positions
from tidewaiter.model.vector import ContentVector, DialogueVector, Outcome, Placed, Step
from tidewaiter.wire import Broken, Client, Early, Limits, Offers, Replied, Service, State, Verb

OFFERS = Offers(pipelining=True, eight_bit=True, utf8=True, chunking=True, starttls=True)
PLACES: dict[Placed, tuple[Positions, Positions]] = {
    "note": (Positions(*[Position.NOTE] * 4), Positions(*[Position.NOTE] * 4)),
    "repair": (Positions(*[Position.REPAIR] * 4), Positions(*[Position.REPAIR] * 4)),
    "refuse": (Positions(*[Position.REFUSE] * 4), Positions(*[Position.REFUSE] * 4)),
    "strangers": (STRANGERS_DATA, STRANGERS_BDAT),
}
ENVELOPE = b"MAIL FROM:<honest@outside.example>\r\nRCPT TO:<rcpt@inside.test>\r\n"
HONEST = b"Subject: honest\r\n\r\n..dots\r\n"
CONTENT = [vector for vector in vectors().values() if isinstance(vector, ContentVector)]
DIALOGUES = [vector for vector in vectors().values() if isinstance(vector, DialogueVector)]


def _talk(placed: Placed, size: int | None = None) -> Talk:
    data, bdat = PLACES[placed]
    limits = Limits() if size is None else Limits(size=size)
    talk = Talk(Service("mx.test", OFFERS, limits, data, bdat))
    talk.say(b"EHLO client.outside.example\r\n")
    return talk


def _cuts(wire: bytes, most: int, at_random: int) -> list[Sequence[int]]:
    """Whole, byte by byte, single cuts (beside CR, LF, NUL and dot first, then the others), and several at random."""
    odd = set(b"\r\n\0.")
    places = sorted(range(1, len(wire)), key=lambda at: not odd & set(wire[at - 1 : at + 1]))
    beside = [at for at in places if odd & set(wire[at - 1 : at + 1])]
    rng = random.Random(wire)  # noqa: S311  # repeatable is what is wanted
    # Half of them beside what matters, for else they would lie in long lines.
    several = [rng.sample((beside, places)[number % 2], rng.randint(0, len(beside))) for number in range(at_random)]
    return [(), range(1, len(wire)), *((at,) for at in places[:most]), *map(sorted, several)]


def _cut(wire: bytes, cuts: Sequence[int]) -> Iterator[bytes]:
    edges = [0, *cuts, len(wire)]
    return (wire[start:end] for start, end in pairwise(edges))


def _send_honest(talk: Talk) -> None:
    before = len(talk.messages)
    talk.say(ENVELOPE + b"DATA\r\n")
    assert talk.say(HONEST + b".\r\n").startswith(b"250 ")
    assert talk.messages[before][1] == HONEST.replace(b"\r\n..", b"\r\n.")


def _at_the_next_hop(content: bytes) -> bytes:
    """What is held by a next hop that reads what we write: up to the first end, and there is no second."""
    writer = Writer()
    wire = b"\r\n" + writer.write(content) + writer.finish()
    end = wire.find(b"\r\n.\r\n")
    assert end == len(wire) - 5, "a second end"
    return wire[: end + 2].replace(b"\r\n.", b"\r\n")[2:]


@pytest.mark.parametrize("placed", PLACES)
@pytest.mark.parametrize("verb", ["DATA", "BDAT"])
@pytest.mark.parametrize("vector", CONTENT, ids=lambda vector: vector.name)
def test_content_comes_to_what_its_vector_says(vector: ContentVector, verb: str, placed: Placed, count: Count) -> None:
    counted = verb == "BDAT"
    outcomes = vector.bdat if counted else vector.data
    if outcomes is None:
        return
    most = count("single cuts of each content, position, DATA and BDAT", 6, 100_000)
    several = count("random cuts of each content, position, DATA and BDAT", 2, 100)
    outcome: Outcome = getattr(outcomes, placed)
    for cuts in _cuts(vector.content + (b"" if counted else b".\r\n"), most, several):
        talk = _talk(placed)
        _send_honest(talk)
        assert talk.say(ENVELOPE).count(b"250 ") == 2
        said = _send_chunks(talk, vector.content, cuts) if counted else _send_data(talk, vector.content, cuts)
        assert said.startswith(outcome.reply.encode()), (said, cuts)
        _judge(talk, outcome)


def _send_data(talk: Talk, content: bytes, cuts: Sequence[int]) -> bytes:
    assert talk.say(b"DATA\r\n").startswith(b"354 ")
    said = b"".join([talk.say(packet) for packet in _cut(content + b".\r\n", cuts)])
    assert said.count(b"\r\n") == 1, said
    return said


def _send_chunks(talk: Talk, content: bytes, cuts: Sequence[int]) -> bytes:
    """A single cut makes two chunks; byte by byte and at random it is one chunk in as many packets."""
    if len(cuts) != 1:
        return b"".join([talk.say(part) for part in _cut(b"BDAT %d LAST\r\n" % len(content) + content, cuts)])
    first, last = _cut(content, cuts)
    said = talk.say(b"BDAT %d\r\n" % len(first) + first)
    if not said.startswith(b"250 "):
        return said
    return talk.say(b"BDAT %d LAST\r\n" % len(last) + last)


def _judge(talk: Talk, outcome: Outcome) -> None:
    assert talk.closed == outcome.closed
    delivered = [_at_the_next_hop(content) for _, content in talk.messages[1:]]
    if outcome.delivered is None:
        assert delivered == []
    else:
        ended = outcome.delivered.endswith(b"\r\n") or not outcome.delivered
        assert delivered == [outcome.delivered if ended else outcome.delivered + b"\r\n"]
    if outcome.closed:
        assert talk.say(ENVELOPE) == b""
    else:
        _send_honest(talk)


@pytest.mark.parametrize("placed", PLACES)
@pytest.mark.parametrize(
    "vector", [vector for vector in DIALOGUES if vector.side == "client"], ids=lambda vector: vector.name
)
def test_a_client_comes_to_what_its_vector_says(vector: DialogueVector, placed: Placed, count: Count) -> None:
    if placed not in vector.positions:
        return
    most = count("single cuts of each step of a dialogue", 6, 100_000)
    several = count("random cuts of each step of a dialogue", 2, 100)
    longest = max(vector.steps, key=lambda step: len(step.send)).send
    for cuts in _cuts(longest, most, several):
        talk = Talk(greeted=False) if vector.early else _talk(placed, vector.size_limit)
        for step in vector.steps:
            kept = _may_be(step, cuts)
            said = b"".join([talk.say(packet) for packet in _cut(step.send, kept)])
            if step.tls:
                talk.server.started_tls()
            replies = [line for line in said.split(b"\r\n")[:-1] if line[3:4] == b" "]
            assert len(replies) == len(step.expect), (said, kept)
            for reply, expected in zip(replies, step.expect, strict=True):
                assert reply.startswith(expected.encode()), (said, kept)
            assert talk.closed == step.closed, kept
        wanted = [(delivery.sender, delivery.recipients, delivery.content) for delivery in vector.deliveries]
        assert [
            (str(envelope.mail.sender), tuple(map(str, envelope.recipients)), _at_the_next_hop(content))
            for envelope, content in talk.messages
        ] == wanted


def _may_be(step: Step, cuts: Sequence[int]) -> list[int]:
    return [at for at in cuts if at < len(step.send) and not (step.together and step.send[at - 1] in b"\n")]


@pytest.mark.parametrize(
    "vector", [vector for vector in DIALOGUES if vector.side == "next hop"], ids=lambda vector: vector.name
)
def test_a_next_hop_comes_to_what_its_vector_says(vector: DialogueVector, count: Count) -> None:
    several = count("random cuts of each step of a next hop's dialogue", 20, 1000)
    longest = max(vector.steps, key=lambda step: len(step.send)).send
    for cuts in _cuts(longest, len(longest), several):
        sender = Sender(want_tls="STARTTLS" in vector.needs)
        for step in vector.steps:
            kept = _may_be(step, cuts)
            for packet in _cut(step.send, kept):
                sender.hear(packet)
            lines = sender.client.output().split(b"\r\n")[:-1]
            assert len(lines) == len(step.expect), (lines, kept)
            for line, expected in zip(lines, step.expect, strict=True):
                assert line.startswith(expected.encode()), (lines, kept)
            assert sender.broken == step.closed, kept
            if step.tls:
                sender.client.started_tls()
                sender.client.ehlo()


class Sender:
    """The shortest driver of our client: it has one message, and says the next thing when the last is answered."""

    def __init__(self, *, want_tls: bool) -> None:
        self.client = Client("mx.test")
        self.want_tls = want_tls
        self.broken = False

    def hear(self, packet: bytes) -> None:
        events = self.client.receive(packet)
        self.broken = self.broken or any(isinstance(event, Broken | Early) for event in events)
        for event in events:
            if isinstance(event, Replied) and event.reply.positive and self.client.state is not State.CLOSED:
                self._go_on(event.verb)

    def _go_on(self, verb: Verb) -> None:
        client = self.client
        if verb is Verb.GREETING:
            client.ehlo()
        elif verb is Verb.EHLO and self.want_tls and not client.tls:
            client.starttls()
        elif verb is Verb.EHLO:
            client.mail(Mail(Address("honest", "outside.example")))
            client.rcpt(Address("rcpt", "inside.test"))
        elif verb is Verb.RCPT:
            client.data()
        elif verb is Verb.DATA:
            client.content(HONEST)
            client.end()
