"""The room logs under contract, and the events that their suites append."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.chat.adapters.sqlite_log import SqliteRoomLog, SqliteSearch
from parlour.chat.model import Appended, EventType, NewEvent, RoomEvent
from parlour.chat.ports import MovableLog, Search
from parlour.platform.ids import ClientId, RoomId, UserId, uuid4, uuid7

from ..mongodb_server import MongodbServer

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
    """A log and its clock."""

    def __init__(self, log: MovableLog, clock: StillClock) -> None:
        self.log = log
        self.clock = clock

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


class SearchBench(Bench):
    """A log with its search. `settled` returns once the search has caught up."""

    def __init__(self, log: MovableLog, clock: StillClock, search: Search, settled: Callable[[], Any]) -> None:
        super().__init__(log, clock)
        self.search = search
        self.settled = settled


Opener = Callable[[], AbstractAsyncContextManager[Bench]]
"""Opens an empty log, at each call another one."""


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[Bench]:
    clock = StillClock()
    log = await SqliteRoomLog.open(folder / f"{uuid7()}.db", clock)
    try:
        yield Bench(log, clock)
    finally:
        await log.close()


@asynccontextmanager
async def sqlite_with_search(folder: Path) -> AsyncIterator[SearchBench]:
    clock = StillClock()
    log = await SqliteRoomLog.open(folder / "messages.db", clock)
    search = await SqliteSearch.open(log, clock)
    try:
        yield SearchBench(log, clock, search, search.settled)
    finally:
        await search.close()
        await log.close()


@asynccontextmanager
async def mongodb(server: MongodbServer) -> AsyncIterator[Bench]:
    clock = StillClock()
    log = await MongoRoomLog.open(server.create(), clock)
    try:
        yield Bench(log, clock)
    finally:
        await log.close()


ADAPTERS = ["sqlite", "mongodb", "ferretdb"]


def opener(adapter: str, request: pytest.FixtureRequest, folder: Path) -> Opener:
    """Return what opens logs of an adapter; the engine that it needs is started when it is asked for first."""
    if adapter == "sqlite":
        return lambda: sqlite(folder)
    if adapter == "ferretdb" and os.environ.get("PARLOUR_TEST_FERRETDB") != "1":
        pytest.skip("FerretDB takes minutes to build: PARLOUR_TEST_FERRETDB=1 runs it")
    server: MongodbServer = request.getfixturevalue(adapter)
    return lambda: mongodb(server)


def a_room() -> RoomId:
    return RoomId(uuid4())


def a_client_id() -> ClientId:
    return ClientId(uuid4())


def saying(room: RoomId, text: str = "hello", sender: UserId = ANN, **data: Any) -> NewEvent:
    return NewEvent(room, EventType.MESSAGE_CREATED, sender, a_client_id(), {"text": text, **data})


def doing(kind: EventType, target: RoomEvent, sender: UserId = ANN, **data: Any) -> NewEvent:
    return NewEvent(target.room_id, kind, sender, a_client_id(), {"message_id": target.id, **data})
