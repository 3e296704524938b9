"""What every SQL database promises, whatever its tables are."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from parlour.platform.sql import Claim, Database, DatabaseUnavailable, open_database

from ..postgresql_server import PostgresqlServer

things = sa.Table(
    "things", sa.MetaData(), sa.Column("name", sa.String(20), primary_key=True), sa.Column("count", sa.Integer)
)
NAMES = sa.select(things.c.name).order_by(things.c.name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/parlour.db"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return server.create()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = open_database(url)
    async with database.transaction() as connection:
        await connection.run_sync(things.metadata.create_all)
    yield database
    await database.close()


async def add(database: Database, name: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(things.insert(), {"name": name, "count": 0})


async def names(database: Database) -> list[str]:
    return [row[0] for row in await database.rows(NAMES)]


async def test_a_transaction_is_whole_or_not_at_all(database: Database) -> None:
    await add(database, "kept")

    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute(things.insert(), {"name": "lost", "count": 0})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await names(database) == ["kept"]


async def test_a_constraint_that_is_broken_is_the_adapters_to_name_and_the_next_one_may_write(
    database: Database,
) -> None:
    await add(database, "ann")
    with pytest.raises(IntegrityError):
        await add(database, "ann")
    await add(database, "ben")
    assert await names(database) == ["ann", "ben"]


async def test_a_caller_that_is_cancelled_has_changed_nothing_and_holds_nothing(database: Database) -> None:
    inside = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as connection:
            await connection.execute(things.insert(), {"name": "half", "count": 0})
            inside.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await add(database, "half")
    assert await names(database) == ["half"]


async def test_who_is_alone_with_something_waits_for_whoever_was(database: Database) -> None:
    """Twenty who each read a number and write the next one: none of the numbers is lost."""
    await add(database, "counter")

    async def count() -> None:
        async with database.transaction() as connection:
            await database.alone(connection, "the counter")
            value = await connection.scalar(sa.select(things.c.count))
            await asyncio.sleep(0)
            await connection.execute(things.update().values(count=value + 1))

    await asyncio.gather(*(count() for _ in range(20)))
    row = await database.row(sa.select(things.c.count))
    assert row is not None
    assert row[0] == 20


async def test_a_snapshot_sees_one_moment(database: Database) -> None:
    await add(database, "first")
    loop = asyncio.get_running_loop()
    written = asyncio.Event()
    seen: list[int] = []

    def look(connection: Connection) -> list[int]:
        counted = sa.select(sa.func.count()).select_from(things)
        seen.append(connection.execute(counted).scalar_one())
        loop.call_soon_threadsafe(written.set)
        seen.extend(connection.execute(counted).scalar_one() for _ in range(50))
        return seen

    looking = asyncio.create_task(database.snapshot(look))
    await written.wait()
    await add(database, "second")
    assert set(await looking) == {1}
    assert await names(database) == ["first", "second"]


async def test_a_snapshot_writes_nothing(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        await database.snapshot(lambda connection: connection.execute(things.insert(), {"name": "no", "count": 0}))
    assert await names(database) == []


async def test_it_is_claimed_by_one_process_until_that_closes_it(postgresql: PostgresqlServer) -> None:
    """A file is held by its lock: claim.py."""
    url = postgresql.create()
    first, second = open_database(url), open_database(url)
    claim = await first.claim("serving")
    assert claim is not None
    assert await claim.held()
    assert await second.claim("serving") is None
    other = await second.claim("something else")
    assert other is not None
    await first.close()
    assert not await claim.held()
    await claimed_soon(second, "serving")
    await second.close()


async def claimed_soon(database: Database, what: str) -> Claim:
    """Claim it as soon as the server has learnt of the end of the connection that held it, which it does when it looks."""
    async with asyncio.timeout(30):
        while (claim := await database.claim(what)) is None:  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.05)
    return claim


async def test_a_claim_that_is_released_is_the_next_ones(postgresql: PostgresqlServer) -> None:
    url = postgresql.create()
    first, second = open_database(url), open_database(url)
    claim = await first.claim("calls")
    assert claim is not None
    await claim.release()
    assert not await claim.held()
    await claimed_soon(second, "calls")
    await first.close()
    await second.close()


async def test_a_claim_is_lost_with_its_connection_and_both_sides_know(postgresql: PostgresqlServer) -> None:
    url = postgresql.create()
    first, second = open_database(url), open_database(url)
    claim = await first.claim("calls")
    assert claim is not None
    cut = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
    )
    assert await second.rows(cut)
    await claimed_soon(second, "calls")
    assert not await claim.held()
    assert await first.claim("calls") is None
    await first.close()
    await second.close()


async def test_a_server_that_dies_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    server = PostgresqlServer(tmp_path)
    database = open_database(server.create())
    try:
        async with database.transaction() as connection:
            await connection.run_sync(things.metadata.create_all)
        await add(database, "before")
        await asyncio.gather(*(database.check() for _ in range(5)))  # connections that will be broken
        server.stop()
        for work in (add(database, "meanwhile"), names(database), database.snapshot(lambda _: None), database.check()):
            with pytest.raises(DatabaseUnavailable) as refused:
                await work
            assert refused.value.retry_after == 1
        server.start()
        async with asyncio.timeout(60):
            while True:  # the guard lets one through to see, a second after it began to refuse
                try:
                    await add(database, "after")
                    break
                except DatabaseUnavailable:
                    await asyncio.sleep(0.05)
        assert await names(database) == ["after", "before"]
    finally:
        await database.close()
        server.stop()


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    database = open_database("postgresql://parlour@127.0.0.1:1/parlour", timeout=1)
    with pytest.raises(DatabaseUnavailable):
        await database.check()
    await database.close()
