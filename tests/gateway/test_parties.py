"""Whoever helps a worker may freeze or go at any moment: mail is answered, the log is true, and all is given back."""

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from tests.gateway.family import Family
from tests.gateway.next_hop import NextHop
from tests.gateway.running import Caller, RunningGateway, running_gateway, until
from tests.gateway.test_flow import configuration
from tests.gateway.test_stopping import RUN, in_its_midst
from tidewaiter.store.archive import FILE
from tidewaiter.store.tables import TRANSACTIONS

REPAIRED = '[[listener.exclusion]]\nnetworks = ["127.0.0.0/8"]\n'


async def _odd(caller: Caller) -> str:
    await caller.envelope()
    await caller.say("DATA")
    await caller.send(b"Subject: x\r\n\r\na\nb\r\n.\r\n")
    return await caller.reply()


def _examiner(gateway: RunningGateway) -> int:
    process = gateway.worker.examiner._process
    return process.pid if process is not None else 0


@pytest.mark.parametrize("stopped_by", [signal.SIGSTOP, signal.SIGKILL])
async def test_an_examiner_that_freezes_or_goes_keeps_no_mail_and_no_line(
    stopped_by: signal.Signals, tmp_path: Path
) -> None:
    async with NextHop() as hop, running_gateway(tmp_path, configuration(hop.port, listener=REPAIRED)) as gateway:
        async with await Caller.call(gateway.port) as caller:
            assert (await _odd(caller)).startswith("250 ")
            await until(lambda: _examiner(gateway), "the examiner")
            os.kill(_examiner(gateway), stopped_by)
            for _ in range(3):
                assert (await _odd(caller)).startswith("250 ")
        assert [each.outcome for each in gateway.memory.transactions] == ["delivered"] * 4
        assert [[found.rule for found in each.findings] for each in gateway.memory.transactions] == [["bare-lf"]] * 4


@pytest.mark.slow
def test_a_clerk_that_freezes_keeps_no_mail_and_its_record_comes_later(tmp_path: Path) -> None:
    with Family(tmp_path, command=RUN) as family:
        family.serving()
        clerk = family.pid_of("tidewaiter.gateway.clerk")
        os.kill(clerk, signal.SIGSTOP)
        client, replies = in_its_midst(family)
        with client, replies:
            client.sendall(b".\r\n")
            assert replies.readline().startswith(b"250 ")
        [told] = [family.wait_for("transaction")]
        os.kill(clerk, signal.SIGCONT)
        family.last_words()
    with closing(create_engine(f"sqlite:///{tmp_path / 'state' / FILE}").connect()) as store:
        assert store.execute(select(TRANSACTIONS.c.id)).scalars().all() == [told["id"]]
