"""The SQL database by its URL, and the revision of its tables."""

from importlib.resources import as_file, files

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from parlour.platform.sql.database import AnyRow, Claim, Database, DatabaseUnavailable

__all__ = [
    "AnyRow",
    "Claim",
    "Database",
    "DatabaseUnavailable",
    "is_current",
    "migrate",
    "newest_revision",
    "open_database",
]


def open_database(url: str, *, timeout: float = 10.0, called: str = "postgresql") -> Database:
    """Return the database of `sqlite:///path` or `postgresql://…`; it opens no connection yet. Metrics know a server as `called`.

    Raises:
        ValueError: another scheme, or no path.
    """
    parsed = make_url(url)
    match parsed.get_backend_name():
        case "sqlite" if parsed.database:
            from parlour.platform.sql.sqlite import SqliteDatabase

            return SqliteDatabase(parsed, timeout=timeout)
        case "postgresql":
            from parlour.platform.sql.postgresql import PostgresqlDatabase

            return PostgresqlDatabase(parsed, timeout=timeout, called=called)
        case scheme:
            raise ValueError(f"{scheme}:// is not supported; use sqlite:///path or postgresql://host/name")


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
            await database.alone(connection, f"migrations of {package}")
            await connection.run_sync(upgrade, scripts, _service(package))


async def is_current(database: Database, package: str) -> bool:
    """Tell whether the tables of a service are of its newest revision."""
    versions = f"alembic_version_{_service(package)}"

    def stored(connection: Connection) -> str | None:
        if not sa.inspect(connection).has_table(versions):
            return None
        return connection.exec_driver_sql(f"SELECT version_num FROM {versions}").scalar()  # noqa: S608 - ours

    return await database.snapshot(stored) == newest_revision(package)


def newest_revision(package: str) -> str:
    """Return the newest revision of a service: what the last file in `<package>/migrations/versions` begins with."""
    names = [file.name for file in files(package).joinpath("migrations", "versions").iterdir()]
    return max(name.partition("_")[0] for name in names if name[:1].isdigit())


def _service(package: str) -> str:
    return package.rpartition(".")[2]
