"""Moving all data of a Parlour to other engines, while nobody serves either: rows and events as they are, counted and hashed afterwards."""

import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

import parlour.auth.adapters.tables
import parlour.chat.adapters.tables
import parlour.video.adapters.tables
from parlour.app.engines import is_file, sqlite_path
from parlour.app.operations import all_rooms
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import RoomEvent
from parlour.chat.ports import MovableLog
from parlour.config import ConfigurationError
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId
from parlour.platform.sql import AnyRow, Database, open_database

TABLES: tuple[sa.Table, ...] = tuple(
    table
    for service in (parlour.auth.adapters.tables, parlour.chat.adapters.tables, parlour.video.adapters.tables)
    for table in service.metadata.sorted_tables
)
"""Of all services, each behind those that it refers to."""

BATCH = 500
"""Rows, or events, of one transaction; the largest have some 32 KB."""


class Copied(NamedTuple):
    """What was copied and compared: a table and its rows, or the rooms' events; SHA-256 over them, in order."""

    what: str
    number: int
    digest: str


class Store:
    """Where a Parlour keeps its data: the SQL database and the room log."""

    def __init__(self, database: Database, log: MovableLog, *, postgresql: bool) -> None:
        """Use `Store.open`."""
        self.database = database
        self.log = log
        self.postgresql = postgresql

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, database_url: str, messages_url: str) -> "AsyncIterator[Store]":
        """Open it for the block.

        Raises:
            ConfigurationError: a URL is none of its engine's.
            Unavailable, TablesNewer: one cannot be opened, or a newer Parlour wrote its collections.
        """
        async with contextlib.AsyncExitStack() as opened:
            database = open_database(database_url)
            opened.push_async_callback(database.close)
            log = await _open_log(messages_url)
            opened.push_async_callback(log.close)
            yield cls(database, log, postgresql=not is_file(database_url))

    async def check_empty(self) -> None:
        """Raise ConfigurationError where something is in it."""
        for table in TABLES:
            if await self.database.row(sa.select(table).limit(1)) is not None:
                raise ConfigurationError(f"--to-database-url: the table {table.name} is not empty; name a new database")
        if await self.log.rooms(limit=1):
            raise ConfigurationError("--to-messages-url: the room log is not empty; name a new one")

    async def pages(self, table: sa.Table) -> AsyncIterator[Sequence[AnyRow]]:
        """Yield the rows of a table by its key, in the same order on every engine."""
        places = [(place, column) for place, column in enumerate(table.columns) if column.primary_key]
        keys = [self._ordered(column) for _, column in places]
        query = sa.select(table).order_by(*keys).limit(BATCH)
        rows = await self.database.rows(query)
        while rows:
            yield rows
            last = [sa.literal(rows[-1][place], column.type) for place, column in places]
            rows = await self.database.rows(query.where(sa.tuple_(*keys) > sa.tuple_(*last)))

    def _ordered(self, column: "sa.Column[Any]") -> sa.ColumnElement[Any]:
        return sa.collate(column, "C") if self.postgresql and isinstance(column.type, sa.String) else column

    async def write(self, table: sa.Table, rows: Sequence[AnyRow]) -> None:
        """Insert rows as they are."""
        async with self.database.transaction() as connection:
            await connection.execute(
                table.insert(), [dict(zip(table.columns.keys(), row, strict=True)) for row in rows]
            )

    async def continue_numbers(self) -> None:
        """Have the numbers that PostgreSQL gives go on behind those that were copied."""
        if not self.postgresql:
            return  # SQLite has seen them
        async with self.database.transaction() as connection:
            for table in TABLES:
                column = table.autoincrement_column
                if column is not None and column.autoincrement is True:
                    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
                    highest = sa.select(sa.func.max(column)).scalar_subquery()
                    used = sa.func.setval(sequence, sa.func.coalesce(highest, 1), highest.is_not(None))
                    await connection.execute(sa.select(used))

    async def rooms(self) -> list[RoomId]:
        """Return all rooms, by id: those that have members, and those that have a log."""
        known = {room async for room in all_rooms(self.database)}
        after = ""
        while page := await self.log.rooms(after=after):
            known.update(page)
            after = page[-1]
        return sorted(known)

    async def events(self) -> AsyncIterator[list[RoomEvent]]:
        """Yield all events, a room after the other, `BATCH` of one room at most at a time."""
        for room_id in await self.rooms():
            end = (await self.log.tails([room_id]))[room_id].seq
            for start in range(0, end, BATCH):
                yield await self.log.events(room_id, start, min(start + BATCH, end))


async def _open_log(url: str) -> MovableLog:
    if url.startswith("sqlite:"):
        return await SqliteRoomLog.open(sqlite_path(url), SystemClock())
    from parlour.chat.adapters.mongodb_log import MongoRoomLog

    try:
        return await MongoRoomLog.open(url, SystemClock())
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


async def move(source: Store, target: Store, tell: Callable[[Copied], None]) -> None:
    """Copy everything into an empty store and compare it there; `tell` hears of each part that is the same.

    Raises:
        ConfigurationError: the target is not empty, or a part is not the same there.
        Unavailable: an engine is away; the target has a part of the data and is of no use.
    """
    await target.check_empty()
    for table in TABLES:
        async for rows in source.pages(table):
            await target.write(table, rows)
    await target.continue_numbers()
    waiting: list[RoomEvent] = []
    async for events in source.events():
        waiting += events
        if len(waiting) >= BATCH:
            await target.log.restore(waiting)
            waiting = []
    await target.log.restore(waiting)
    await compare(source, target, tell)


async def compare(source: Store, target: Store, tell: Callable[[Copied], None]) -> None:
    """Compare each table by its rows and each room by its events; `tell` hears of each part that is the same.

    Raises:
        ConfigurationError: one is not.
    """
    for table in TABLES:
        there, here = [await _table(store, table) for store in (source, target)]
        if there != here:
            raise ConfigurationError(f"the table {table.name} is not the same: {there[1:]} became {here[1:]}")
        tell(here)
    rooms, copied = [await store.rooms() for store in (source, target)]
    if rooms != copied:
        raise ConfigurationError(f"there are {len(copied)} rooms of {len(rooms)}")
    total, together = 0, hashlib.sha256()
    for room_id in rooms:
        (there, here) = [await _room(store, room_id) for store in (source, target)]
        if there != here:
            raise ConfigurationError(f"the room {room_id} is not the same: {there[1:]} became {here[1:]}")
        total += here.number
        together.update(here.digest.encode())
    tell(Copied("events", total, together.hexdigest()))


async def _table(store: Store, table: sa.Table) -> Copied:
    count, digest = 0, hashlib.sha256()
    async for rows in store.pages(table):
        count += len(rows)
        for row in rows:
            digest.update(msgspec.msgpack.encode(tuple(row)))
    return Copied(table.name, count, digest.hexdigest())


async def _room(store: Store, room_id: RoomId) -> Copied:
    """Hash a room's events; the count is its head, for they are dense."""
    head = (await store.log.tails([room_id]))[room_id].seq
    digest = hashlib.sha256()
    for start in range(0, head, BATCH):
        for event in await store.log.events(room_id, start, min(start + BATCH, head)):
            digest.update(msgspec.msgpack.encode(event))
    return Copied(room_id, head, digest.hexdigest())
