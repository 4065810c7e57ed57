"""The SQLite file of transactions and refusals: written by one process, in groups.

A group is one commit, and a commit is on disk when it returns (`synchronous=FULL`). Records that
are there already, by id, are left as they are: whoever did not hear that a commit succeeded sends
its records again. A file that was removed or replaced under us is noticed before the next group,
because SQLite itself would go on writing into the file without a name.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Table, create_engine, delete, event, func, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from tidewaiter.store.records import Record
from tidewaiter.store.rows import microseconds, moment, rows_of
from tidewaiter.store.tables import REFUSALS, TRANSACTIONS

FILE = "record.sqlite3"
"""The file's name within the state folder."""

BUSY_SECONDS = 1.0
"""How long another program (a backup, a shell) may hold the lock before a group fails."""

_DATED = (TRANSACTIONS, REFUSALS)
_ALL = 2**63 - 1

PRUNE_ROWS = 5000
"""Rows deleted of each table at a time, so that a group never waits for long."""


class ArchiveError(Exception):
    """The record cannot be written now: locked, full, gone or not ours. Worth another try."""


class Archive:
    """The file; used by one thread. Every method opens it where needed, and closes it after an error."""

    def __init__(self, folder: Path) -> None:
        """Name the record in a state folder; nothing is opened yet."""
        self._path = folder / FILE
        self._connection: Connection | None = None
        self._identity = (0, 0)

    def open(self) -> None:
        """Open the file where it is not open, create it, or bring its schema up to date.

        :raises ArchiveError: if that is not possible now.
        """
        with self._opened():
            pass

    def append(self, records: Iterable[Record]) -> None:
        """Commit a group of records; when this returns they are on disk.

        :raises ArchiveError: if they may not be.
        """
        with self._opened() as connection:
            if self._identify() != self._identity:
                raise ArchiveError("the file was removed or replaced")
            with connection.begin():
                for statement, rows in rows_of(records).items():
                    if rows:
                        connection.exec_driver_sql(statement, rows)

    def oldest(self) -> datetime | None:
        """When the oldest record was written; None where there is none.

        :raises ArchiveError: if the file cannot be read now.
        """
        with self._opened() as connection:
            times = [connection.execute(select(func.min(table.c.time))).scalar() for table in _DATED]
            connection.rollback()
            found = [time for time in times if time is not None]
            return moment(min(found)) if found else None

    def prune(self, horizon: datetime, size: int) -> int:
        """Delete some of what is older than `horizon`, or, where the file is over `size`, the oldest.

        Returns how many rows were deleted; call it again while that is not 0.

        :raises ArchiveError: if the file cannot be written now.
        """
        with self._opened() as connection:
            limit = microseconds(horizon) if self._used(connection) <= size else _ALL
            with connection.begin():
                deleted = sum(_delete_oldest(connection, table, limit) for table in _DATED)
            if deleted:
                _give_back(connection)
            return deleted

    def close(self) -> None:
        """Close the file; SQLite moves its write-ahead log into it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(SQLAlchemyError, OSError):  # it is given up: what was not committed is not in it
                connection.close()
            connection.engine.dispose()

    def _identify(self) -> tuple[int, int]:
        status = self._path.stat()
        return status.st_dev, status.st_ino

    @staticmethod
    def _used(connection: Connection) -> int:
        page, pages, free = (
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("page_size", "page_count", "freelist_count")
        )
        connection.rollback()
        return int(page * (pages - free))

    @contextmanager
    def _opened(self) -> Iterator[Connection]:
        """Open where needed; turn what SQLite and the disk say into one error, and close, to begin anew."""
        try:
            if self._connection is None:
                self._connection = _connect(self._path)
                _migrate(self._connection)
                self._identity = self._identify()
            yield self._connection
        except (SQLAlchemyError, OSError) as error:
            self.close()
            raise ArchiveError(str(getattr(error, "orig", None) or error)) from error
        except ArchiveError:
            self.close()
            raise


def _connect(path: Path) -> Connection:
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS})

    event.listen(engine, "connect", _configure)
    return engine.connect()


def _configure(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _migrate(connection: Connection) -> None:
    """Take the steps that the file lacks."""
    # Alembic takes a second to import on a busy machine; the clerk answers its sockets before that.
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415 - see above
    from alembic.util.exc import CommandError  # noqa: PLC0415 - see above

    config = Config()
    config.set_main_option("script_location", "tidewaiter.store:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:  # as of a file that a later version has written
        raise ArchiveError(str(error)) from error
    connection.commit()


def _give_back(connection: Connection) -> None:
    """Let the file shrink; the statement gives a page back at each step, and only a script takes all steps."""
    driver = connection.connection.driver_connection
    assert driver is not None, "it is open"
    driver.executescript("PRAGMA incremental_vacuum")


def _delete_oldest(connection: Connection, table: Table, limit: int) -> int:
    oldest = select(table.c.id).where(table.c.time < limit).order_by(table.c.time).limit(PRUNE_ROWS)
    return connection.execute(delete(table).where(table.c.id.in_(oldest))).rowcount
