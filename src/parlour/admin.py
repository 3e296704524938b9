"""What `parlour admin` does to a server's data, across its services: make a demonstration, back up, restore."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from parlour.app import Process, build, sqlite_path
from parlour.auth.service import Administration, Seeded
from parlour.chat.model import Room, RoomKind
from parlour.config import ConfigurationError, Settings
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId, UserId, uuid4
from parlour.platform.permissions import RoomRole
from parlour.serve import claimed

BACKUP_FILES = ("parlour.db", "messages.db")


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
    """Give the accounts of a server, which may be running meanwhile."""
    process = await build(settings)
    try:
        await process.auth.start()
        yield process.auth.administration
    finally:
        await process.close()


async def seed(
    settings: Settings, *, users: int, room_size: int, token_seconds: int, password: str | None, tokens: Path
) -> Summary:
    """Make users in rooms of `room_size`, each with a session; write a JSON line a user to `tokens` (mode 0600)."""
    process = await build(settings)
    try:
        await process.auth.start()
        made = await process.auth.administration.seed(users, password=password, lifetime=token_seconds * 1000)
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
    chat, now = process.chat, SystemClock().now()
    rooms = [
        Room(RoomId(uuid4()), f"room {number}", RoomKind.PUBLIC, group[0].user_id, now)
        for number, group in enumerate(groups, 1)
    ]
    working = asyncio.create_task(chat.broker.run(chat.worker.handle))
    relaying = asyncio.create_task(chat.outbox.run())
    try:
        for room, group in zip(rooms, groups, strict=True):
            owner, *others = group
            members = {owner.user_id: RoomRole.OWNER} | {user.user_id: RoomRole.MEMBER for user in others}
            await chat.store.create(room, members)
        chat.outbox.wake()
        if not await chat.outbox.settle(seconds=600):
            raise RuntimeError("the room log was not told of all members; the server will do it when it starts")
    finally:
        for task in (relaying, working):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    return rooms


async def backup(settings: Settings, folder: Path) -> None:
    """Copy everything into a new folder, each engine as it is at one moment, while the server may be running.

    The room log is copied first: everyone who speaks in it is then a user and member of the copy. Who joined in the moment between is a
    member without a line in the log.

    Raises:
        ConfigurationError: the folder holds a backup already, or cannot be written.
    """
    database_file, log_file = (folder / name for name in BACKUP_FILES)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}") from error
    for file in (database_file, log_file):
        if file.exists():
            raise ConfigurationError(f"{file} exists; give a new folder")
    process = await build(settings)
    try:
        await process.backup(database_file, log_file)
    finally:
        await process.close()


def restore(settings: Settings, folder: Path, *, replace: bool) -> None:
    """Put a backup in the place of the data, of a server that does not run.

    Raises:
        ConfigurationError: the server runs, there is data already and `replace` is not given, or the folder holds no backup.
    """
    with claimed(settings.data_dir):
        places = [sqlite_path(settings.database), sqlite_path(settings.messages)]
        copies = [folder / name for name in BACKUP_FILES]
        for copy in copies:
            if not copy.is_file():
                raise ConfigurationError(f"{folder} is no backup: {copy.name} is missing")
        if not replace and any(place.exists() for place in places):
            raise ConfigurationError(f"{settings.data_dir} holds data already; --replace puts the backup in its place")
        for copy, place in zip(copies, places, strict=True):
            fresh = place.with_name(place.name + ".restored")
            shutil.copyfile(copy, fresh)
            fresh.chmod(0o600)
            for suffix in ("-wal", "-shm"):
                place.with_name(place.name + suffix).unlink(missing_ok=True)
            fresh.replace(place)
