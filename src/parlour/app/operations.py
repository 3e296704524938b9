"""What the command line does to the engines of a cluster: dead letters, shards, the index of search."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from parlour.app.engines import is_clustered
from parlour.chat.adapters import tables
from parlour.config import ConfigurationError, Settings
from parlour.platform.clock import SystemClock
from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard
from parlour.platform.ids import RoomId
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.sql import Database, migrate, open_database

# The drivers of servers are imported by what needs them: they take most of the time of a start.

_PAGE = 1_000
"""Rooms that a query returns."""


class Letter(NamedTuple):
    """A command that no worker could do: its place among such, when it was put there (ms UTC), what it is, and why.

    `room`, `type` and `sender` are empty where it is no command.
    """

    place: str
    at: int
    room: str
    type: str
    sender: str
    why: str


def dead_letters(settings: Settings, *, replay: bool = False) -> list[Letter]:
    """Return those that were not replayed; with `replay` give them to the workers again, and return the commands among them.

    Raises:
        ConfigurationError: the broker keeps none.
        BrokerUnavailable: Kafka does not answer, or refuses one, which is logged; some may have been replayed, and all are again the next
            time.
    """
    if not is_clustered(settings):
        raise ConfigurationError("PARLOUR_BROKER_URL: dead letters are kept by Kafka alone; name it as kafka://…")
    from parlour.chat.adapters.kafka import DeadLetters

    kept = DeadLetters(KafkaAddress.parse(settings.broker_url))
    letters = []
    for letter in kept.replay() if replay else kept.all():
        command = letter.command
        what = (command.room_id, command.type.value, command.sender_id) if command else ("", "", "")
        letters.append(Letter(letter.place, letter.at, *what, letter.why))
    return letters


async def is_served(settings: Settings) -> bool:
    """Tell whether a node works the commands of a cluster; one that was killed counts for six seconds more.

    Raises:
        BrokerUnavailable: Kafka does not answer.
    """
    from parlour.platform.kafka import KafkaAdmin

    return await KafkaAdmin(KafkaAddress.parse(settings.broker_url)).members("workers") != []


def shard_commands(settings: Settings) -> list[dict[str, object]]:
    """Return the commands that spread the room log over the shards of a cluster, for `admin` of a mongos.

    Raises:
        ConfigurationError: the room log is not in MongoDB, or its URL is none.
    """
    from parlour.chat.adapters.mongodb_log.sharding import commands_of

    try:
        return commands_of(_mongodb(settings))
    except ValueError as error:
        raise ConfigurationError(f"PARLOUR_MESSAGES_URL: {error}") from error


async def shard(settings: Settings) -> None:
    """Spread the room log over the shards of a cluster; doing it again changes nothing.

    Raises:
        ConfigurationError: the room log is not in MongoDB, or its server is no mongos, or refuses.
        Unavailable: it does not answer.
    """
    from parlour.chat.adapters.mongodb_log.sharding import NotSharded, spread

    try:
        await spread(_mongodb(settings))
    except NotSharded as error:
        raise ConfigurationError(f"PARLOUR_MESSAGES_URL: {error}") from error


def _mongodb(settings: Settings) -> str:
    if not settings.messages.startswith("mongodb"):
        raise ConfigurationError("PARLOUR_MESSAGES_URL: only a room log in MongoDB is sharded; name it as mongodb://…")
    return settings.messages


async def reindex(settings: Settings, database: Database, rooms: Sequence[str]) -> int:
    """Make the index of search anew from the log, for these rooms or all there are; return how many those were.

    Raises:
        ConfigurationError: there is no such room, or the log makes its index by itself.
        Unavailable: an engine is away; the rooms that were done are.
    """
    if not is_clustered(settings):
        raise ConfigurationError("the index of search beside a room log in SQLite makes itself: there is nothing to do")
    from parlour.app.clustered import nobody_older
    from parlour.chat.adapters.mongodb_log import MongoRoomLog
    from parlour.chat.adapters.postgresql_search import SERVICE, PostgresqlSearchIndex
    from parlour.chat.service.indexing import Indexing

    known = [room async for room in all_rooms(database)]
    if unknown := sorted(set(rooms) - set(known)):
        raise ConfigurationError(f"there is no room {unknown[0]}")
    async with contextlib.AsyncExitStack() as opened:
        log = await MongoRoomLog.open(settings.messages, SystemClock(), upgrading=nobody_older(settings))
        opened.push_async_callback(log.close)
        search = open_database(settings.search)
        opened.push_async_callback(search.close)
        await migrate(search, SERVICE)
        indexing = Indexing(PostgresqlSearchIndex(search, log, Guard("search", Unavailable)))
        return await indexing.rebuild([RoomId(room) for room in dict.fromkeys(rooms)] if rooms else known)


async def all_rooms(database: Database) -> AsyncIterator[RoomId]:
    """Yield the ids of all rooms, in order."""
    column, after = tables.rooms.c.id, ""
    while page := await database.rows(sa.select(column).where(column > after).order_by(column).limit(_PAGE)):
        for (room_id,) in page:
            yield RoomId(room_id)
        after = page[-1][0]
