"""What every CallStore promises."""

from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from parlour.platform.errors import Unavailable
from parlour.platform.ids import RoomId, SessionId, UserId, uuid4, uuid7
from parlour.platform.sql import Database
from parlour.video.adapters.memory import MemoryCallStore
from parlour.video.adapters.sql import SqlCallStore
from parlour.video.adapters.tables import calls, metadata
from parlour.video.model import Call, CallId, EndReason, Media, Participant, ParticipantId
from parlour.video.ports import CallStore


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.video"


@pytest.fixture(params=["memory", "sql"])
def store(request: pytest.FixtureRequest, database: Database) -> CallStore:
    return MemoryCallStore() if request.param == "memory" else SqlCallStore(database)


def a_call() -> Call:
    """A call with something in every field."""
    ann, bob = UserId(uuid7()), UserId(uuid7())
    caller = Participant(ParticipantId(uuid7()), ann, SessionId(uuid7()), "socket", 1, screen=True)
    return Call(
        id=CallId(uuid7()),
        room_id=RoomId(uuid4()),
        private=True,
        media=Media.VIDEO,
        started_by=ann,
        started_at=1_764_018_000_000,
        participants={caller.id: caller},
        ringing={bob},
        took_part=[ann],
        kicked={UserId(uuid7())},
    )


async def test_calls_are_kept_as_they_were_written_last(store: CallStore) -> None:
    first, second = a_call(), a_call()
    await store.write([first, second], [])
    first.answered_at, first.ringing = 1_764_018_004_000, set()
    await store.write([first], [])
    assert sorted(await store.load(), key=lambda call: call.id) == [first, second]


async def test_what_is_kept_is_as_it_was_when_write_was_called(store: CallStore) -> None:
    call = a_call()
    before = msgspec.convert(msgspec.to_builtins(call), Call)
    writing = store.write([call], [])
    await writing
    call.ended_at, call.end_reason = 1, EndReason.HANGUP
    assert await store.load() == [before]


async def test_forgotten_calls_are_gone_and_forgetting_twice_is_no_error(store: CallStore) -> None:
    first, second = a_call(), a_call()
    await store.write([first, second], [])
    await store.write([], [first.id])
    await store.write([], [first.id, CallId("unknown")])
    assert await store.load() == [second]
    await store.write([], [])
    await store.write([first], [second.id])
    assert await store.load() == [first]


async def test_the_migrated_schema_is_that_of_the_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, metadata)
        return [each for each in found if "alembic_version" not in repr(each)]

    assert await database.snapshot(differences) == []


async def test_row_that_cannot_be_read_costs_the_others_nothing(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    store, call = SqlCallStore(database), a_call()
    await store.write([call], [])
    async with database.transaction() as connection:
        await connection.execute(sa.insert(calls).values(id="broken", state="{"))
    assert await store.load() == [call]
    assert "cannot be read" in caplog.text


async def test_engine_that_is_away_raises_unavailable_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    store, call = SqlCallStore(database), a_call()
    await store.write([call], [])
    async with database.transaction() as connection:
        await connection.execute(sa.text("ALTER TABLE live_calls RENAME TO elsewhere"))
    with pytest.raises(Unavailable):
        await store.write([a_call()], [call.id])
    with pytest.raises(Unavailable):
        await store.load()
    async with database.transaction() as connection:
        await connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO live_calls"))
    assert await store.load() == [call]
