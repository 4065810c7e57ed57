"""How the bytes between two of our replies were sliced never changes anything (promise 3).

A cut lies between two replies when the server has said nothing yet to what came before it. Where it has, the client
could have read the reply, and what follows is another conversation.
"""

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st

from tests.wire.talk import NO_PIPELINING, SERVICE, Talk
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Mail
from tidewaiter.wire import (
    Client,
    Close,
    ContentStart,
    Event,
    Heard,
    LocalProtocolError,
    MailFrom,
    MessageEnd,
    MessageRefused,
    RcptTo,
    Service,
    State,
)

WORDS = st.sampled_from(
    [
        b"EHLO c\r\n",
        b"HELO c\r\n",
        b"MAIL FROM:<a@b.test>\r\n",
        b"RCPT TO:<b@inside.test>\r\n",
        b"RCPT TO:<bad\r\n",
        b"DATA\r\n",
        b"BDAT 5\r\n",
        b"BDAT 3 LAST\r\n",
        b"BDAT 0\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"STARTTLS\r\n",
        b"QUIT\r\n",
        b".\r\n",
        b"..x\r\n",
        b"\r\n",
        b"\r",
        b"\n",
        b"\0",
        b".",
        b"x" * 990,
    ]
)
GROUPS = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(b"".join), max_size=8)
CUTS = st.lists(st.integers(0, 1100), max_size=6)
OPENING = [b"EHLO c\r\n", b"MAIL FROM:<a@b.test>\r\nRCPT TO:<b@inside.test>\r\n"]
PACKETS = GROUPS | GROUPS.map(lambda packets: [*OPENING, *packets])


def _play(service: Service, packets: list[bytes], cuts: list[int]) -> tuple[object, ...]:
    """Send each packet, cut where the server stays silent; the application answers when the packet is complete."""
    talk, said = Talk(service), b""
    for number, packet in enumerate(packets):
        events, sent = [], 0
        for cut in sorted(cuts):
            if sent < cut < len(packet) and _is_silent(service, packets[:number], packet[:cut]):
                events += talk.server.receive(packet[sent:cut])
                sent = cut
        talk.take(events + talk.server.receive(packet[sent:]))
        said += talk.server.output()
    return said, _told(talk.events), talk.messages, talk.server.state


def _is_silent(service: Service, before: list[bytes], part: bytes) -> bool:
    """Whether a server that has come as far has nothing to say to the first part of a packet."""
    twin = Talk(service)
    for packet in before:
        twin.say(packet)
    twin.server.output()
    twin.server.receive(part)
    return twin.server.output() == b""


def _told(events: list[Event]) -> list[object]:
    """The events, without where blocks were cut.

    What was asked last before the connection was closed has had no answer: where a group may not go on, the question
    has been put by then if the cut lies right behind its command, and has not if the rest came along.
    """
    told: list[object] = []
    for event in events:
        if isinstance(event, Close) and told and isinstance(told[-1], MailFrom | RcptTo | ContentStart):
            told.pop()
        if isinstance(event, MessageEnd | MessageRefused):
            told.append((type(event), event.envelope, event.body.oddities, event.body.offset))
        elif type(event).__name__ != "Content":
            told.append(event)
    return told


@given(service=st.sampled_from([SERVICE, NO_PIPELINING]), packets=PACKETS, cuts=CUTS)
@example(service=SERVICE, packets=[*OPENING, b"DATA\r\n", b"x\n.\r\n.\r\n"], cuts=[1, 2, 3, 4, 5, 6])
@example(service=SERVICE, packets=[*OPENING, b"DATA\r\n", b"..\r\n\r\n.\r\nNOOP\r\n"], cuts=[1, 2, 3, 4, 5, 6, 7, 8])
@example(service=NO_PIPELINING, packets=OPENING, cuts=[22])
@example(service=SERVICE, packets=[b"RSET\rNOOP\r\n"], cuts=[5])
@example(service=SERVICE, packets=[b"RSET\r\r\n"], cuts=[5])
def test_slicing_between_replies_never_changes_the_verdict(
    service: Service, packets: list[bytes], cuts: list[int]
) -> None:
    assert _play(service, packets, cuts) == _play(service, packets, [])


