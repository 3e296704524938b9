"""The SQL database in a SQLite file: one who writes, some who read at a time."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from parlour.platform.sql.database import AnyRow, Claim, Database, translated

T = TypeVar("T")


class SqliteDatabase(Database):
    """`Database` in the file that `sqlite:///path` names.

    Concurrency: the writers of this process pass one after the other, in the order in which they came, and hold nothing while they
    wait. Readers wait for no writer and no writer for them (WAL). Other processes may use the file too; SQLite's lock keeps their writers
    apart from ours.
    """

    def __init__(self, url: URL, *, readers: int = 2, timeout: float = 10.0) -> None:
        """Open no connection yet; `timeout` in seconds bounds each wait: for the writers before, for SQLite's lock, and for a read."""
        self._path = Path(url.database or "")
        _make_private(self._path)
        self._timeout = timeout
        self._turn = asyncio.Lock()  # fair, where SQLite lets its waiters sleep and look again
        options: dict[str, Any] = {
            "max_overflow": 0,
            "pool_timeout": timeout,
            "pool_reset_on_return": None,  # whoever began a transaction has ended it
            "connect_args": {"timeout": timeout},
        }
        self._writer = create_async_engine(url.set(drivername="sqlite+aiosqlite"), pool_size=1, **options)
        self._reader = create_engine(url.set(drivername="sqlite+pysqlite"), pool_size=readers, **options)
        event.listen(self._writer.sync_engine, "connect", _configure)
        event.listen(self._reader, "connect", _configure)
        event.listen(self._reader, "connect", _forbid_writing)
        self._threads = ThreadPoolExecutor(readers, "sql-reader")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that writes; it commits on exit and rolls back when the block raises."""
        with translated():
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

    async def alone(self, connection: AsyncConnection, what: str) -> None:
        """Return: a transaction that writes is alone with everything."""

    async def claim(self, what: str) -> Claim | None:
        """Return a claim that lasts: who serves a file holds a lock on it already."""
        return _Lasting()

    def insert(self, table: Table) -> Insert:
        """Return SQLite's INSERT."""
        return Insert(table)

    async def rows(self, query: Executable, **parameters: Any) -> Sequence[AnyRow]:
        """Return all rows of one query, for one visit to a thread."""
        return await self._in_thread(lambda connection: connection.execute(query, parameters).all())

    async def row(self, query: Executable) -> AnyRow | None:
        """Return the first row of one query."""
        return await self._in_thread(lambda connection: connection.execute(query).first())

    async def snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a thread, in a transaction that reads."""

        def at_one_moment(connection: Connection) -> T:
            connection.exec_driver_sql("BEGIN")
            return work(connection)

        return await self._in_thread(at_one_moment)

    async def _in_thread(self, work: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._reader.connect() as connection:
                return work(connection)

        with translated():
            async with asyncio.timeout(self._timeout):
                return await asyncio.get_running_loop().run_in_executor(self._threads, read)

    async def backup(self, path: Path) -> None:
        """Copy it by SQLite's own means."""

        def copy() -> None:
            with closing(sqlite3.connect(self._path, self._timeout, isolation_level=None)) as connection:
                connection.execute("VACUUM INTO ?", (str(path),))

        path.touch(mode=0o600)
        with translated():
            await asyncio.to_thread(copy)

    async def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reader.dispose()
        await self._writer.dispose()


class _Lasting(Claim):
    """What nobody else could hold."""

    async def held(self) -> bool:
        """Return True."""
        return True

    async def release(self) -> None:
        """Do nothing."""


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
