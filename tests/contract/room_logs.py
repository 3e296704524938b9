"""The room logs under contract, and the events that their suites append."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.model import Appended, EventType, NewEvent, RoomEvent
from parlour.chat.ports import RoomLog, Search
from parlour.platform.ids import ClientId, RoomId, UserId, uuid4, uuid7

START = 1_764_018_000_000

ANN, BEN, CY = (UserId(uuid7()) for _ in range(3))


class StillClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.wall = START

    def now(self) -> int:
        return self.wall

    def monotonic(self) -> float:
        return self.wall / 1000


class Bench:
    """A log, its search and its clock. `settled` returns once the search has caught up."""

    def __init__(self, log: RoomLog, search: Search, clock: StillClock, settled: Callable[[], Any]) -> None:
        self.log = log
        self.search = search
        self.clock = clock
        self.settled = settled

    async def one(self, command: NewEvent) -> RoomEvent:
        (appended,) = await self.log.append([command])
        return appended.event

    async def say(self, room: RoomId, text: str = "hello", sender: UserId = ANN, **data: Any) -> RoomEvent:
        return await self.one(saying(room, text, sender, **data))

    async def does(self, kind: EventType, target: RoomEvent, sender: UserId = ANN, **data: Any) -> RoomEvent:
        return await self.one(doing(kind, target, sender, **data))

    async def repeat(self, command: NewEvent) -> Appended:
        (appended,) = await self.log.append([command])
        return appended


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Bench]:
    clock = StillClock()
    log = await SqliteRoomLog.open(folder / "messages.db", clock)
    search = await SqliteSearch.open(log, clock)
    try:
        yield Bench(log, search, clock, search.settled)
    finally:
        await search.close()
        await log.close()


ADAPTERS: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {"sqlite": sqlite}


def a_room() -> RoomId:
    return RoomId(uuid4())


def a_client_id() -> ClientId:
    return ClientId(uuid4())


def saying(room: RoomId, text: str = "hello", sender: UserId = ANN, **data: Any) -> NewEvent:
    return NewEvent(room, EventType.MESSAGE_CREATED, sender, a_client_id(), {"text": text, **data})


def doing(kind: EventType, target: RoomEvent, sender: UserId = ANN, **data: Any) -> NewEvent:
    return NewEvent(target.room_id, kind, sender, a_client_id(), {"message_id": target.id, **data})
