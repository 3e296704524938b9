"""The outbox in SQL and the room log, each on its own file: what dies between the two neither loses nor doubles a change."""

import asyncio
from pathlib import Path

from parlour.chat.adapters.memory import MemoryBroker
from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import Appended, NewEvent, Room, RoomKind
from parlour.chat.ports import Pending
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.worker import Worker
from parlour.platform.clock import SystemClock
from parlour.platform.ids import RoomId, UserId, uuid4, uuid7
from parlour.platform.sql import migrate, open_database

from .http_house import Told

ANN = UserId(uuid7())


class DyingBroker(MemoryBroker):
    """Does what it is told, and kills whoever asked before they hear of it, after `lives` commands."""

    def __init__(self, lives: int) -> None:
        super().__init__()
        self._lives = lives
        self.relay: asyncio.Task[None] | None = None

    def submit(self, command: NewEvent) -> Pending:
        return asyncio.ensure_future(self._perhaps_killing(super().submit(command)))

    async def _perhaps_killing(self, pending: Pending) -> Appended:
        appended = await pending
        self._lives -= 1
        if self._lives == 0 and self.relay is not None:
            self.relay.cancel()
            await asyncio.sleep(0)
        return appended


async def a_life(folder: Path, lives: int) -> None:
    """Open both files, relay until the relay dies or all is told, and leave without tidying up."""
    database = open_database(f"sqlite:///{folder / 'parlour.db'}")
    log = await SqliteRoomLog.open(folder / "messages.db", SystemClock())
    broker = DyingBroker(lives)
    relay = OutboxRelay(SqlRoomStore(database), broker)
    relay.wake()
    working = asyncio.create_task(broker.run(Worker(log, Told(), lambda _: None).handle))
    broker.relay = relaying = asyncio.create_task(relay.run())
    settled = asyncio.create_task(relay.settle(30))
    await asyncio.wait([relaying, settled], return_when=asyncio.FIRST_COMPLETED)
    for task in (relaying, settled, working):
        task.cancel()
    await asyncio.gather(relaying, settled, working, return_exceptions=True)
    await log.close()
    await database.close()


async def test_changes_reach_the_log_once_and_in_order_whenever_the_relay_dies(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'parlour.db'}")
    await migrate(database, "parlour.chat")
    store = SqlRoomStore(database)
    rooms = [Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, ANN, 1) for _ in range(3)]
    for room in rooms:
        await store.create(room, {ANN: "owner"})
    names = [f"name {number}" for number in range(4)]
    for name in names:
        for room in rooms:
            await store.update(room.id, ANN, {"name": name})
    for lives in (1, 2, 3, 5, 1, 1000):
        await a_life(tmp_path, lives)
    assert await store.outbox() == []
    await database.close()
    log = await SqliteRoomLog.open(tmp_path / "messages.db", SystemClock())
    for room in rooms:
        events = await log.events(room.id, 0, 100)
        assert [event.seq for event in events] == [1, 2, 3, 4, 5]
        assert [event.data.get("name") for event in events] == [None, *names]
    await log.close()
