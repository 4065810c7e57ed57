"""Every call that a worker and the clerk make on the way of a message is refused once, by the kernel (promise 4)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.injected import came, listed, needs_strace, refused, walk
from tests.faults.running import Refused

pytestmark = [pytest.mark.slow, needs_strace, pytest.mark.timeout(36_000)]

Count = Callable[[str, int, int], int]


@pytest.mark.parametrize("who", ["worker", "clerk"])
def test_every_call_on_the_way_of_a_message_is_refused_once(
    who: str, tmp_path: Path, count: Count, request: pytest.FixtureRequest
) -> None:
    said: dict[str, str] = {}
    program = f"tidewaiter.gateway.{who}"
    with Refused(tmp_path, faults=("OSError", "Error: [Errno")) as family:
        family.serving()
        family.send_until_taken("first")
        family.wait_for_store()
        with listed(family.pid_of(program), tmp_path / "calls") as counts:
            family.send_until_taken("clean")
            if who == "clerk":
                family.wait_for_store()
        refusals = list(walk(counts, full=request.config.getoption("--soak")))
        count(f"calls of a {who} refused on the way of a message", len(refusals), len(refusals))
        for number, refusal in enumerate(refusals):
            name = f"{number}-{refusal.thread}-{refusal.call}-{refusal.number}-{refusal.error}"
            with refused(family.pid_of(program), refusal, tmp_path / f"{number}.calls"):
                said[name] = family.send(name)
                if who == "clerk":
                    family.wait_for_store()
            assert who == "worker" or said[name].startswith("250 "), f"{refusal}: mail waits for the clerk"
            family.send_until_taken("after")
        family.last_words()
    family.judge(said)
    assert came(tmp_path.glob("*.calls")) >= 0.7 * len(refusals)
