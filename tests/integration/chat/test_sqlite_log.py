"""What is particular to the room log on SQLite: its file, its neighbours, its failures and its backups."""

import asyncio
import os
import shutil
import sqlite3
import stat
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.adapters.sqlite_log import log as log_module
from parlour.chat.adapters.sqlite_log.schema import MIGRATIONS, NewerSchema
from parlour.chat.model import EventType, NewEvent, RoomEvent
from parlour.platform.clock import SystemClock
from parlour.platform.errors import Unavailable
from parlour.platform.ids import ClientId, RoomId, UserId, uuid4, uuid7

ANN = UserId(uuid7())
CLOCK = SystemClock()


def a_room() -> RoomId:
    return RoomId(uuid4())


def saying(room: RoomId, text: str = "hello", client_id: str | None = None) -> NewEvent:
    return NewEvent(room, EventType.MESSAGE_CREATED, ANN, ClientId(client_id or uuid4()), {"text": text})


def doing(kind: EventType, target: RoomEvent, **data: Any) -> NewEvent:
    return NewEvent(target.room_id, kind, ANN, ClientId(uuid4()), {"message_id": target.id, **data})


async def say(log: SqliteRoomLog, room: RoomId, text: str = "hello") -> RoomEvent:
    return (await log.append([saying(room, text)]))[0].event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "messages.db"


@pytest.fixture
async def log(path: Path) -> AsyncIterator[SqliteRoomLog]:
    log = await SqliteRoomLog.open(path, CLOCK)
    yield log
    await log.close()


class TestFile:
    async def test_only_its_owner_may_read_it(self, log: SqliteRoomLog, path: Path) -> None:
        await say(log, a_room())
        files = list(path.parent.iterdir())
        assert {each.name for each in files} == {"messages.db", "messages.db-wal", "messages.db-shm"}
        assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}

    async def test_it_is_there_after_a_restart(self, path: Path) -> None:
        room = a_room()
        for expected in (1, 2, 3):
            log = await SqliteRoomLog.open(path, CLOCK)
            assert (await say(log, room)).seq == expected
            await log.close()
        assert [each.name for each in path.parent.iterdir()] == ["messages.db"], "a clean end leaves one file"

    async def test_one_of_a_newer_program_is_refused_and_left_alone(self, path: Path) -> None:
        await (await SqliteRoomLog.open(path, CLOCK)).close()
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
        with pytest.raises(NewerSchema, match="upgrade"):
            await SqliteRoomLog.open(path, CLOCK)

    async def test_what_is_no_database_is_refused_and_left_alone(self, path: Path) -> None:
        path.parent.mkdir()
        path.write_bytes(b"something else entirely" * 400)
        before = path.read_bytes()
        with pytest.raises(Unavailable, match="cannot be opened"):
            await SqliteRoomLog.open(path, CLOCK)
        assert path.read_bytes() == before

    async def test_a_folder_that_cannot_be_made_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(Unavailable):
            await SqliteRoomLog.open(tmp_path / "file" / "messages.db", CLOCK)

    async def test_checkpoints_keep_the_wal_short(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(log_module, "CHECKPOINT_PAGES", 100)
        log = await SqliteRoomLog.open(path, CLOCK)
        room = a_room()
        for _ in range(600):
            await log.append([saying(room, "word " * 100) for _ in range(5)])
        wal = path.with_name(path.name + "-wal").stat().st_size
        assert wal < path.stat().st_size, "3,000 messages went through a WAL that began anew many times"
        await log.close()

    async def test_a_click_writes_the_same_however_many_reacted_before(self, log: SqliteRoomLog, path: Path) -> None:
        many, none = await say(log, a_room()), await say(log, a_room())
        users = [UserId(uuid7()) for _ in range(3_000)]
        await log.append([_reaction(many, each) for each in users])
        written = []
        for event in (none, many):
            await log._keeping.run(_truncate)
            await log.append([_reaction(event, ANN)])
            written.append(path.with_name(path.name + "-wal").stat().st_size)
        assert written[1] <= written[0] + 4 * 4_096, "one path down each tree, and no more"
        message = await log.message(many.room_id, many.id)
        assert message is not None
        assert message.reactions == {"x": [*users, ANN]}


class TestNeighbours:
    async def test_two_processes_append_to_one_room(self, log: SqliteRoomLog, path: Path) -> None:
        other = await SqliteRoomLog.open(path, CLOCK)
        room, client_id = a_room(), uuid4()
        await asyncio.gather(
            *(each.append([saying(room, f"word {number}")]) for number in range(40) for each in (log, other))
        )
        (first,) = await log.append([saying(room, client_id=client_id)])
        (again,) = await other.append([saying(room, client_id=client_id)])
        assert again.repeated
        assert again.event == first.event
        assert [each.seq for each in await log.events(room, 0, 999)] == list(range(1, 82))
        await other.close()

    async def test_a_message_changed_by_both_is_the_fold_of_both(self, log: SqliteRoomLog, path: Path) -> None:
        other = await SqliteRoomLog.open(path, CLOCK)
        event = await say(log, a_room(), "one")
        await other.append([doing(EventType.MESSAGE_EDITED, event, text="two")])
        await log.append([doing(EventType.REACTION_ADDED, event, emoji="x")])
        message = await other.message(event.room_id, event.id)
        assert message is not None
        assert (message.text, message.reactions, message.version) == ("two", {"x": [ANN]}, 3)
        await other.close()

    async def test_one_that_holds_the_file_too_long_makes_it_unavailable_for_that_long(self, path: Path) -> None:
        log = await SqliteRoomLog.open(path, CLOCK, patience=0.05)
        room = a_room()
        await say(log, room)
        with closing(sqlite3.connect(path, isolation_level=None)) as neighbour:
            neighbour.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable) as refused:
                await say(log, room)
            assert refused.value.retry_after
            assert (await log.tails([room]))[room].seq == 1, "reads go on"
            neighbour.execute("ROLLBACK")
        assert (await say(log, room)).seq == 2
        await log.close()


