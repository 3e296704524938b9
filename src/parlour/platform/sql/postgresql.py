"""The SQL database on a PostgreSQL server."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from parlour.platform.guard import Guard
from parlour.platform.sql.database import AnyRow, Database, DatabaseUnavailable, translated

T = TypeVar("T")

_ADVISORY = 0x5061726C  # "Parl": the first half of our advisory locks' keys, apart from those of others in the database


class PostgresqlDatabase(Database):
    """`Database` on the server that `postgresql://user:password@host:port/name` names; `?ssl=require` and its like are asyncpg's.

    Concurrency: transactions run beside each other (READ COMMITTED) on at most `connections` connections of this process; who finds
    none free waits for one. When the server goes away, what was under way raises, and so does everything until it is there again,
    after some failures at once (guard.py); a connection that broke meanwhile is noticed before it is used. Reads are tried again.
    """

    def __init__(self, url: URL, *, connections: int = 10, timeout: float = 10.0) -> None:
        """Open no connection yet; `timeout` in seconds bounds each wait: for a connection, for one that is made, and for a statement."""
        self._timeout = timeout
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=timeout,
            pool_pre_ping=True,
            connect_args={
                "timeout": timeout,
                "command_timeout": timeout,
                "server_settings": {"application_name": "parlour", "lock_timeout": f"{int(timeout * 1000)}ms"},
            },
        )
        # A transaction has several steps, each with the timeout; more callers than connections wait in turn.
        self._guard = Guard("postgresql", DatabaseUnavailable, timeout=6 * timeout, concurrent=10 * connections)
        self._claim: AsyncConnection | None = None
        self._single = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._frozen = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction."""
        async with self._guard.once():
            with translated():
                async with self._engine.connect() as connection:
                    try:
                        yield connection
                        await connection.commit()
                    except BaseException:
                        await asyncio.shield(connection.rollback())
                        raise

    async def alone(self, connection: AsyncConnection, what: str) -> None:
        """Take an advisory lock until the transaction ends."""
        await connection.exec_driver_sql(
            "SELECT pg_advisory_xact_lock($1::integer, $2::integer)", (_ADVISORY, _key(what))
        )

    async def claim(self) -> bool:
        """Take an advisory lock on a connection of its own. It ends with the connection: the server, restarted, knows of no claim."""
        with translated():
            connection = await self._single.connect()
            taken = await connection.exec_driver_sql(
                "SELECT pg_try_advisory_lock($1::integer, $2::integer)", (_ADVISORY, _key("serving"))
            )
            if taken.scalar_one():
                self._claim = connection
                return True
            await connection.close()
            return False

    def insert(self, table: Table) -> Insert:
        """Return PostgreSQL's INSERT."""
        return Insert(table)

    async def rows(self, query: Executable, **parameters: Any) -> Sequence[AnyRow]:
        """Return all rows of one query, in one round trip."""

        async def ask() -> Sequence[AnyRow]:
            with translated():
                async with self._single.connect() as connection:
                    return (await connection.execute(query, parameters)).all()

        return await self._guard.call(ask, repeatable=True)

    async def row(self, query: Executable) -> AnyRow | None:
        """Return the first row of one query."""

        async def ask() -> AnyRow | None:
            with translated():
                async with self._single.connect() as connection:
                    return (await connection.execute(query)).first()

        return await self._guard.call(ask, repeatable=True)

    async def snapshot(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction that sees one moment."""

        async def ask() -> T:
            with translated():
                async with self._frozen.connect() as connection:
                    return await connection.run_sync(work)

        return await self._guard.call(ask, repeatable=True)

    async def backup(self, path: Path) -> None:
        """Refuse: a server's copies are made by the server's tools.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"PostgreSQL is not copied into {path.name}: use pg_dump")

    async def close(self) -> None:
        """Close every connection."""
        if self._claim is not None:
            with suppress(Exception):  # what is left of a connection that broke is nothing to end with
                await self._claim.invalidate()
                await self._claim.close()
        await self._engine.dispose()


def _key(what: str) -> int:
    return zlib.crc32(what.encode()) - 2**31  # a signed integer of PostgreSQL's
