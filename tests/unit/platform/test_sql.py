"""The SQL database: transactions, failures, migrations and copies, on real SQLite files."""

import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from parlour.platform.sql import Database, DatabaseUnavailable, migrate


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/parlour.db", timeout=0.2)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE names (name TEXT PRIMARY KEY)")
    yield database
    await database.close()


async def add(database: Database, *names: str) -> None:
    async with database.transaction() as connection:
        for name in names:
            await connection.exec_driver_sql("INSERT INTO names VALUES (?)", (name,))


async def names(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.exec_driver_sql("SELECT name FROM names ORDER BY name")).scalars())


async def test_transaction_commits_on_exit(database: Database) -> None:
    await add(database, "ann", "bob")
    assert await names(database) == ["ann", "bob"]


@pytest.mark.parametrize("failure", [ValueError, asyncio.CancelledError, KeyError])
async def test_transaction_rolls_back_when_the_block_raises(database: Database, failure: type[BaseException]) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("INSERT INTO names VALUES ('ann')")
            raise failure

    with pytest.raises(failure):
        await fail()
    assert await names(database) == []
    await add(database, "bob")


async def test_integrity_errors_are_left_to_the_adapter(database: Database) -> None:
    await add(database, "ann")
    with pytest.raises(IntegrityError):
        await add(database, "bob", "ann")
    assert await names(database) == ["ann"]


async def test_reading_sees_one_snapshot(database: Database) -> None:
    async with database.reading() as connection:
        before = (await connection.exec_driver_sql("SELECT count(*) FROM names")).scalar()
        await add(database, "ann")
        assert (await connection.exec_driver_sql("SELECT count(*) FROM names")).scalar() == before == 0
    assert await names(database) == ["ann"]


async def test_lock_that_is_held_too_long_is_unavailable(database: Database, tmp_path: Path) -> None:
    """What SQLite calls "database is locked" comes after `timeout`, with the time to wait."""
    other = sqlite3.connect(tmp_path / "parlour.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable) as refused:
        await add(database, "ann")
    assert refused.value.retry_after == 1
    other.execute("ROLLBACK")
    other.close()
    await add(database, "ann")


async def test_pool_that_stays_empty_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/small.db", pool_size=1, timeout=0.1)
    async with database.reading():
        with pytest.raises(DatabaseUnavailable):
            await database.check()
    await database.check()
    await database.close()


async def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "parlour.db").write_bytes(b"this is a text, and a long enough one" * 100)
    database = Database(f"sqlite:///{tmp_path}/parlour.db")
    with pytest.raises(DatabaseUnavailable):
        await database.check()
    await database.close()


async def test_statement_that_is_wrong_is_no_driver_error_outside(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with database.reading() as connection:
            await connection.exec_driver_sql("SELECT * FROM nowhere")


async def test_writers_wait_for_each_other(tmp_path: Path) -> None:
    """Twenty at once on five connections: BEGIN IMMEDIATE waits, it does not fail."""
    database = Database(f"sqlite:///{tmp_path}/parlour.db")
    async with database.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE names (name TEXT PRIMARY KEY)")
    await asyncio.gather(*(add(database, f"{number:02}") for number in range(20)))
    assert await names(database) == [f"{number:02}" for number in range(20)]
    await database.close()


async def test_file_is_its_owners_alone_and_durable(database: Database, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "parlour.db").stat().st_mode) == 0o600
    async with database.reading() as connection:
        for pragma, expected in {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}.items():
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar() == expected


async def test_backup_is_a_private_copy_of_one_moment(database: Database, tmp_path: Path) -> None:
    await add(database, "ann")
    copy = tmp_path / "copy.db"
    await database.backup(copy)
    await add(database, "bob")
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT name FROM names").fetchall() == [("ann",)]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


async def test_backup_over_a_database_is_refused(database: Database, tmp_path: Path) -> None:
    """And what stands there is left as it is."""
    copy = tmp_path / "copy.db"
    await database.backup(copy)
    kept = copy.read_bytes()
    with pytest.raises(DatabaseUnavailable):
        await database.backup(copy)
    assert copy.read_bytes() == kept


def test_other_engines_are_refused_by_the_name_of_the_setting() -> None:
    with pytest.raises(ValueError, match="PARLOUR_DATABASE_URL: mysql:// is not supported"):
        Database("mysql://localhost/parlour")


@pytest.mark.parametrize("service", ["parlour.auth", "parlour.chat"])
async def test_migrating_twice_changes_nothing(tmp_path: Path, service: str) -> None:
    database = Database(f"sqlite:///{tmp_path}/parlour.db")
    await migrate(database, service)
    first = await tables(database)
    await migrate(database, service)
    assert await tables(database) == first
    assert f"alembic_version_{service.rpartition('.')[2]}" in str(first)
    await database.close()


async def tables(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name")).scalars())


async def test_services_share_a_database_with_a_history_each(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/parlour.db")
    for service in ("parlour.auth", "parlour.chat", "parlour.auth"):
        await migrate(database, service)
    await database.close()


async def test_newer_tables_are_refused_and_left_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/parlour.db")
    await migrate(database, "parlour.auth")
    async with database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version_auth SET version_num = '9999'")
    before = await tables(database)
    with pytest.raises(RuntimeError, match="newer Parlour"):
        await migrate(database, "parlour.auth")
    assert await tables(database) == before
    await database.close()
