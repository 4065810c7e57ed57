"""Every vector of the catalogue, sent to the gateway before a real receiver, and what that receiver then holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.judged.catalogue import POSITIONS, SIZE_LIMIT, cases
from tests.judged.gateway import LISTENER, gateway, route
from tests.judged.judge import GATEWAY, told_apart
from tests.judged.receivers import HABITS
from tests.judged.talk import message, play
from tests.peers import receiver
from tests.peers.conftest import needed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Count
    from tests.judged.conftest import Tell
    from tests.judged.judge import Habits
    from tests.judged.talk import Case, Said
    from tests.peers import Peer

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(1800)]

QUICK = ("aiosmtpd-1.4.4", "postfix-3.7-no", "exim-4.96")
NAMES = [pytest.param(name, marks=() if name in QUICK else pytest.mark.soak) for name in HABITS]
TLS = 'tls = "starttls"\ncertificate = "certificate.pem"\nkey = "certificate.pem"\n'
LIMITS = f'[limits]\nmessage_size = "{SIZE_LIMIT >> 10}KiB"\nheader_size = "{SIZE_LIMIT >> 10}KiB"\n'
ODDITIES = {
    "strangers": "",
    **{
        position: "".join(
            f'{verb} = {{ bare_lf = "{position}", bare_cr = "{position}", nul = "{position}", long_line = "{line}" }}\n'
            for verb in ("data", "bdat")
        )
        for position, line in (("note", "note"), ("repair", "note"), ("refuse", "refuse"))
    },
}


def honest(number: int, place: str) -> bytes:
    head = b"From: honest@outside.example\r\nTo: rcpt@inside.test\r\nSubject: %s %d\r\n" % (place.encode(), number)
    return head + b"Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <%d@a.example>\r\n\r\nhello\r\n" % number


@dataclass
class Counters:
    """What came of a run of vectors before one receiver."""

    sent: int = 0
    held: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def judge(self, case: Case, said: Said, held: list[bytes], habits: Habits) -> None:
        self.sent += 1
        self.held += len(held)
        self.refused += bool(said.refusal)
        if said.refusal and not re.search(habits.refuses, said.refusal):
            self.wrong.append(f"{case.name}: {said.refusal}")
        found = [*said.wrong, *told_apart(held, due(case, said, self.sent), habits)]
        self.wrong += [f"{case.name}: {each}" for each in found]


def due(case: Case, said: Said, number: int) -> list[bytes]:
    """Give what must lie there after one session: the honest mail around the vector, and the vector or not."""
    before = [] if case.early else [honest(number, "before")]
    if said.refusal:
        return before
    return [*before, *case.due, *([] if case.steps[-1].closed else [honest(number, "after")])]


def play_all(position: str, port: int, peer: Peer, counters: Counters, habits: Habits) -> None:
    """Send every vector, each between two honest messages of one session, and judge after each what was delivered."""
    for case in cases(position):
        number = counters.sent + 1
        said = play(port, case, message(honest(number, "before")), message(honest(number, "after")))
        counters.judge(replace(case, name=f"{case.name}, {position}"), said, peer.deliveries(), habits)
        peer.empty()


@pytest.mark.parametrize("name", NAMES)
def test_a_real_receiver_behind_the_gateway_holds_the_one_message_sent_or_none(
    name: str, tmp_path: Path, count: Count, tell: Tell
) -> None:
    needed(name)
    trustme.CA().issue_cert(GATEWAY).private_key_and_cert_chain_pem.write_to_path(tmp_path / "certificate.pem")
    positions = POSITIONS[: count("positions in which every vector is sent to the gateway before a receiver", 2, 4)]
    listeners = "".join(LISTENER + TLS + ODDITIES[position] for position in positions)
    counters = Counters()
    with receiver(name) as peer:
        next_hop = f"{'lmtp' if peer.lmtp else 'smtp'}://127.0.0.1:{peer.port}"
        with gateway(tmp_path, LIMITS + listeners + route(next_hop)) as ports:
            for position, port in zip(positions, ports, strict=True):
                play_all(position, port, peer, counters, HABITS[name])
        assert peer.deliveries() == [], "what came late was smuggled"
    assert not counters.wrong, "\n".join([f"{len(counters.wrong)} wrong", *counters.wrong[:40]])
    tell(
        f"vectors before {name}: {counters.sent:,} sent, {counters.held:,} messages held, all of them sent; "
        f"{counters.refused} refused by itself, 0 smuggled"
    )