@given(st.binary() | PACKETS.map(b"".join), st.integers(1, 50))
def test_no_bytes_make_the_server_raise_or_hold_more_than_it_may(wire: bytes, size: int) -> None:
    talk = Talk()
    for at in range(0, len(wire), size):
        said = talk.say(wire[at : at + size])
        assert all(_is_reply_line(line) for line in said.split(b"\r\n")[:-1])
        assert said.endswith(b"\r\n") or not said
        assert len(talk.server._unread) - talk.server._at <= SERVICE.limits.line


def _is_reply_line(line: bytes) -> bool:
    return line[:3].isdigit() and line[3:4] in b"- " and line.isascii() and line.decode().isprintable()


REPLIES = st.sampled_from(
    [b"220 a\r\n", b"250 a\r\n", b"250-a\r\n", b"354 a\r\n", b"550 a\r\n", b"421 a\r\n", b"2", b"\r", b"\n", b"x"]
)
COMMANDS = st.lists(st.integers(0, 11), max_size=12)


@given(
    st.lists(REPLIES, max_size=8).map(b"".join) | st.binary(max_size=40),
    COMMANDS,
    st.lists(st.integers(0, 60), max_size=5),
)
def test_slicing_replies_never_changes_what_the_client_reports(
    wire: bytes, commands: list[int], cuts: list[int]
) -> None:
    def run(cuts: list[int]) -> tuple[object, ...]:
        client, events = Client("mx.test"), list[Heard]()
        for command in commands:
            _try(client, command)
        sent = 0
        for cut in [*sorted(cuts), len(wire)]:
            events += client.receive(wire[sent:cut])
            sent = max(sent, cut)
        return events, client.output(), client.state, client.outstanding

    assert run(cuts) == run([])


A = Address("a", "b.test")
SENDS: tuple[Callable[[Client], None], ...] = (
    Client.ehlo,
    Client.rset,
    Client.quit,
    Client.data,
    Client.end,
    Client.starttls,
    Client.started_tls,
    lambda client: client.mail(Mail(A)),
    lambda client: client.rcpt(A),
    lambda client: client.bdat(2),
    lambda client: client.content(b".\r"),
    lambda client: client.xclient({"NAME": "x"}),
)
ALL_OFFERED = b"250-a\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250 XCLIENT NAME\r\n"


def _try(client: Client, command: int) -> None:
    try:
        SENDS[command % len(SENDS)](client)
    except LocalProtocolError:
        return


@given(st.lists(st.integers(0, len(SENDS) - 1) | REPLIES | st.just(ALL_OFFERED) | st.binary(max_size=5), max_size=30))
@example([b"220 a\r\n", 0, ALL_OFFERED, 7, 8, b"550 a\r\n", b"250 a\r\n", 7, b"250 a\r\n"])
def test_no_bytes_make_the_client_raise_or_speak_behind_the_end(steps: list[int | bytes]) -> None:
    client = Client("mx.test")
    for step in steps:
        if isinstance(step, int):
            _try(client, step)
        else:
            closed = client.state is State.CLOSED
            assert not client.receive(step) or not closed
        if client.state is State.CLOSED:
            client.output()
            _try(client, 7)
            assert client.output() == b""


def test_a_message_may_come_byte_by_byte() -> None:
    talk = Talk()
    for byte in b"".join((*OPENING, b"DATA\r\n", b"x\r\n.\r\n", b"QUIT\r\n")):
        talk.say(bytes([byte]))
    [(envelope, content)] = talk.messages
    assert [str(recipient) for recipient in envelope.recipients] == ["b@inside.test"]
    assert content == b"\r\nx\r\n"
    assert talk.closed
