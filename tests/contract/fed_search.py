"""The search on PostgreSQL over a room log on SQLite, fed from what was appended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import text

from parlour.chat.adapters.postgresql_search import SERVICE, PostgresqlSearch, PostgresqlSearchIndex
from parlour.chat.adapters.postgresql_search.messages import features
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.fold import apply
from parlour.chat.model import Appended, NewEvent, RoomEvent, RoomView
from parlour.chat.ports import SearchQuery
from parlour.chat.service.indexing import Indexing
from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard
from parlour.platform.ids import RoomId
from parlour.platform.sql import Database, migrate, open_database

from ..postgresql_server import PostgresqlServer
from .room_logs import SearchBench, StillClock

PATIENCE = 60.0
"""Seconds: a busy machine is no failure."""


class TellingLog(SqliteRoomLog):
    """Remembers the events that were appended and not yet taken."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._told: list[RoomEvent] = []

    async def append(self, batch: Sequence[NewEvent]) -> list[Appended]:
        answers = await super().append(batch)
        self._told += [each.event for each in answers if not each.repeated]
        return answers

    def take(self) -> list[RoomEvent]:
        """Return the events since the last time."""
        told, self._told = self._told, []
        return told


async def telling_log(folder: Path, clock: StillClock) -> TellingLog:
    log = await TellingLog.open(folder / "messages.db", clock)
    assert isinstance(log, TellingLog)
    return log


async def search_database(server: PostgresqlServer, templates: set[str]) -> str:
    """Return the URL of a database with the tables of full text and nothing in them."""
    template = SERVICE.replace(".", "_")
    if template not in templates:
        first = open_database(server.create(template))
        await migrate(first, SERVICE)
        await first.close()
        templates.add(template)
    return server.create(template=template)


@asynccontextmanager
async def postgresql(folder: Path, url: str) -> AsyncIterator[SearchBench]:
    clock = StillClock()
    log = await telling_log(folder, clock)
    database = open_database(url, timeout=PATIENCE)
    guard = Guard("search", Unavailable, timeout=PATIENCE)
    indexing = Indexing(PostgresqlSearchIndex(database, log, guard))

    async def settled() -> None:
        await indexing.committed(log.take())

    try:
        yield SearchBench(log, clock, PostgresqlSearch(database, log, clock, guard, patience=PATIENCE), settled)
    finally:
        await database.close()
        await log.close()


class Feed(NamedTuple):
    """A log, an index that is fed by the test, and its search."""

    log: TellingLog
    database: Database
    guard: Guard
    clock: StillClock
    index: PostgresqlSearchIndex
    search: PostgresqlSearch
    url: str

    async def append(self, *commands: NewEvent) -> list[RoomEvent]:
        await self.log.append(commands)
        return self.log.take()

    async def found(self, words: str, *rooms: RoomId) -> list[str]:
        hits, _ = await self.search.search(SearchQuery(words, rooms, limit=1_000))
        return [hit.message.text for hit in hits]

    async def rows(self, room: RoomId) -> dict[int, tuple[Any, ...]]:
        """What is indexed of a room, by seq."""
        found = await self.database.rows(
            text(
                "SELECT seq, CAST(message_id AS text), CAST(sender_id AS text), at, version, text,"
                " has_link, has_mention, has_reaction, has_pin, CAST(words AS text)"
                " FROM search_messages WHERE room_id = CAST(:room AS uuid) ORDER BY seq"
            ),
            room=room,
        )
        return {row[0]: tuple(row) for row in found}

    async def reached(self, room: RoomId) -> int:
        found = await self.database.rows(
            text("SELECT seq FROM search_indexed WHERE room_id = CAST(:room AS uuid)"), room=room
        )
        return found[0][0] if found else 0

    async def fold(self, room: RoomId) -> dict[int, tuple[Any, ...]]:
        """What should be indexed of a room, but for the words: those of its messages that have some."""
        view = RoomView()
        for event in await self.log.events(room, 0, 1_000_000):
            view = apply(view, event)
        alive = [each for each in view.messages.values() if any(map(str.isalnum, each.text))]
        return {
            each.seq: (each.seq, each.id, each.sender_id, each.at, each.version, each.text, *features(each).values())
            for each in alive
        }


@asynccontextmanager
async def feeding(server: PostgresqlServer, templates: set[str], folder: Path) -> AsyncIterator[Feed]:
    url = await search_database(server, templates)
    clock = StillClock()
    log = await telling_log(folder, clock)
    database = open_database(url, timeout=PATIENCE)
    guard = Guard("search", Unavailable, timeout=PATIENCE)
    search = PostgresqlSearch(database, log, clock, guard, patience=PATIENCE)
    yield Feed(log, database, guard, clock, PostgresqlSearchIndex(database, log, guard), search, url)
    await database.close()
    await log.close()
    server.drop(url)