class TestFailures:
    async def test_a_full_disk_loses_nothing_and_ends_with_the_fullness(self, log: SqliteRoomLog) -> None:
        room = a_room()
        await say(log, room)
        await log._writing.run(_limit_pages, 0)
        with pytest.raises(Unavailable):
            await _fill(log, room)
        head = (await log.tails([room]))[room].seq
        await log._writing.run(_limit_pages, 1 << 30)
        assert (await say(log, room)).seq == head + 1
        assert [each.seq for each in await log.events(room, 0, head + 1)] == list(range(1, head + 2))

    async def test_a_damaged_file_raises_unavailable_only(self, path: Path) -> None:
        log = await SqliteRoomLog.open(path, CLOCK)
        room = a_room()
        event = (await log.append([saying(room, "x" * 2_000) for _ in range(200)]))[100].event
        await log.close()
        with path.open("r+b") as file:
            file.seek(65_536)  # the schema stays readable, so that it opens
            file.write(os.urandom(path.stat().st_size - 65_536))
        damaged = await SqliteRoomLog.open(path, CLOCK)
        outcomes = [
            *await asyncio.gather(damaged.page(room), damaged.message(room, event.id), return_exceptions=True),
            *await asyncio.gather(say(damaged, room), damaged.events(room, 0, 200), return_exceptions=True),
        ]
        assert any(isinstance(each, Unavailable) for each in outcomes)
        assert all(isinstance(each, Unavailable) for each in outcomes if isinstance(each, Exception))
        await damaged.close()

    async def test_a_closed_log_is_unavailable(self, path: Path) -> None:
        log = await SqliteRoomLog.open(path, CLOCK)
        await log.close()
        await log.close()
        for attempt in (say(log, a_room()), log.page(a_room()), log.tails([a_room()]), log.check()):
            with pytest.raises(Unavailable):
                await attempt

    async def test_a_read_that_takes_too_long_is_given_up_and_the_thread_is_free_again(self, path: Path) -> None:
        log = await SqliteRoomLog.open(path, CLOCK, readers=1, patience=0.05)
        with pytest.raises(Unavailable):
            await log.read(_read_for_ever)
        assert await log.tails([a_room()])
        await log.close()

    async def test_it_answers_its_health_check(self, log: SqliteRoomLog) -> None:
        await log.check()


class TestBackups:
    async def test_one_taken_while_writing_is_whole(self, log: SqliteRoomLog, tmp_path: Path) -> None:
        room = a_room()
        async with _writing(log, room):
            for number in range(3):
                acknowledged = await say(log, room)
                target = tmp_path / f"backup-{number}.db"
                await log.backup(target)
                assert stat.S_IMODE(target.stat().st_mode) == 0o600
                await _is_whole(target, room, acknowledged.seq)

    async def test_one_onto_a_file_that_is_there_is_refused(self, log: SqliteRoomLog, tmp_path: Path) -> None:
        target = tmp_path / "precious"
        target.write_text("data")
        with pytest.raises(Unavailable):
            await log.backup(target)
        assert target.read_text() == "data"

    async def test_a_plain_copy_of_the_folder_while_writing_is_whole(
        self, log: SqliteRoomLog, path: Path, tmp_path: Path
    ) -> None:
        room = a_room()
        async with _writing(log, room):
            for number in range(5):
                acknowledged = await say(log, room)
                target = tmp_path / f"copy-{number}"
                await asyncio.to_thread(shutil.copytree, path.parent, target)
                await _is_whole(target / path.name, room, acknowledged.seq)


def _reaction(event: RoomEvent, user: UserId) -> NewEvent:
    data = {"message_id": event.id, "emoji": "x"}
    return NewEvent(event.room_id, EventType.REACTION_ADDED, user, ClientId(uuid4()), data)


def _truncate(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


async def _fill(log: SqliteRoomLog, room: RoomId) -> None:
    for _ in range(100):
        await log.append([saying(room, "x" * 8_000) for _ in range(10)])


def _limit_pages(connection: sqlite3.Connection, pages: int) -> None:
    connection.execute(f"PRAGMA max_page_count = {pages or connection.execute('PRAGMA page_count').fetchone()[0]}")


def _read_for_ever(connection: sqlite3.Connection) -> None:
    connection.execute(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    ).fetchone()


class _writing:
    """Append to a room, message after message, until the block ends."""

    def __init__(self, log: SqliteRoomLog, room: RoomId) -> None:
        self._log = log
        self._room = room

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._write())

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            await self._log.append([saying(self._room, "some words " * 20) for _ in range(20)])


async def _is_whole(path: Path, room: RoomId, acknowledged: int) -> None:
    """Check a copy: sound, dense, and with everything that was acknowledged before it was begun."""
    log = await SqliteRoomLog.open(path, CLOCK)
    head = (await log.tails([room]))[room].seq
    assert head >= acknowledged
    assert [each.seq for each in await log.events(room, 0, head)] == list(range(1, head + 1))
    await log.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
