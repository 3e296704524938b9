"""The SQL database on a PostgreSQL server."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard
from parlour.platform.sql.database import AnyRow, Claim, Database, DatabaseUnavailable, translated

T = TypeVar("T")

_ADVISORY = 0x5061726C  # "Parl": the first half of our advisory locks' keys, apart from those of others in the database

_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")

_ANSWER_WITHIN = 2.0
"""Seconds after which a claim is taken for lost."""

_NOTICE_SOON = """
    SELECT set_config('tcp_keepalives_idle', '3', false),
           set_config('tcp_keepalives_interval', '1', false),
           set_config('tcp_keepalives_count', '3', false),
           set_config('tcp_user_timeout', '6000', false)
"""
"""So that the server lets go of a claim some seconds after the claimant's machine has gone without a word, and not after hours."""


def _tls(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return a URL without what its query says of TLS, and that as asyncpg takes it.

    asyncpg reads the files of certificates from a DSN alone, and believes no authority of the system's.

    Raises:
        ValueError: a mode that is none, or a file that cannot be read.
    """
    query = dict(url.query)
    names = ("sslmode", "ssl", "sslrootcert", "sslcert", "sslkey")
    said = {name: str(query.pop(name)) for name in names if name in query}
    if not said:
        return url, {}
    mode = said.get("sslmode") or said.get("ssl") or "verify-full"
    if mode not in _TLS_MODES:
        raise ValueError(f"sslmode of postgresql:// is one of {', '.join(_TLS_MODES)}")
    tls: str | ssl.SSLContext = mode
    try:
        if mode.startswith("verify-"):
            tls = ssl.create_default_context(cafile=said.get("sslrootcert"))
            tls.check_hostname = mode == "verify-full"
        elif "sslcert" in said:
            tls = ssl.create_default_context()
            tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        if isinstance(tls, ssl.SSLContext) and "sslcert" in said:
            tls.load_cert_chain(said["sslcert"], said.get("sslkey"))
    except OSError as error:  # and ssl.SSLError
        raise ValueError(
            f"the certificates that postgresql:// names cannot be used: {error.strerror or error}"
        ) from error
    return url.set(query=query), {"ssl": tls}


def check_tls(url: str) -> None:
    """Raise ValueError where a URL says something of TLS that cannot be done."""
    _tls(make_url(url))


class PostgresqlDatabase(Database):
    """`Database` on the server that `postgresql://user:password@host:port/name` names, over TLS as its query says.

    As for libpq, `sslmode` (or `ssl`) is `require`, `verify-ca` or `verify-full`, with the authority in the file `sslrootcert` (else the
    system's), and a client's certificate in `sslcert` and `sslkey`.

    Concurrency: transactions run beside each other (READ COMMITTED) on at most `connections` connections of this process; who finds
    none free waits for one. When the server goes away, what was under way raises, and so does everything until it is there again,
    after some failures at once (guard.py); a connection that broke meanwhile is noticed before it is used. Reads are tried again.
    """

    def __init__(self, url: URL, *, connections: int = 10, timeout: float = 10.0, called: str = "postgresql") -> None:
        """Open no connection yet; `timeout` in seconds bounds each wait: for a connection, for one that is made, and for a statement."""
        self._timeout = timeout
        url, tls = _tls(url)
        self._engine = create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=timeout,
            pool_pre_ping=True,
            connect_args={
                **tls,
                "timeout": timeout,
                "command_timeout": timeout,
                "server_settings": {"application_name": "parlour", "lock_timeout": f"{int(timeout * 1000)}ms"},
            },
        )
        # A transaction has several steps, each with the timeout; more callers than connections wait in turn.
        self._guard = Guard(
            called,
            DatabaseUnavailable,
            timeout=6 * timeout,
            concurrent=10 * connections,
            is_failure=lambda error: not _answered(error),
        )
        self._claims: set[_AdvisoryClaim] = set()
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

    async def claim(self, what: str) -> Claim | None:
        """Take an advisory lock on a connection of its own. It ends with the connection: the server, restarted, knows of no claim."""
        async with self._guard.once():
            with translated():
                connection = await self._single.connect()
                claim = _AdvisoryClaim(connection, self._claims.discard)
                try:
                    taken = await connection.exec_driver_sql(
                        "SELECT pg_try_advisory_lock($1::integer, $2::integer)", (_ADVISORY, _key(what))
                    )
                    if not taken.scalar_one():
                        await connection.close()
                        return None
                    await connection.exec_driver_sql(_NOTICE_SOON)
                except BaseException:
                    await claim.release()
                    raise
        self._claims.add(claim)
        return claim

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
        for claim in tuple(self._claims):
            await claim.release()
        await self._engine.dispose()


class _AdvisoryClaim(Claim):
    """An advisory lock, held by a connection that does nothing else."""

    def __init__(self, connection: AsyncConnection, forget: Callable[["_AdvisoryClaim"], None]) -> None:
        self._connection: AsyncConnection | None = connection
        self._forget = forget

    async def held(self) -> bool:
        """Ask on the connection itself."""
        if self._connection is None:
            return False
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                await self._connection.exec_driver_sql("SELECT 1")
        except Exception:  # whatever it is, what this connection held is not known to be held
            await self.release()
            return False
        return True

    async def release(self) -> None:
        """End the connection, and with it the lock."""
        self._forget(self)
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # what is left of a connection that broke is nothing to end with
                await connection.invalidate()
                await connection.close()


def _answered(error: Unavailable) -> bool:
    """Tell whether it was the server that refused, and not for being in no state to serve: classes 08, 53 and 57P of SQLSTATE."""
    cause = error.__cause__
    state = getattr(cause.orig, "sqlstate", None) if isinstance(cause, DBAPIError) else None
    return isinstance(state, str) and not state.startswith(("08", "53", "57P"))


def _key(what: str) -> int:
    return zlib.crc32(what.encode()) - 2**31  # a signed integer of PostgreSQL's
