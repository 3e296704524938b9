"""What `parlour admin` does to a server's data, across its services: make a demonstration, back up, restore, index anew, move."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from parlour import restoring
from parlour.app import SERVICES, Process, build, is_clustered, is_file, needed, open_accounts, operations
from parlour.app.migrating import Copied, Store, move
from parlour.auth.service import Administration, Seeded
from parlour.chat.model import Room, RoomKind
from parlour.chat.service.outbox import OutboxRelay
from parlour.claim import claimed, claimed_files, claimed_server, engine_files, finish_restoring
from parlour.config import ConfigurationError, ProcessRole, Settings
from parlour.nginx import Gateway, configuration
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId, UserId, uuid4
from parlour.platform.permissions import RoomRole
from parlour.platform.sql import Database, is_current, migrate, open_database

BACKUP_FILES = ("parlour.db", "messages.db")

_ROOMS_AT_ONCE = 1_000
"""Rooms made between two looks at the outbox; a query takes so many ids easily."""


class SeededUser(msgspec.Struct):
    """A line of the file of tokens."""

    user_id: UserId
    username: str
    access_token: str
    room_ids: list[RoomId]


class Summary(NamedTuple):
    """What was made."""

    users: int
    rooms: int


@asynccontextmanager
async def administration(settings: Settings) -> AsyncIterator[Administration]:
    """Give the accounts of a server, which may be running meanwhile: of its engines the SQL database alone is opened.

    Raises:
        ConfigurationError: a server of another version is running.
    """
    finish_restoring(settings)
    database = open_database(settings.database)
    try:
        await _bring_up_to_date(settings, database, ["parlour.auth"])
        async with open_accounts(settings, database) as auth:
            yield auth.administration
    finally:
        await database.close()


async def _open(settings: Settings) -> Process:
    """Open all engines, of a server that may be running meanwhile.

    Raises:
        ConfigurationError: a server of another version is running.
    """
    finish_restoring(settings)
    database = open_database(settings.database)
    try:
        await _bring_up_to_date(settings, database, SERVICES.values())
    finally:
        await database.close()
    return await build(settings.model_copy(update={"roles": frozenset(ProcessRole)}))


async def _bring_up_to_date(settings: Settings, database: Database, services: Iterable[str]) -> None:
    """Bring the tables of services to the version of this program, but never under a server that uses them."""
    for service in services:
        if await is_current(database, service):
            continue
        try:
            with claimed(settings):
                async with claimed_server(settings):
                    await _check_unserved(settings)
                    await migrate(database, service)
        except ConfigurationError as error:
            raise ConfigurationError(
                f"{error} (its tables are of another version than this program, which changes none under a server)"
            ) from error


async def _check_unserved(settings: Settings) -> None:
    """Raise ConfigurationError where nodes serve the data of a cluster, which nobody claims."""
    if is_clustered(settings) and await operations.is_served(settings):
        raise ConfigurationError("nodes serve these data, or did so seconds ago; end them all, then repeat")


async def seed(
    settings: Settings, *, users: int, room_size: int, token_seconds: int, password: str | None, tokens: Path
) -> Summary:
    """Make users in rooms of `room_size`, each with a session; write a JSON line a user to `tokens` (mode 0600)."""
    process = await _open(settings)
    try:
        await process.connect()
        made = await needed(process.services.auth).administration.seed(
            users, password=password, lifetime=token_seconds * 1000
        )
        groups = [made[start : start + room_size] for start in range(0, len(made), room_size)]
        rooms = await _make_rooms(process, groups)
    finally:
        await process.close()
    tokens.touch(mode=0o600)
    with tokens.open("wb") as file:
        for room, group in zip(rooms, groups, strict=True):
            for user in group:
                line = SeededUser(user.user_id, user.username, user.access_token, [room.id])
                file.write(msgspec.json.encode(line) + b"\n")
    return Summary(len(made), len(rooms))


async def _make_rooms(process: Process, groups: list[list[Seeded]]) -> list[Room]:
    chat, work, now = needed(process.services.chat), needed(process.services.work), SystemClock().now()
    rooms = [
        Room(RoomId(uuid4()), f"room {number}", RoomKind.PUBLIC, group[0].user_id, now)
        for number, group in enumerate(groups, 1)
    ]
    # Rows of other rooms are those of a server that is running: told from here, they would reach none of its sockets.
    ours: set[RoomId] = set()
    outbox = OutboxRelay(chat.store, chat.broker, only=ours)
    working = asyncio.create_task(chat.broker.run(work.worker.handle))
    relaying = asyncio.create_task(outbox.run())
    try:
        for start in range(0, len(rooms), _ROOMS_AT_ONCE):
            some = rooms[start : start + _ROOMS_AT_ONCE]
            ours.clear()
            ours.update(room.id for room in some)
            for room, group in zip(some, groups[start:], strict=False):
                owner, *others = group
                members = {owner.user_id: RoomRole.OWNER} | {user.user_id: RoomRole.MEMBER for user in others}
                await chat.store.create(room, members)
            outbox.wake()
            if not await outbox.settle(seconds=600):
                raise ConfigurationError(
                    "the room log was not told of all members; the server will do it when it starts"
                )
    finally:
        for task in (relaying, working):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return rooms


def _check_files(settings: Settings) -> None:
    if not is_file(settings.messages):
        raise ConfigurationError(
            "the engines are servers, whose copies are made by their own tools: pg_dump first, then mongodump (docs/operations/cluster.md)"
        )
    if not is_file(settings.database):
        raise ConfigurationError(
            "PARLOUR_DATABASE_URL names a PostgreSQL server, whose copies are made by pg_dump and pg_restore; copy it first, then"
            " messages.db (docs/operations/postgresql.md)"
        )


async def backup(settings: Settings, folder: Path) -> None:
    """Copy everything into a new folder, each engine as it is at one moment, while the server may be running.

    The SQL database is copied first. What the log was told of a change is then in the copy of one of the two: an outbox row that is not in
    the first copy any more was in the log before it was forgotten, and one that is still there is told again, as the same event. The
    other way round a row told and forgotten between the two copies would be in neither. So a read marker never stands behind the end of
    its room for good, either. Who joined in the moment between has lines in the log and is no member. The index of search is left
    out: it is made anew.

    Raises:
        ConfigurationError: the folder holds a backup already, or cannot be written, or an engine has tools of its own for that.
    """
    _check_files(settings)
    database_file, log_file = (folder / name for name in BACKUP_FILES)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}") from error
    for file in (database_file, log_file):
        if file.exists():
            raise ConfigurationError(f"{file} exists; give a new folder")
    process = await _open(settings)
    try:
        await process.backup(database_file, log_file)
    finally:
        await process.close()


def restore(settings: Settings, folder: Path, *, replace: bool) -> None:
    """Put a backup in the place of the data, of a server that does not run.

    Raises:
        ConfigurationError: the server runs, there is data already and `replace` is not given, or the folder holds no backup, or an
            engine has tools of its own for that.
    """
    _check_files(settings)
    with claimed(settings):
        places = engine_files(settings)
        copies = [folder / name for name in BACKUP_FILES]
        for copy in copies:
            if not copy.is_file():
                raise ConfigurationError(f"{folder} is no backup: {copy.name} is missing")
        if not replace and any(place.exists() for place in places):
            raise ConfigurationError(f"{settings.data_dir} holds data already; --replace puts the backup in its place")
        restoring.replace(settings.data_dir, copies, places)


def nginx_configuration(file: Path) -> str:
    """Return the nginx.conf for the facts in a JSON file, which has the fields of `Gateway`.

    Raises:
        ConfigurationError: the file cannot be read, or a value does not fit; the message names it.
    """
    try:
        return configuration(msgspec.json.decode(file.read_bytes(), type=Gateway))
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from error


async def reindex(settings: Settings, rooms: Sequence[str]) -> int:
    """Make the index of search anew for these rooms, or all, while servers run or not; return how many those were.

    Raises:
        ConfigurationError: a server of another version is running, there is no such room, or the index makes itself.
    """
    database = open_database(settings.database)
    try:
        await _bring_up_to_date(settings, database, ["parlour.chat"])
        return await operations.reindex(settings, database, rooms)
    finally:
        await database.close()


async def move_to(settings: Settings, database_url: str, messages_url: str, tell: Callable[[Copied], None]) -> None:
    """Copy everything to other engines, which are empty, and compare it there; `tell` hears of each part that is the same.

    Raises:
        ConfigurationError: a URL is none that data can be moved to, a server is running on either, the target is not empty, or
            something is not the same there.
        Unavailable: an engine is away; the target has a part of the data and is of no use.
    """
    changes = {"database_url": database_url, "messages_url": messages_url, "broker_url": "memory://"}
    target = settings.model_copy(update=changes)
    _check_target(settings, target)
    async with AsyncExitStack() as held:
        held.enter_context(claimed(settings))
        try:
            held.enter_context(claimed_files(target))
        except OSError as error:
            raise ConfigurationError(f"{error.filename} cannot be used: {error.strerror}") from error
        await held.enter_async_context(claimed_server(settings))
        await held.enter_async_context(claimed_server(target))
        await _check_unserved(settings)
        here = await held.enter_async_context(Store.open(settings.database, settings.messages))
        there = await held.enter_async_context(Store.open(target.database, target.messages))
        for store in (here, there):
            for service in SERVICES.values():
                await migrate(store.database, service)
        await move(here, there, tell)


def _check_target(settings: Settings, target: Settings) -> None:
    for option, text, here, schemes in (
        ("--to-database-url", target.database, settings.database, ("sqlite", "postgresql")),
        ("--to-messages-url", target.messages, settings.messages, ("sqlite", "mongodb", "mongodb+srv")),
    ):
        url = urlsplit(text)
        if url.scheme not in schemes:
            raise ConfigurationError(f"{option}: use {':// or '.join(schemes)}://")
        if not url.path.strip("/") or (url.scheme == "postgresql" and not url.hostname):
            raise ConfigurationError(f"{option}: it names no {'file' if is_file(text) else 'database of a server'}")
        if text == here:
            raise ConfigurationError(f"{option}: that is where the data are; name a place for the copy")
    for file in engine_files(settings):
        if not file.is_file():
            raise ConfigurationError(f"there is no {file} to be moved; name the data by --data-dir")
