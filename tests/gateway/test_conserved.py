"""The look at the end sees each kind of leak: what keeps every test honest is itself seen to fail."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from tests.gateway import conserved
from tests.gateway.conserved import assert_conserved
from tests.gateway.next_hop import NextHop
from tests.gateway.running import RunningGateway, running_gateway
from tests.gateway.test_flow import configuration
from tests.processes import children, command_line
from tidewaiter.gateway.mail.transaction import Transaction
from tidewaiter.net.deadline import Deadline


def _begin_and_forget(gateway: RunningGateway) -> None:
    gateway.worker.transactions.add(cast(Transaction, object()))


def _keep_room(gateway: RunningGateway) -> None:
    gateway.worker.room.used += 1


def _keep_memory(gateway: RunningGateway) -> None:
    gateway.worker.room.memory_used += 1


def _lend_and_forget(gateway: RunningGateway) -> None:
    [hop] = gateway.hops.all()
    hop.pool._open += 1  # type: ignore[attr-defined]  # it is one that speaks SMTP


def _fail(gateway: RunningGateway) -> None:
    gateway.worker.loop.call_soon(lambda: 1 // 0)


LEAKS: dict[str, Callable[[RunningGateway], object]] = {
    "connections counted: 1": lambda gateway: gateway.worker.connections.enter((0,)),
    "transactions under way: 1": _begin_and_forget,
    "bytes in the spool: 1": _keep_room,
    "bytes in memory: 1": _keep_memory,
    "shared slots: 2": lambda gateway: gateway.doubts.begin("one that is never struck out"),  # taken, and named
    "connections lent: 1": _lend_and_forget,
    "descriptor": lambda gateway: os.dup(gateway.memory.descriptor),
    "deadline": lambda gateway: Deadline(gateway.worker.watch, gateway.worker.recorder._tick).set(60.0),
    "timer": lambda gateway: gateway.worker.loop.call_later(60.0, gateway.worker.recorder._tick),
    "ZeroDivisionError": _fail,
}


@pytest.mark.parametrize("leak", LEAKS)
async def test_a_leak_fails_the_test_that_made_it(leak: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conserved, "SECONDS", 0.2)
    descriptors = set(conserved.descriptors())
    with pytest.raises(AssertionError, match=leak):
        async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port)) as gateway:
            LEAKS[leak](gateway)
    for descriptor, what in set(conserved.descriptors()) - descriptors:
        if "memfd:log" in what:
            os.close(descriptor)


async def test_a_fault_that_the_test_names_is_none(tmp_path: Path) -> None:
    async with (
        NextHop() as hop,
        running_gateway(tmp_path, configuration(hop.port), faults=["ZeroDivisionError"]) as gateway,
    ):
        _fail(gateway)


def test_a_fault_of_processes_and_a_file_in_their_spool_fail_the_test(tmp_path: Path) -> None:
    fault = {"event": "fault", "reason": "x", "exception": "Traceback ... KeyError"}
    with pytest.raises(AssertionError, match="KeyError"):
        assert_conserved(tmp_path, [fault])
    assert_conserved(tmp_path, [fault], ["KeyError"])
    (tmp_path / "state" / "spool").mkdir(parents=True)
    assert_conserved(tmp_path, [])
    (tmp_path / "state" / "spool" / "message").touch()
    with pytest.raises(AssertionError, match="left in the spool"):
        assert_conserved(tmp_path, [])


def test_a_child_is_seen_until_it_was_waited_for() -> None:
    before = children()
    program = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"\n"  # it is no more what it was forked from
        assert children() - before == {child.pid}
        assert "input()" in command_line(child.pid)
    assert children() == before
