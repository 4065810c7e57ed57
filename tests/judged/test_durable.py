"""A next hop that dies under load, and the Maildir's order of writing, as the kernel was asked for it."""

from __future__ import annotations

import random
import re
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.gateway.load import Load
from tests.judged.gateway import LISTENER, route, running
from tests.judged.judge import RECEIVED
from tests.judged.talk import Case, message, play
from tests.peers import receiver
from tests.peers.conftest import needed
from tests.peers.strace import traced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Count
    from tests.judged.conftest import Tell

pytestmark = [pytest.mark.peers, pytest.mark.slow, pytest.mark.timeout(3600)]

CLIENTS = 6
DURABLE = "aiosmtpd-1.4.6"
"""It renames a whole file into its folder before it says 250, so what it acknowledged outlives its process."""


@contextmanager
def load(port: int) -> Iterator[Load]:
    """Clients that send mail, each message until it is acknowledged."""
    made = Load(("127.0.0.1", port), CLIENTS)
    made.start()
    try:
        yield made
        made.stop()
    finally:
        made.give_up()


def copies(held: list[bytes]) -> dict[str, list[str]]:
    """Give for each message, by its subject, the ids under which the gateway took its copies."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in held:
        (identity,) = RECEIVED.findall(file)
        (subject,) = re.findall(rb"^Subject: (\S+)\r$", file, re.MULTILINE)
        found[subject.decode()].append(identity.decode())
    return found


def test_a_next_hop_killed_at_any_moment_loses_nothing_and_doubles_only_what_is_logged_as_doubtful(
    tmp_path: Path, count: Count, tell: Tell
) -> None:
    needed(DURABLE)
    kills = count("kills of a durable next hop under load", 4, 60)
    chance = random.Random(kills)  # noqa: S311 - repeatable moments
    with receiver(DURABLE) as peer:
        with running(tmp_path, LISTENER + route(f"smtp://127.0.0.1:{peer.port}")) as (ports, family):
            with load(ports[0]) as clients:
                for _ in range(kills):
                    time.sleep(chance.uniform(0.2, 1.0))  # the moment is what is random, nothing waits for it
                    peer.running.kill()
                    peer.running.start()
            family.last_words()
        held = copies(peer.deliveries())
    memory = clients.memory
    assert len(memory.acknowledged) > kills, "there was no load"
    assert memory.acknowledged - set(held) == set(), "acknowledged and lost"
    logged = {event["id"]: event["outcome"] for event in family.events if event["event"] == "transaction"}
    outcomes = {name: Counter(logged.get(each, "not logged") for each in ids) for name, ids in held.items()}
    assert {name: each for name, each in outcomes.items() if each["delivered"] != 1} == {}, "doubled"
    doubtful = sum(each["doubtful"] for each in outcomes.values())
    assert doubtful == sum(each.total() for each in outcomes.values()) - len(held), (
        "doubled, and not logged as doubtful"
    )
    told = f"{len(memory.acknowledged):,} acknowledged, 0 lost, {doubtful} doubled whose reply was not sent"
    tell(f"next hop killed {kills} times under load: {told}")


ORDER = (
    r"writev?\(\d+<\S*/mail/tmp/(?P<name>[^/>]+)>",
    r"fsync\(\d+<\S*/mail/tmp/(?P=name)>\) += 0",
    r'rename\("\S*/mail/tmp/(?P=name)", "\S*/mail/new/(?P=name)"\) += 0',
    r"fsync\(\d+<\S*/mail/new>\) += 0",
    r'write\(\d+<socket:\S+ "250 2\.0\.0 ',
)
"""What must be asked of the kernel, in this order, and the reply to the client last."""


def test_a_maildir_is_written_synced_renamed_and_its_folder_synced_before_250(tmp_path: Path) -> None:
    needed("strace")
    output = tmp_path / "calls"
    with running(tmp_path, "[workers]\ncount = 1\n" + LISTENER + route("maildir:mail")) as (ports, family):
        with traced(family.pid_of("tidewaiter.gateway.worker"), "write,writev,sendto,sendmsg,fsync,rename", output):
            said = play(ports[0], Case("one message", message(b"Subject: x\r\n\r\nhello\r\n"), ()))
        family.last_words()
    assert said.wrong == ()
    calls = output.read_text()
    assert re.search(".*".join(f"(?:{each})" for each in ORDER), calls, re.DOTALL), calls
