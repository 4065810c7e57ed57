import os
import pwd
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateway.family import STAND_IN, Client, Family, in_the_open, serving
from tidewaiter.gateway.processes.shared import GENERATIONS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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


def test_a_clerk_that_dies_during_a_stop_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as client:
        family.signal(signal.SIGTERM)
        while _answers(family.address):
            pass
        os.kill(family.pid_of("tidewaiter.gateway.clerk"), signal.SIGKILL)
        family.wait_for("process ended")
        assert family.get("/livez")[0] == 200
        client.close()
        assert family.exit_code() == 0


def test_a_reload_that_waits_for_room_is_forgotten_by_a_stop(tmp_path: Path) -> None:
    with serving(tmp_path) as family, ExitStack() as clients:
        for number in range(1, GENERATIONS + 1):
            busy: set[int] = set()
            while len(busy) < 2:  # each worker of each generation has a client, for which it stays
                client = clients.enter_context(family.connect())
                busy |= {client.index} if client.generation == number else set()
            family.signal(signal.SIGHUP)
            family.wait_for("serving" if number < GENERATIONS else "reload waits until older workers have left")
        family.signal(signal.SIGTERM)
        while _answers(family.address):
            pass
        clients.close()
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
        os.kill(family.pid_of("tidewaiter.gateway.clerk"), signal.SIGKILL)
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


def test_a_reload_opens_new_addresses_and_closes_those_that_nobody_uses_any_more(tmp_path: Path) -> None:
    more = """
[[listener]]
address = "[::1]:0"
role = "outbound"
networks = ["::1"]
"""
    with serving(tmp_path) as family:
        before = family.file.read_text()
        family.file.write_text(before + more)
        family.signal(signal.SIGHUP)
        first, second = family.wait_for("serving")["addresses"]
        assert tuple(first) == family.address
        with Client((second[0], second[1])) as client:
            assert client.generation == 2
        family.file.write_text(before)
        family.signal(signal.SIGHUP)
        assert family.wait_for("serving")["addresses"] == [first]
        while _answers((second[0], second[1])):  # until the generation before has left
            pass


def test_a_reload_that_concerns_the_clerk_brings_a_new_one(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        clerk = family.pid_of("tidewaiter.gateway.clerk")
        family.file.write_text(family.file.read_text().replace("[store]", '[store]\nkeep_age = "1d"'))
        family.signal(signal.SIGHUP)
        family.serving()
        assert family.wait_for("process ended", lambda found: found["pid"] == clerk)["code"] == 0
        assert family.get("/livez")[0] == 200
        assert family.pid_of("tidewaiter.gateway.clerk") != clerk


def test_many_reloads_at_once_end_with_the_last_configuration(tmp_path: Path) -> None:
    with serving(tmp_path) as family, family.connect() as old:
        for number in range(6):
            hostname = f"mx{number}.tidewaiter.test"
            family.file.write_text(re.sub("^hostname = .*", f'hostname = "{hostname}"', family.file.read_text()))
            family.signal(signal.SIGHUP)
        while True:
            with family.connect() as client:
                if client.hostname == "mx5.tidewaiter.test":
                    break
        assert old.ask("stat") == str(os.getuid())


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


def test_a_refused_reload_leaves_no_address_taken(tmp_path: Path) -> None:
    more = (
        '[[listener]]\naddress = "[::1]:{port}"\nrole = "inbound"\ntls = "implicit"\ncertificate = "no"\nkey = "no"\n'
    )
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("::1", 0))
        with serving(tmp_path) as family:
            before = family.file.read_text()
            family.file.write_text(before + more.format(port=other.getsockname()[1]))
            family.signal(signal.SIGHUP)
            assert "no: No such file" in family.wait_for("reload refused, nothing has changed")["reason"]
            family.file.write_text(before)
            family.signal(signal.SIGHUP)
            family.serving()
            other.listen()


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


def test_programs_that_cannot_be_started_end_the_run(tmp_path: Path) -> None:
    broken = (
        "import sys, os; from pathlib import Path; from tidewaiter.gateway.supervisor import Supervisor, PROGRAMS; "
    )
    broken += "sys.exit(Supervisor(Path(sys.argv[1]), os.environ, PROGRAMS | {'worker': ['/nonexistent']}).run())"
    file = Family(tmp_path).file
    ended = subprocess.run([sys.executable, "-c", broken, file], capture_output=True, check=False, timeout=30)
    assert ended.returncode == 1
    assert b"process cannot be started" in ended.stderr


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


