"""Every vector of the catalogue over sockets: the gateway as users run it, each vector whole and cut in segments.

One cut at each place beside a CR, LF or dot; what is behind it leaves when the gateway has read what stands before.
The judge's own client sends, between two honest messages of one session; what the next hop holds is read by its bytes.
What is expected is typed in the vector: replies, deliveries byte for byte, and whether the connection goes on.
"""

from pathlib import Path

import pytest
import trustme

from tests.conftest import Count
from tests.judged.catalogue import POSITIONS, cases, sliced
from tests.judged.gateway import LISTENER, gateway, route
from tests.judged.judge import GATEWAY, behind_received
from tests.judged.talk import Case, message, play
from tests.judged.test_vectors import LIMITS, ODDITIES, TLS
from tests.peers.sink import Sink

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

ENOUGH = 3
"""Sessions that went wrong; where no reply comes, each is waited for."""
HONEST = (b"Subject: before\r\n\r\nhello\r\n", b"Subject: after\r\n\r\nhello\r\n")
ONE_AFTER_ANOTHER = "connections = 1\n[workers]\ncount = 1\n"
"""What a next hop takes is in order then."""


def _chosen(position: str, count: Count) -> list[Case]:
    """Give each vector whole, and of all that are cut as many as are to be, from all parts of the catalogue."""
    whole, cut = list[Case](), list[Case]()
    for case in cases(position):
        first, *others = sliced(case)
        whole.append(first)
        cut += others
    most = count(f"vectors cut beside CR, LF and dot over sockets, in {position}", 80, len(cut))
    count(f"vectors whole over sockets, in {position}", len(whole), len(whole))
    chosen = {number * len(cut) // most for number in range(most)}
    return whole + [case for number, case in enumerate(cut) if number in chosen]


def _taken(sink: Sink) -> list[bytes]:
    """Take out what the next hop was sent, in order."""
    held = [each.content for each in sink.messages]
    for session in sink.sessions:
        session.messages.clear()
        session.turns.clear()
    return held


def _due(case: Case) -> list[bytes]:
    """Give what must lie there after the session; a next hop that takes DATA can hold no last line without its end."""
    contents = [content if content.endswith(b"\r\n") or not content else content + b"\r\n" for content in case.due]
    before, after = HONEST
    return [*([] if case.early else [before]), *contents, *([] if case.steps[-1].closed else [after])]


def _sent(port: int, case: Case, sink: Sink) -> str:
    """Send one; give what was wrong, and nothing if all was well."""
    said = play(port, case, *map(message, HONEST))
    held = [behind_received(content) for content in _taken(sink)]
    right = held == _due(case) and not said.wrong and not said.refusal
    return "" if right else f"{case.name}: {said}, held {held}"


@pytest.mark.parametrize("position", POSITIONS)
def test_every_vector_in_segments_comes_to_what_it_says(position: str, tmp_path: Path, count: Count) -> None:
    trustme.CA().issue_cert(GATEWAY).private_key_and_cert_chain_pem.write_to_path(tmp_path / "certificate.pem")
    wrong = list[str]()
    with Sink() as sink:
        rest = LIMITS + LISTENER + TLS + ODDITIES[position] + route(f"smtp://127.0.0.1:{sink.port}") + ONE_AFTER_ANOTHER
        with gateway(tmp_path, rest) as [port]:
            for case in _chosen(position, count):
                wrong += filter(None, [_sent(port, case, sink)])
                if len(wrong) == ENOUGH:
                    break
        assert _taken(sink) == [], "what came late was smuggled"
    assert not wrong, "\n".join(wrong)
