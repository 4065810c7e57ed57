import contextlib
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.gateway.stand_in import transaction
from tidewaiter.store.archive import FILE, Archive, ArchiveError
from tidewaiter.store.records import Finding, Findings, Reading, Refusal, Transaction
from tidewaiter.store.tables import METADATA

NOW = datetime(2026, 11, 24, 12, 0, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
GIB = 2**30


def refusal(identity: str) -> Refusal:
    return Refusal(
        time=NOW,
        id=identity,
        stage="recipient",
        reason="relaying",
        reply="554 5.7.1 no",
        listener="[::]:25",
        client="192.0.2.1",
    )


def aged(identity: str, age: timedelta) -> Transaction:
    return msgspec.structs.replace(transaction(identity), time=NOW - age)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with closing(Archive(tmp_path)) as opened:
        opened.open()
        yield opened


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return connection.execute(query).fetchall()


def test_what_was_appended_is_read_by_another_program(archive: Archive, tmp_path: Path) -> None:
    reading = Reading(programs=("haraka-3.3.3",), messages=2, from_="ceo@inside.test")
    finding = Finding(rule="lf-dot-crlf-ends-data", offset=193, readings=(reading,))
    odd = msgspec.structs.replace(transaction("01"), oddities={"bare_lf": 3}, findings=(finding,))
    archive.append([odd, refusal("02")])
    assert rows(tmp_path, "SELECT id, outcome, queue_id, size FROM transactions") == [("01", "delivered", "ABC", 4096)]
    assert rows(tmp_path, "SELECT place, forward_path FROM recipients ORDER BY place") == [
        (0, "b@sink.example"),
        (1, "c@sink.example"),
    ]
    assert rows(tmp_path, "SELECT id, stage, reason FROM refusals") == [("02", "recipient", "relaying")]
    query = "SELECT oddities ->> 'bare_lf', findings ->> '$[0].readings[0].from' FROM transactions"
    assert rows(tmp_path, query) == [(3, "ceo@inside.test")]


def named(kind: type[Transaction | Refusal], fields: dict[str, object]) -> dict[str, object]:
    """Fill each text that `fields` leaves out with its own name."""
    texts = {field.name: field.name for field in msgspec.structs.fields(kind) if field.type is str}
    return texts | fields


def test_every_field_lies_in_the_column_of_its_name(archive: Archive, tmp_path: Path) -> None:
    taken = named(Transaction, {"time": NOW, "outcome": "deferred", "size": 7, "seconds": 0.5, "recipients": ()})
    refused = named(Refusal, {"time": NOW, "stage": "command"})
    archive.append([msgspec.convert(taken, Transaction), msgspec.convert(refused, Refusal)])
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.row_factory = sqlite3.Row
        for table, fields in (("transactions", taken), ("refusals", refused)):
            [row] = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - one of two names
            stored = {name: row[name] for name in row.keys() if name in fields}  # noqa: SIM118 - a Row is no mapping
            fields.pop("recipients", None)
            assert stored == fields | {"time": int(NOW.timestamp()) * 1_000_000}


def test_what_was_found_out_later_stands_with_its_message(archive: Archive, tmp_path: Path) -> None:
    finding = Finding(rule="nul", offset=3)
    archive.append([transaction("01"), transaction("02")])
    archive.append([Findings(time=NOW, id="02", findings=(finding,))])
    found = rows(tmp_path, "SELECT id, findings FROM transactions ORDER BY id")
    assert [(identity, json.loads(str(each))) for identity, each in found] == [
        ("01", []),
        ("02", json.loads(msgspec.json.encode([finding]))),
    ]


def test_a_record_sent_twice_is_stored_once_and_as_it_was_first(archive: Archive, tmp_path: Path) -> None:
    archive.append([transaction("01")])
    archive.append([msgspec.structs.replace(transaction("01"), reply="451"), transaction("02"), transaction("02")])
    assert rows(tmp_path, "SELECT id, reply FROM transactions ORDER BY id") == [
        ("01", "250 2.0.0 ok"),
        ("02", "250 2.0.0 ok"),
    ]
    assert rows(tmp_path, "SELECT count(*) FROM recipients") == [(4,)]


def test_the_steps_lead_to_the_tables_as_they_are(archive: Archive) -> None:
    with archive._opened() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, METADATA) == []


