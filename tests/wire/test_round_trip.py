"""Our client against our server: what one sends, the other has, whatever it is."""

from hypothesis import given
from hypothesis import strategies as st

from tests.wire.talk import Talk
from tidewaiter.model.address import Address
from tidewaiter.model.envelope import Envelope, Mail
from tidewaiter.wire import Client, Offers, Replied, Service, State, Verb

PIECES = st.lists(st.sampled_from([b"\r\n", b".", b"..", b"x", b"\xff", b" ", b"\r\n.\r\n", b"QUIT\r\n"]), max_size=12)
LOCALS = st.text(st.sampled_from('ab.@ "\\<>+\u00fc'), min_size=1, max_size=8)
ADDRESSES = st.builds(Address, LOCALS, st.sampled_from(["b.test", "[192.0.2.1]", "\u00fc.test"]))


class Wire:
    """Both sides, and the bytes between them."""

    def __init__(self, offers: Offers) -> None:
        self.talk = Talk(Service("mx.test", offers))
        self.client = Client("out.test")
        self.replied: list[Replied] = []
        self.settle()
        self.client.ehlo()
        self.settle()

    def settle(self) -> None:
        """Carry bytes until both are silent."""
        said = self.talk.server.output()
        while said or (sent := self.client.output()):
            if said:
                for event in self.client.receive(said):
                    assert isinstance(event, Replied)
                    self.replied.append(event)
                said = b""
            else:
                said = self.talk.say(sent)


@given(
    offers=st.builds(
        Offers,
        pipelining=st.booleans(),
        chunking=st.booleans(),
        utf8=st.just(True),  # noqa: FBT003  # a strategy of one value
        eight_bit=st.just(True),  # noqa: FBT003  # as above
        starttls=st.booleans(),
        size=st.none(),
        xclient=st.just(frozenset()),
    ),
    envelope=st.builds(
        lambda sender, recipients: Envelope(Mail(sender, eight_bit=True, utf8=True), tuple(recipients)),
        ADDRESSES | st.none(),
        st.lists(ADDRESSES, min_size=1, max_size=3),
    ),
    content=PIECES,
)
def test_a_message_arrives_as_it_was_sent(offers: Offers, envelope: Envelope, content: list[bytes]) -> None:
    wire = Wire(offers)
    content.insert(0, b"\r\n")  # the header section is another question: tests/lines/test_header.py
    whole = b"".join(content)
    for _ in range(2):
        wire.client.mail(envelope.mail)
        for recipient in envelope.recipients:
            wire.client.rcpt(recipient)
        wire.settle()
        _send(wire, content, whole)
        wire.settle()
        assert wire.client.idle
        ended = whole if offers.chunking or whole.endswith(b"\r\n") or not whole else whole + b"\r\n"
        assert wire.talk.messages.pop() == (envelope, ended)
        assert wire.talk.messages == []
    ends = [event for event in wire.replied if event.verb is Verb.END]
    assert len(ends) == 2
    wire.client.quit()
    wire.settle()
    assert wire.talk.server.state is wire.client.state is State.CLOSED


def _send(wire: Wire, content: list[bytes], whole: bytes) -> None:
    if wire.client.offers.chunking:
        wire.client.bdat(len(whole))
    else:
        wire.client.data()
        wire.settle()
    for piece in content:
        wire.client.content(piece)
    if not wire.client.offers.chunking:
        wire.client.end()
