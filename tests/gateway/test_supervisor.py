import os
import signal
import socket
from pathlib import Path

import pytest

from tests.gateway.family import Client, Family, serving

pytestmark = pytest.mark.slow


def test_every_worker_serves_and_the_clerk_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        seen: set[int] = set()
        clients: list[Client] = []
        while len(seen) < 2:
            clients.append(family.connect())
            seen.add(clients[-1].index)
        assert clients[-1].total == len(clients), "connections are counted across workers"
        assert family.get("/livez")[0] == 200
        for client in clients:
            client.close()


def test_a_stop_lets_transactions_finish_and_leaves_nobody_behind(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        family.signal(signal.SIGTERM)
        while _answers(family.address):  # until all have heard
            pass
        assert client.ask("doubt 1") == "done"
        client.close()
        assert family.exit_code() == 0


def test_a_stop_has_a_deadline(tmp_path: Path) -> None:
    with serving(tmp_path, workers='stop_time = "100ms"') as family, family.connect() as client:
        family.signal(signal.SIGTERM)
        assert client.is_cut()
        assert family.exit_code() == 0


def test_children_leave_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        family.process.kill()
        assert client.is_cut()


def test_a_killed_worker_is_replaced_and_what_it_held_is_given_back(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        with family.connect() as client:
            victim = client.pid
            client.ask("doubt 0193")
            os.kill(victim, signal.SIGKILL)
            assert client.is_cut()
        assert family.wait_for("process ended")["code"] == -signal.SIGKILL
        assert family.wait_for("transaction in doubt")["id"] == "0193"
        with family.connect() as after:
            assert after.total == 1


def test_connections_wait_while_their_worker_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        for _ in range(4):
            with family.connect() as client:
                os.kill(client.pid, signal.SIGKILL)
            with family.connect() as client:
                assert client.ask("stat") == str(os.getuid())


def test_a_killed_clerk_is_replaced_on_the_same_sockets(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        status, _ = family.get("/livez")
        assert status == 200
        for clerk in _children(family, "tidewaiter.gateway.clerk"):
            os.kill(clerk, signal.SIGKILL)
        family.wait_for("process ended")
        assert family.get("/livez")[0] == 200


def test_a_reload_brings_new_settings_and_old_connections_go_on(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as old:
        family.file.write_text(family.file.read_text().replace("mx.tidewaiter.test", "new.tidewaiter.test"))
        family.signal(signal.SIGHUP)
        address = family.address
        assert family.serving().address == address
        while True:
            with family.connect() as new:
                if new.generation == 2:
                    assert new.hostname == "new.tidewaiter.test"
                    break
        assert old.ask("stat") == str(os.getuid())
        old.close()
        for _ in range(2):
            assert family.wait_for("process ended", lambda found: found["of_generation"] == 1)["code"] == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("role =", "rolle ="), "did you mean role?"),
        (("count = 2", "count = 3"), "restart"),
        (('"127.0.0.1:0"\nrole', '"192.0.2.1:25"\nrole'), "192.0.2.1:25"),
    ],
)
def test_a_bad_configuration_changes_nothing(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        family.file.write_text(family.file.read_text().replace(*change))
        family.signal(signal.SIGHUP)
        assert reason in family.wait_for("reload refused, nothing has changed")["reason"]
        assert client.ask("stat") == str(os.getuid())
        with family.connect() as another:
            assert another.generation == 1


def test_workers_that_do_not_come_up_change_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        family.file.write_text(family.file.read_text().replace("mx.tidewaiter.test", "broken.example"))
        family.signal(signal.SIGHUP)
        family.wait_for("workers do not come up, nothing has changed")
        with family.connect() as client:
            assert client.generation == 1
        family.file.write_text(family.file.read_text().replace("broken.example", "mx.tidewaiter.test"))
        family.signal(signal.SIGHUP)
        family.serving()


def test_a_first_generation_that_does_not_come_up_ends_the_run(tmp_path: Path) -> None:
    family = Family(tmp_path)
    family.file.write_text(family.file.read_text().replace("mx.tidewaiter.test", "broken.example"))
    with family:
        family.wait_for("workers do not come up, nothing has changed")
        assert family.exit_code() == 1


def test_doubts_are_told_by_the_next_supervisor_when_all_were_killed(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        client.ask("doubt 0193")
        os.kill(client.pid, signal.SIGSTOP)  # it cannot strike anything out any more
        family.process.kill()
        os.kill(client.pid, signal.SIGKILL)
    with Family(tmp_path) as successor:
        assert successor.wait_for("transaction in doubt")["id"] == "0193"


def _children(family: Family, module: str) -> list[int]:
    children = Path(f"/proc/{family.process.pid}/task/{family.process.pid}/children").read_text().split()
    return [int(child) for child in children if module.encode() in Path(f"/proc/{child}/cmdline").read_bytes()]


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except ConnectionError:
        return False
    return True