def test_a_commit_is_synchronous_and_logged_ahead(archive: Archive) -> None:
    with archive._opened() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


def test_only_what_is_too_old_is_deleted(archive: Archive, tmp_path: Path) -> None:
    archive.append([aged("01", MONTH + timedelta(seconds=1)), aged("02", MONTH), aged("03", timedelta(0))])
    assert archive.oldest() == NOW - MONTH - timedelta(seconds=1)
    assert archive.prune(NOW - MONTH, GIB) == 1
    assert rows(tmp_path, "SELECT id FROM transactions ORDER BY id") == [("02",), ("03",)]
    assert rows(tmp_path, "SELECT DISTINCT transaction_id FROM recipients ORDER BY 1") == [("02",), ("03",)]
    assert archive.prune(NOW - MONTH, GIB) == 0
    assert archive.oldest() == NOW - MONTH


def test_beyond_its_size_the_oldest_are_deleted_and_the_file_shrinks(archive: Archive, tmp_path: Path) -> None:
    ids = [f"{number:05}" for number in range(12_000)]
    archive.append(aged(identity, timedelta(seconds=12_000 - int(identity))) for identity in ids)
    limit = 2**20
    long_ago = NOW - 100 * MONTH  # as a clock has it that was never set
    while archive.prune(long_ago, limit):
        pass
    archive.close()  # moves the write-ahead log into the file
    left = [row[0] for row in rows(tmp_path, "SELECT id FROM transactions ORDER BY id")]
    assert left
    assert left == ids[-len(left) :], "the oldest went first"
    assert (tmp_path / FILE).stat().st_size <= limit


def test_a_locked_store_is_an_error_and_works_again_when_free(archive: Archive, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as another:
        another.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ArchiveError, match="locked"):
            archive.append([transaction("01")])
        another.execute("ROLLBACK")
    archive.append([transaction("01")])
    assert rows(tmp_path, "SELECT id FROM transactions") == [("01",)]


@pytest.mark.parametrize("move", [Path.unlink, lambda file: file.rename(file.with_suffix(".old"))])
def test_a_store_that_was_taken_away_is_noticed_and_made_anew(archive: Archive, tmp_path: Path, move) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - either way of moving
    archive.append([transaction("01")])
    move(tmp_path / FILE)
    with pytest.raises(ArchiveError):
        archive.append([transaction("02")])
    archive.append([transaction("02")])
    assert rows(tmp_path, "SELECT id FROM transactions") == [("02",)]


def test_a_store_that_was_replaced_is_noticed(archive: Archive, tmp_path: Path) -> None:
    with closing(Archive(tmp_path)) as another:
        (tmp_path / FILE).unlink()
        another.open()
        with pytest.raises(ArchiveError, match="replaced"):
            archive.append([transaction("01")])
        archive.append([transaction("01")])
    assert rows(tmp_path, "SELECT id FROM transactions") == [("01",)]


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at", os.urandom(8192)])
def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    archive = Archive(tmp_path)
    with pytest.raises(ArchiveError):
        archive.open()
    assert (tmp_path / FILE).read_bytes() == content


def test_a_store_of_a_later_version_is_left_alone(archive: Archive, tmp_path: Path) -> None:
    archive.close()
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ArchiveError, match="9999"):
        archive.append([transaction("01")])
    assert rows(tmp_path, "SELECT id FROM transactions") == []


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tidewaiter-test", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_an_error_and_nothing_is_half_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, closing(Archive(disk)) as archive:
        archive.append([transaction("01")])
        ballast = disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        with pytest.raises(ArchiveError, match=r"full|disk"):
            archive.append(transaction(f"{number:04}") for number in range(2000))
        ballast.unlink()
        archive.append([transaction("02")])
        assert rows(disk, "SELECT id FROM transactions ORDER BY id") == [("01",), ("02",)]
        assert rows(disk, "PRAGMA integrity_check") == [("ok",)]