def _answers(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except ConnectionError:
        return False
    return True


def test_systemd_hears_of_each_step(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        name = f"tidewaiter-{os.urandom(8).hex()}"
        manager.bind(f"\0{name}")
        manager.settimeout(20)

        def hear() -> str:
            while (message := manager.recv(200)) == b"WATCHDOG=1":
                pass
            return message.decode().split("\n")[0]

        environment = {"NOTIFY_SOCKET": f"@{name}", "WATCHDOG_USEC": "1000000"}
        with serving(tmp_path, environment=environment) as family:
            assert hear() == "READY=1"
            assert manager.recv(200) == b"WATCHDOG=1", "said again and again"
            family.signal(signal.SIGHUP)
            assert [hear(), hear()] == ["RELOADING=1", "READY=1"]
            family.signal(signal.SIGTERM)
            assert hear() == "STOPPING=1"
            assert family.exit_code() == 0


def test_a_second_supervisor_on_the_folder_or_the_address_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path) as family:
        (tmp_path / "other").mkdir()
        other = tmp_path / "other" / "tidewaiter.toml"
        other.write_text(family.file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{family.address[1]}", 2))
        found = _refusal(other)
        assert f"127.0.0.1:{family.address[1]}: Address already in use" in found
        other.write_text(family.file.read_text().replace('"state"', f'"{tmp_path}/state"'))
        assert "another Tidewaiter is running on this folder" in _refusal(other)


def _refusal(file: Path) -> str:
    command = [sys.executable, "tests/gateway/run_stand_in.py", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert ended.returncode == 1
    return ended.stderr


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


@needs_root
def test_a_capability_to_bind_port_25_does_not_go_on_to_children(open_path: Path) -> None:
    (open_path / "aside").mkdir()
    as_systemd_does = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    as_systemd_does += ["--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"]
    command = [*in_the_open(open_path / "aside"), *as_systemd_does, *STAND_IN]
    with serving(open_path, command=command) as family, family.connect() as client:
        assert _capabilities(family.process.pid) == 1 << 10, "CAP_NET_BIND_SERVICE, for a reload"
        assert _capabilities(client.pid) == 0


def _capabilities(pid: int) -> int:
    (found,) = re.findall(r"^CapEff:\t(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found, 16)


def test_a_log_that_was_rotated_is_opened_again_by_all_and_only_then(tmp_path: Path) -> None:
    log, rotated = tmp_path / "log", tmp_path / "log.1"
    family = Family(tmp_path)
    family.file.write_text(family.file.read_text() + '[log]\nfile = "log"\n')
    with family:
        _until(lambda: log.exists() and "store can be written" in log.read_text())
        clerk = family.pid_of("tidewaiter.gateway.clerk")
        log.rename(rotated)
        family.signal(signal.SIGHUP)
        _until(lambda: log.exists() and "store can be written" in log.read_text())
        assert f'"pid":{clerk}' in log.read_text()
        family.signal(signal.SIGTERM)
        assert family.exit_code() == 0
        assert "stopped" in log.read_text()
        assert "stopped" not in rotated.read_text()
    assert rotated.read_text().count("store can be written") == 1, "each clerk says so once, and one was enough"


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it never came"


@needs_root
@pytest.mark.parametrize(("workers", "warned"), [("", True), ('user = "nobody"', False)])
def test_who_carries_mail_as_root_is_warned(open_path: Path, workers: str, warned: bool) -> None:
    (open_path / "aside").mkdir()
    with serving(open_path, workers=workers, command=[*in_the_open(open_path / "aside"), *STAND_IN]) as family:
        assert ("running as root" in [event["event"] for event in family.events]) == warned


@needs_root
def test_started_by_root_it_carries_mail_as_the_user_it_was_given(open_path: Path) -> None:
    state, aside = open_path / "state", open_path / "aside"
    aside.mkdir()
    with serving(open_path, workers='user = "nobody"', command=[*in_the_open(aside), *STAND_IN]) as family:
        nobody = pwd.getpwnam("nobody")
        with family.connect() as client:
            assert client.ask("stat") == str(nobody.pw_uid)
            client.ask("record 3")
        for pid in (family.process.pid, family.pid_of("tidewaiter.gateway.clerk")):
            status = Path(f"/proc/{pid}/status").read_text()
            assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}\t{nobody.pw_uid}\t{nobody.pw_uid}" in status
            assert f"Gid:\t{nobody.pw_gid}\t{nobody.pw_gid}\t{nobody.pw_gid}\t{nobody.pw_gid}" in status
            assert "CapEff:\t0000000000000000" in status
        assert (state.stat().st_uid, state.stat().st_mode & 0o777) == (nobody.pw_uid, 0o700)
        family.signal(signal.SIGHUP)
        family.serving()
