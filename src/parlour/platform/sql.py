"""The SQL database: its engine by URL scheme, transactions that fail cleanly, and forward migrations."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from parlour.platform.errors import Unavailable

_DRIVERS = {"sqlite": "sqlite+aiosqlite"}


class DatabaseUnavailable(Unavailable):
    """The database does not answer.

    Wait `retry_after` seconds, then repeat.
    """

    code = "database_unavailable"


class Database:
    """A pool of connections to `sqlite:///path`.

    Failure: what the driver raises leaves as `DatabaseUnavailable` (retry_after 1 s), except `IntegrityError`, which the adapter that
    knows the constraint turns into an error of its own. An operation that raised has changed nothing, unless the connection was lost
    during the commit itself: then repeat it idempotently.
    """

    def __init__(self, url: str, *, pool_size: int = 5, timeout: float = 10.0) -> None:
        """Open no connection yet; `timeout` in seconds bounds the wait for a connection and for SQLite's write lock."""
        parsed = make_url(url)
        driver = _DRIVERS.get(parsed.get_backend_name())
        if driver is None:
            raise ValueError(f"PARLOUR_DATABASE_URL: {parsed.get_backend_name()}:// is not supported; use sqlite:///")
        self.dialect = parsed.get_backend_name()
        options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_timeout": timeout}
        if self.dialect == "sqlite":
            options["connect_args"] = {"timeout": timeout}
        self.engine: AsyncEngine = create_async_engine(parsed.set(drivername=driver), **options)
        if self.dialect == "sqlite":
            if parsed.database:
                _make_private(Path(parsed.database))
            event.listen(self.engine.sync_engine, "connect", _configure_sqlite)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection in a transaction that writes; it commits on exit and rolls back when the block raises."""
        with _translated():
            async with self.engine.connect() as connection:
                if self.dialect == "sqlite":
                    # Taking the write lock at once waits for it; upgrading a read later fails with "database is locked".
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    yield connection
                    await connection.commit()
                except BaseException:
                    await asyncio.shield(connection.rollback())
                    raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection for reading one consistent snapshot."""
        with _translated():
            async with self.engine.connect() as connection:
                if self.dialect == "sqlite":
                    await connection.exec_driver_sql("BEGIN")
                yield connection

    async def check(self) -> None:
        """Ask the engine for an answer.

        Raises:
            DatabaseUnavailable: there is none.
        """
        async with self.reading() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def backup(self, path: Path) -> None:
        """Copy a SQLite database as it is at one moment into a new file with mode 0600, while it is being used.

        Raises:
            DatabaseUnavailable: it cannot be read, or the file not be written.
        """
        path.touch(mode=0o600)
        with _translated():
            async with self.engine.connect() as connection:
                await connection.exec_driver_sql("VACUUM INTO ?", (str(path),))

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


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


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `Database` says, not where the driver guesses
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


async def migrate(database: Database, package: str) -> None:
    """Bring the tables of a service (`parlour.auth`) to its newest revision in `<package>/migrations/versions`.

    Each service has a version table of its own, so that services can share a database without sharing a history. A database that is
    already there is left as it is; one that is newer than this program is refused with a RuntimeError.
    """
    service = package.rpartition(".")[2]

    def upgrade(connection: Connection, scripts: Path) -> None:
        config = Config()
        config.set_main_option("script_location", str(scripts))
        directory = ScriptDirectory.from_config(config)

        def steps(revision: Any, _context: object) -> Any:
            known = {script.revision for script in directory.walk_revisions()}
            current = revision if isinstance(revision, tuple) else ((revision,) if revision else ())
            if any(item not in known for item in current):
                raise RuntimeError(
                    f"the {service} tables were made by a newer Parlour (revision {current[0]}): upgrade this program"
                )
            return directory._upgrade_revs("head", revision)  # noqa: SLF001 - alembic's own env.py template calls it through command.upgrade

        with EnvironmentContext(config, directory, fn=steps) as environment:
            environment.configure(
                connection=connection,
                version_table=f"alembic_version_{service}",
                render_as_batch=True,
                transaction_per_migration=False,
            )
            environment.run_migrations()

    with as_file(files(package).joinpath("migrations")) as scripts:
        async with database.transaction() as connection:
            await connection.run_sync(upgrade, scripts)
