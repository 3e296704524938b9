"""The SQL database: transactions, failures, migrations and copies, on real SQLite files."""

import asyncio
import sqlite3
import stat
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from parlour.platform.errors import TablesNewer
from parlour.platform.sql import Database, DatabaseUnavailable, is_current, migrate, newest_revision, open_database
from parlour.platform.sql.sqlite import SqliteDatabase

COUNT = text("SELECT count(*) FROM names")
NAMES = text("SELECT name FROM names ORDER BY rowid")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path}/parlour.db", timeout=20)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("CREATE TABLE names (name TEXT PRIMARY KEY)")
    yield database
    await database.close()


async def add(database: Database, *names: str) -> None:
    async with database.transaction() as connection:
        for name in names:
            await connection.exec_driver_sql("INSERT INTO names VALUES (?)", (name,))


async def names(database: Database) -> list[str]:
    return [row[0] for row in await database.rows(NAMES)]


async def test_transaction_commits_on_exit(database: Database) -> None:
    await add(database, "bob", "ann")
    assert await names(database) == ["bob", "ann"]


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


async def test_the_queries_of_a_snapshot_see_one_moment(database: Database, tmp_path: Path) -> None:
    def count_around_a_write(connection: Connection) -> list[int]:
        counts = [connection.execute(COUNT).scalar_one()]
        with closing(sqlite3.connect(tmp_path / "parlour.db")) as other, other:
            other.execute("INSERT INTO names VALUES ('ann')")
        return [*counts, connection.execute(COUNT).scalar_one()]

    assert await database.snapshot(count_around_a_write) == [0, 0]
    assert await names(database) == ["ann"]


async def test_what_reads_cannot_write(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        await database.rows(text("INSERT INTO names VALUES ('ann') RETURNING name"))
    assert await names(database) == []


async def test_a_read_of_one_query_is_one_visit_to_a_thread(database: SqliteDatabase) -> None:
    await names(database)
    visits = [0]
    submit = database._threads.submit

    def counting(*args: Any, **options: Any) -> Any:
        visits[0] += 1
        return submit(*args, **options)

    database._threads.submit = counting  # nothing else tells how often
    await names(database)
    assert visits == [1]


async def test_lock_that_is_held_too_long_is_unavailable(database: Database, tmp_path: Path) -> None:
    """What SQLite calls "database is locked" comes after `timeout`, with the time to wait."""
    hasty = open_database(f"sqlite:///{tmp_path}/parlour.db", timeout=0.2)
    other = sqlite3.connect(tmp_path / "parlour.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(DatabaseUnavailable) as refused:
        await add(hasty, "ann")
    assert refused.value.retry_after == 1
    other.execute("ROLLBACK")
    other.close()
    await add(database, "ann")
    await hasty.close()


async def test_readers_that_stay_busy_are_unavailable(tmp_path: Path) -> None:
    database = SqliteDatabase(make_url(f"sqlite:///{tmp_path}/small.db"), readers=1, timeout=0.1)
    release = threading.Event()
    held = asyncio.create_task(database.snapshot(lambda _connection: release.wait()))
    await asyncio.sleep(0)
    with pytest.raises(DatabaseUnavailable):
        await database.check()
    release.set()
    with pytest.raises(DatabaseUnavailable):
        await held
    await database.check()
    await database.close()


async def test_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "parlour.db").write_bytes(b"this is a text, and a long enough one" * 100)
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    with pytest.raises(DatabaseUnavailable):
        await database.check()
    await database.close()


async def test_statement_that_is_wrong_is_no_driver_error_outside(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        await database.rows(text("SELECT * FROM nowhere"))


async def test_writers_pass_in_the_order_in_which_they_came(database: Database) -> None:
    await asyncio.gather(*(add(database, name) for name in "hgfedcba"))
    assert await names(database) == list("hgfedcba")


async def test_readers_wait_for_no_writer(database: Database) -> None:
    """However many of these there are, and however slow."""
    go_on = asyncio.Event()

    async def write_slowly(name: str) -> None:
        async with database.transaction() as connection:
            await connection.exec_driver_sql("INSERT INTO names VALUES (?)", (name,))
            await go_on.wait()

    await add(database, "ann")
    writers = [asyncio.create_task(write_slowly(f"writer {number}")) for number in range(30)]
    assert [await names(database) for _ in range(20)] == [["ann"]] * 20
    assert await database.snapshot(lambda connection: connection.execute(COUNT).scalar_one()) == 1
    go_on.set()
    await asyncio.gather(*writers)
    assert len(await names(database)) == 31


async def test_a_writer_that_waits_too_long_for_others_is_unavailable(database: Database, tmp_path: Path) -> None:
    hasty = open_database(f"sqlite:///{tmp_path}/parlour.db", timeout=0.2)
    async with hasty.transaction():
        with pytest.raises(DatabaseUnavailable) as refused:
            await add(hasty, "ann")
    assert refused.value.retry_after == 1
    await add(database, "ann")
    await hasty.close()


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5, 8, 13, 40])
async def test_a_writer_that_is_cancelled_holds_up_nobody(database: Database, turns: int) -> None:
    """Wherever it is: waiting for its turn, for the connection, for a statement or for the commit."""
    first, second = asyncio.create_task(add(database, "first")), asyncio.create_task(add(database, "second"))
    for _ in range(turns):
        await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    await asyncio.wait([first, second])
    await add(database, "third")
    assert await names(database) in (["third"], ["first", "third"], ["first", "second", "third"])


