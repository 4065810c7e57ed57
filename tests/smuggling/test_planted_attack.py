"""A bug planted in our writer is found as a shortest attack, and that attack then splits a booted real program.

This is what ties the proof to the world: were the walk blind, or the rows untrue, nothing would be split here.
"""

import pytest

from tests.peers import raw, receiver, why_not
from tidewaiter.knowledge.dialects import dialect
from tidewaiter.lines import scan
from tidewaiter.lines.symbol import Symbol, spell
from tidewaiter.lines.writer import Writer
from tidewaiter.model.position import Position, Positions
from tidewaiter.smuggling.ours import Ours
from tidewaiter.smuggling.path import Path
from tidewaiter.smuggling.product import splitter, walk

REPAIR = Positions(Position.REPAIR, Position.REPAIR, Position.REPAIR)
NOTE = Positions(Position.NOTE, Position.NOTE, Position.NOTE)
SMUGGLED = b"MAIL FROM:<chief@inside.test>\r\nRCPT TO:<%s>\r\nDATA\r\nFrom: chief@inside.test\r\n\r\nsmuggled%s"
END_ANEW = {REPAIR: b"\r\n..\r\n", NOTE: b"\n.\r\n"}
"""What each planted bug writes as one more end."""


def stuffs_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writer, "write", lambda _, content: content)


def notes_before_a_dot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scan, "_NOT_ORDINARY", rb"[\r\n\0 ]")
    patch.setattr(scan, "compiled", scan.compiled.__wrapped__)  # compiled anew, not remembered


def shortest(ours: Ours, row: str) -> bytes:
    """The attack on `row`, as the bytes that a client would send to us."""
    answer = walk(Path(ours, (), splitter(dialect(row))))
    assert answer.verdict == "attack"
    assert answer.attack is not None
    return spell(tuple(move for move in answer.attack.content if isinstance(move, Symbol)))


@pytest.mark.interpreted
@pytest.mark.peers
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("plant", "where", "row"),
    [
        (stuffs_nothing, REPAIR, "aiosmtpd-1.4.4"),
        (stuffs_nothing, REPAIR, "postfix-3.7-normalize"),
        (notes_before_a_dot, NOTE, "postfix-3.7-no"),
        (notes_before_a_dot, NOTE, "aiosmtpd-1.4.4"),
    ],
    ids=lambda each: (
        each if isinstance(each, str) else getattr(each, "__name__", "repair" if each is REPAIR else "note")
    ),
)
def test_the_attack_on_a_planted_bug_splits_the_real_program(
    plant: object, where: Positions, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reason := why_not(row):
        pytest.skip(reason)
    ours = Ours(where)
    assert walk(Path(ours, (), splitter(dialect(row)))).verdict == "safe"
    assert callable(plant)
    plant(monkeypatch)
    ours = Ours(where)
    attack = shortest(ours, row)
    # The attack may stop in the middle of the false end, where our own end would have done the rest.
    attack += b"\r\n" * (not attack.endswith(b"\n"))
    with receiver(row) as peer:
        to = peer.recipient.encode()
        written = ours.pass_on(ours.start, attack + SMUGGLED % (to, END_ANEW[where]) + b"QUIT\r\n")
        envelope = b"EHLO a.test\r\nMAIL FROM:<user@outside.test>\r\nRCPT TO:<%s>\r\nDATA\r\n" % to
        raw.send(peer.port, envelope + written.wire)
        messages = peer.deliveries(2)
    assert len(messages) == 2
    # A program may deliver both at once, so that either comes first.
    assert sorted(b"From: chief@inside.test" in message for message in messages) == [False, True]
