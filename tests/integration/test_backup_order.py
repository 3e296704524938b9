"""A backup loses no change of membership, whatever the relay does between the copies of the two engines."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from parlour import admin
from parlour.app import Process, build, needed
from parlour.chat.model import EventType, Room, RoomKind
from parlour.config import Settings
from parlour.platform.ids import RoomId, UserId, uuid4, uuid7
from parlour.platform.permissions import RoomRole

ROOM = Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, UserId(uuid7()), 1)
MEMBERS = {UserId(uuid7()): RoomRole.MEMBER for _ in range(3)}


async def relayed(process: Process) -> None:
    """Tell the log what the outbox holds, and forget it."""
    chat, work = needed(process.services.chat), needed(process.services.work)
    tasks = [
        asyncio.create_task(chat.broker.run(work.worker.handle)),
        asyncio.create_task(chat.outbox.run()),
    ]
    chat.outbox.wake()
    assert await chat.outbox.settle(seconds=30)
    for task in reversed(tasks):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def after(backup: Callable[[Path], Awaitable[None]], work: Callable[[], Awaitable[None]]) -> Any:
    async def followed(path: Path) -> None:
        await backup(path)
        await work()

    return followed


async def test_a_row_told_and_forgotten_between_the_copies_is_in_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    process = await build(settings)
    await needed(process.services.chat).store.create(ROOM, MEMBERS)
    once: list[None] = []

    async def relay_once() -> None:
        if not once:
            once.append(None)
            await relayed(process)

    for engine in (process._engines.database, process._engines.log):
        monkeypatch.setattr(engine, "backup", after(engine.backup, relay_once))
    backup = tmp_path / "backup"
    backup.mkdir()
    await process.backup(*(backup / name for name in admin.BACKUP_FILES))
    assert await needed(process.services.chat).store.outbox() == []
    await process.close()

    copied = Settings(data_dir=tmp_path / "copied")
    admin.restore(copied, backup, replace=False)
    restored = await build(copied)
    await relayed(restored)
    events = await restored._engines.log.events(ROOM.id, 0, 99)
    assert [each.type for each in events] == [EventType.MEMBER_JOINED] * 3
    await restored.close()