async def test_other_processes_may_write_to_the_file_meanwhile(database: Database, tmp_path: Path) -> None:
    other = open_database(f"sqlite:///{tmp_path}/parlour.db")
    await asyncio.gather(*(add(which, f"{number}") for number, which in enumerate([database, other] * 10)))
    assert len(await names(database)) == 20
    await other.close()


async def test_file_is_its_owners_alone_and_durable(database: Database, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "parlour.db").stat().st_mode) == 0o600
    async with database.transaction() as connection:
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


@pytest.mark.parametrize("url", ["mysql://localhost/parlour", "sqlite://"], ids=["another engine", "no path"])
def test_another_engine_and_no_path_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=f"{url.partition(':')[0]}:// is not supported"):
        open_database(url)


@pytest.mark.parametrize("service", ["parlour.auth", "parlour.chat"])
async def test_migrating_twice_changes_nothing(tmp_path: Path, service: str) -> None:
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    await migrate(database, service)
    first = await tables(database)
    await migrate(database, service)
    assert await tables(database) == first
    assert f"alembic_version_{service.rpartition('.')[2]}" in str(first)
    await database.close()


@pytest.mark.parametrize("service", ["parlour.auth", "parlour.chat"])
def test_the_newest_revision_is_what_alembic_says(service: str) -> None:
    """Each file begins with its revision."""
    folder = Path(str(files(service))) / "migrations"
    config = Config()
    config.set_main_option("script_location", str(folder))
    directory = ScriptDirectory.from_config(config)
    assert newest_revision(service) == directory.get_current_head()
    for script in directory.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")


async def test_tables_of_the_newest_revision_need_no_alembic(tmp_path: Path) -> None:
    """It takes 0.1 s to import."""
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    assert not await is_current(database, "parlour.auth")
    await migrate(database, "parlour.auth")
    assert await is_current(database, "parlour.auth")
    await database.close()
    program = (
        "import asyncio, sys; from parlour.platform.sql import migrate, open_database; import parlour.cli\n"
        f"asyncio.run(migrate(open_database('sqlite:///{tmp_path}/parlour.db'), 'parlour.auth'))\n"
        "sys.exit('alembic' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


async def tables(database: Database) -> list[str]:
    return [row[0] for row in await database.rows(text("SELECT sql FROM sqlite_master ORDER BY name"))]


async def test_services_share_a_database_with_a_history_each(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    for service in ("parlour.auth", "parlour.chat", "parlour.auth"):
        await migrate(database, service)
    await database.close()


async def test_newer_tables_are_refused_and_left_alone(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/parlour.db")
    await migrate(database, "parlour.auth")
    async with database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version_auth SET version_num = '9999'")
    before = await tables(database)
    with pytest.raises(TablesNewer, match="newer Parlour"):
        await migrate(database, "parlour.auth")
    assert await tables(database) == before
    await database.close()
