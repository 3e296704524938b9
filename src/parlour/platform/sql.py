"""The SQL database: one who writes, some who read, failures that are clean, and the revision of its tables."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Row, Table, create_engine, event, text
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from parlour.platform.errors import Unavailable

T = TypeVar("T")
AnyRow = Row[*tuple[Any, ...]]


class DatabaseUnavailable(Unavailable):
    """The database does not answer.

    Wait `retry_after` seconds, then repeat.
    """

    code = "database_unavailable"


class Database:
    """The SQLite database `sqlite:///path`, for one who writes and some who read at a time.

    Concurrency: the writers of this process pass one after the other, in the order in which they came, and hold nothing while they
    wait. Readers wait for no writer and no writer for them (WAL). Other processes may use the file too; SQLite's lock keeps their writers
    apart from ours. Failure: what the driver raises leaves as `DatabaseUnavailable` (retry_after 1 s), except `IntegrityError`, which the
    adapter that knows the constraint turns into an error of its own. An operation that raised has changed nothing, unless the
    connection was lost during the commit itself: then repeat it idempotently.
    """

    def __init__(self, url: str, *, readers: int = 2, timeout: float = 10.0) -> None:
        """Open no connection yet; `timeout` in seconds bounds each wait: for the writers before, for SQLite's lock, and for a read."""
        parsed = make_url(url)
        scheme = parsed.get_backend_name()
        if scheme != "sqlite" or not parsed.database:
            raise ValueError(f"PARLOUR_DATABASE_URL: {scheme}:// is not supported; use sqlite:///path")
        self._path = Path(parsed.database)
        _make_private(self._path)
        self._timeout = timeout
        self._turn = asyncio.Lock()  # fair, where SQLite lets its waiters sleep and look again
        options: dict[str, Any] = {
            "max_overflow": 0,
            "pool_timeout": timeout,
            "pool_reset_on_return": None,  # whoever began a transaction has ended it
            "connect_args": {"timeout": timeout},
        }
        self._writer = create_async_engine(parsed.set(drivername="sqlite+aiosqlite"), pool_size=1, **options)
        self._reader = create_engine(parsed.set(drivername="sqlite+pysqlite"), pool_size=readers, **options)
        event.listen(self._writer.sync_engine, "connect", _configure)
        event.listen(self._reader, "connect", _configure)
        event.listen(self._reader, "connect", _forbid_writing)
        self._threads = ThreadPoolExecutor(readers, "sql-reader")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that writes; it commits on exit and rolls back when the block raises."""
        with _translated():
            async with asyncio.timeout(self._timeout):
                await self._turn.acquire()
            try:
                async with self._writer.connect() as connection:
                    try:
                        # Taking the write lock at once waits for it; upgrading a read later fails with "database is locked".
                        await connection.exec_driver_sql("BEGIN IMMEDIATE")
                        yield connection
                        await connection.commit()
                    except BaseException:
                        await asyncio.shield(connection.rollback())
                        raise
            finally:
                self._turn.release()

    def insert(self, table: Table) -> Insert:
        """Return an INSERT that can say what to do on a conflict, which every engine writes in its own way."""
        return Insert(table)

    async def rows(self, query: Executable, **parameters: Any) -> Sequence[AnyRow]:
        """Return all rows of one query; it needs no transaction to see one moment, and costs one visit to a thread.

        A query that is built once and takes `parameters` costs less than half of one that is built for each call.
        """
        return await self._in_thread(lambda connection: connection.execute(query, parameters).all())

    async def row(self, query: Executable) -> AnyRow | None:
        """Return the first row of one query, None where there is none; as `rows`."""
        return await self._in_thread(lambda connection: connection.execute(query).first())

    async def snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work`, several queries that have to see one moment, in a thread; it returns values, not cursors."""

        def at_one_moment(connection: Connection) -> T:
            connection.exec_driver_sql("BEGIN")
            return work(connection)

        return await self._in_thread(at_one_moment)

    async def _in_thread(self, work: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._reader.connect() as connection:
                return work(connection)

        with _translated():
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    async def check(self) -> None:
        """Ask the engine for an answer.

        Raises:
            DatabaseUnavailable: there is none.
        """
        await self.row(text("SELECT 1"))

    async def backup(self, path: Path) -> None:
        """Copy the database as it is at one moment into a new file with mode 0600, while it is being used.

        Raises:
            DatabaseUnavailable: it cannot be read, or the file not be written.
        """

        def copy() -> None:
            with closing(sqlite3.connect(self._path, self._timeout, isolation_level=None)) as connection:
                connection.execute("VACUUM INTO ?", (str(path),))

        path.touch(mode=0o600)
        with _translated():
            await asyncio.to_thread(copy)

    async def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reader.dispose()
        await self._writer.dispose()


class _translated:  # noqa: N801 - reads as the statement it is
    """Turn what a driver raises into `DatabaseUnavailable`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, IntegrityError):
            return
        if isinstance(error, DBAPIError | PoolTimeoutError | sqlite3.Error | OSError):
            raise DatabaseUnavailable(retry_after=1) from error


def _make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `Database` says, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _forbid_writing(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only=ON")


async def migrate(database: Database, package: str) -> None:
    """Bring the tables of a service (`parlour.auth`) to its newest revision in `<package>/migrations/versions`.

    Each service has a version table of its own, so that services can share a database without sharing a history. A database that is
    already there is left as it is.

    Raises:
        TablesNewer: the tables are newer than this program.
    """
    if await is_current(database, package):
        return
    from parlour.platform.migrations import upgrade

    with as_file(files(package).joinpath("migrations")) as scripts:
        async with database.transaction() as connection:
            await connection.run_sync(upgrade, scripts, _service(package))


async def is_current(database: Database, package: str) -> bool:
    """Tell whether the tables of a service are of its newest revision."""
    versions = f"alembic_version_{_service(package)}"

    def stored(connection: Connection) -> str | None:
        there = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = ?", (versions,)).first()
        return connection.exec_driver_sql(f"SELECT version_num FROM {versions}").scalar() if there else None  # noqa: S608 - ours

    return await database.snapshot(stored) == newest_revision(package)


def newest_revision(package: str) -> str:
    """Return the newest revision of a service: what the last file in `<package>/migrations/versions` begins with."""
    names = [file.name for file in files(package).joinpath("migrations", "versions").iterdir()]
    return max(name.partition("_")[0] for name in names if name[:1].isdigit())


def _service(package: str) -> str:
    return package.rpartition(".")[2]
