"""The search on PostgreSQL over a room log on SQLite, fed from what was appended."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from parlour.chat.adapters.postgresql_search import SERVICE, PostgresqlSearch, PostgresqlSearchIndex
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import Appended, NewEvent, RoomEvent
from parlour.chat.service.indexing import Indexing
from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard
from parlour.platform.sql import migrate, open_database

from ..postgresql_server import PostgresqlServer
from .room_logs import Bench, StillClock


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
async def postgresql(folder: Path, url: str) -> AsyncIterator[Bench]:
    clock = StillClock()
    log = await telling_log(folder, clock)
    database = open_database(url)
    guard = Guard("search", Unavailable)
    indexing = Indexing(PostgresqlSearchIndex(database, log, guard))

    async def settled() -> None:
        await indexing.committed(log.take())

    try:
        yield Bench(log, PostgresqlSearch(database, log, clock, guard, patience=30.0), clock, settled)
    finally:
        await database.close()
        await log.close()
