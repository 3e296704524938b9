"""The relay tells the log of every change, in order and once, through failures and crashes at any moment."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from parlour.chat.errors import Busy
from parlour.chat.model import NewEvent, Room, RoomKind
from parlour.chat.ports import Pending
from parlour.chat.service import outbox
from parlour.chat.service.outbox import MAX_REFUSALS, OutboxRelay
from parlour.platform.errors import InvalidRequest, Unavailable
from parlour.platform.ids import RoomId, UserId, uuid4

from .doubles import FakeBroker
from .memory_rooms import MemoryRooms
from .virtual_time import in_virtual_time

ANN = UserId("ann")


class Log(FakeBroker):
    """A broker that can fail, and die after the event is in the log and before it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.refused: RoomId | None = None
        self.die_after: int | None = None
        self.bad: set[object] = set()
        self.batches = 0
        self._batch: list[tuple[NewEvent, Pending]] = []

    def submit(self, command: NewEvent) -> Pending:
        if command.room_id == self.refused:
            raise Busy(retry_after=1)
        loop = asyncio.get_running_loop()
        pending: Pending = loop.create_future()
        self._batch.append((command, pending))
        if len(self._batch) == 1:
            loop.call_soon(self._work)
        return pending

    def _work(self) -> None:
        batch, self._batch = self._batch, []
        self.batches += 1
        away, self.failures = self.failures > 0, max(0, self.failures - 1)
        for command, pending in batch:
            if away:
                pending.set_exception(Unavailable(retry_after=1))
            elif command.data.get("name") in self.bad:
                pending.set_exception(InvalidRequest())
            else:
                pending.set_result(self._append(command))
                if self.die_after == len(self._done):
                    self.die_after = None
                    return

    @property
    def events(self) -> list[tuple[RoomId, int, dict[str, object]]]:
        return [(event.room_id, event.seq, event.data) for event in self._done.values()]


async def a_room(store: MemoryRooms, updates: int = 0) -> Room:
    room = Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, ANN, 1)
    await store.create(room, {ANN: "owner"})
    for number in range(updates):
        await store.update(room.id, ANN, {"name": f"{number}"})
    return room


@asynccontextmanager
async def running(relay: OutboxRelay) -> AsyncIterator[None]:
    task = asyncio.ensure_future(relay.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@in_virtual_time
async def test_a_change_is_in_the_log_when_settle_returns_and_its_row_is_gone() -> None:
    store, log = MemoryRooms(), Log()
    relay = OutboxRelay(store, log)
    async with running(relay):
        room = await a_room(store)
        row_id = store.rows[0].id
        relay.wake()
        assert await relay.settle()
    assert log.events == [(room.id, 1, {"user_id": ANN, "role": "owner"})]
    assert log.commands[0].client_id == row_id
    assert store.rows == []


@in_virtual_time
async def test_what_an_earlier_process_left_is_told_at_start_without_being_asked() -> None:
    store, log = MemoryRooms(), Log()
    room = await a_room(store, updates=3)
    async with running(OutboxRelay(store, log)):
        await asyncio.sleep(0.01)
    assert [(room_id, seq) for room_id, seq, _ in log.events] == [(room.id, seq) for seq in (1, 2, 3, 4)]


@in_virtual_time
async def test_rows_that_nobody_told_of_are_found_within_the_idle_time() -> None:
    store, log = MemoryRooms(), Log()
    async with running(OutboxRelay(store, log, idle=30)):
        await asyncio.sleep(1)
        await a_room(store)
        await asyncio.sleep(30)
    assert len(log.events) == 1


@in_virtual_time
async def test_a_failure_is_repeated_until_it_succeeds_and_keeps_the_order_of_the_room() -> None:
    store, log = MemoryRooms(), Log()
    room = await a_room(store, updates=5)
    log.failures = 3
    relay = OutboxRelay(store, log)
    relay.wake()
    async with running(relay):
        assert await relay.settle(seconds=60)
    assert [data.get("name") for _, _, data in log.events] == [None, "0", "1", "2", "3", "4"]
    assert {room_id for room_id, _, _ in log.events} == {room.id}
    assert store.rows == []


@in_virtual_time
async def test_a_room_that_fails_does_not_hold_up_the_others() -> None:
    store, log = MemoryRooms(), Log()
    stuck, free = await a_room(store, updates=1), await a_room(store, updates=1)
    log.refused = stuck.id
    async with running(OutboxRelay(store, log)):
        await asyncio.sleep(0.01)
        assert {room_id for room_id, _, _ in log.events} == {free.id}
        assert {row.event.room_id for row in store.rows} == {stuck.id}
        log.refused = None
        await asyncio.sleep(60)
    assert [(room_id, seq) for room_id, seq, _ in log.events if room_id == stuck.id] == [(stuck.id, 1), (stuck.id, 2)]


@in_virtual_time
async def test_what_many_rooms_changed_is_told_in_one_batch_and_forgotten_in_one_statement() -> None:
    store, log = MemoryRooms(), Log()
    rooms = [await a_room(store, updates=9) for _ in range(20)]
    relay = OutboxRelay(store, log)
    relay.wake()
    async with running(relay):
        assert await relay.settle()
    assert (log.batches, store.pages, store.deletions) == (1, 1, 1)
    for room in rooms:
        told = [(seq, data.get("name")) for room_id, seq, data in log.events if room_id == room.id]
        assert told == [(1, None), *((number + 2, str(number)) for number in range(9))]


@pytest.mark.parametrize("spread", [(0.5, 1.0), (1.0, 0.5)], ids=["room due before the relay", "room due after it"])
@in_virtual_time
async def test_a_room_that_is_stuck_with_more_than_a_page_makes_no_other_wait(
    monkeypatch: pytest.MonkeyPatch, spread: tuple[float, float]
) -> None:
    monkeypatch.setattr(outbox, "BATCH", 10)
    monkeypatch.setattr(outbox, "_spread", itertools.cycle(spread).__next__)
    store, log = MemoryRooms(), Log()
    stuck = await a_room(store, updates=25)
    log.refused = stuck.id
    relay = OutboxRelay(store, log)
    async with running(relay):
        await asyncio.sleep(1)
        free = await a_room(store, updates=3)
        relay.wake()
        assert await relay.settle(seconds=0.5, room_id=free.id)
        assert not await relay.settle(seconds=0.5, room_id=stuck.id)
        assert {room_id for room_id, _, _ in log.events} == {free.id}
        log.refused = None
        assert await relay.settle(seconds=60)
    assert [seq for room_id, seq, _ in log.events if room_id == stuck.id] == list(range(1, 27))
    assert store.rows == []


@in_virtual_time
async def test_a_row_that_the_log_refuses_is_set_aside_with_an_error_and_its_room_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, log = MemoryRooms(), Log()
    room = await a_room(store, updates=1)
    log.bad.add("0")
    relay = OutboxRelay(store, log)
    async with running(relay):
        await asyncio.sleep(1)
        await store.update(room.id, ANN, {"name": "1"})
        relay.wake()
        assert not await relay.settle(room_id=room.id)
        assert await relay.settle(seconds=60, room_id=room.id)
    assert [data.get("name") for _, _, data in log.events] == [None, "1"]
    (left,) = store.rows
    assert store.set_aside == {left.id}
    assert sum(command.client_id == left.id for command in log.commands) == 0
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [(each.row_id, each.room_id) for each in errors] == [(left.id, room.id)]  # type: ignore[attr-defined]  # extras


@in_virtual_time
async def test_a_log_that_is_away_for_long_sets_nothing_aside() -> None:
    store, log = MemoryRooms(), Log()
    await a_room(store, updates=2)
    log.failures = MAX_REFUSALS * 5
    relay = OutboxRelay(store, log)
    relay.wake()
    async with running(relay):
        assert await relay.settle(seconds=600)
    assert (len(log.events), store.set_aside) == (3, set())


@in_virtual_time
async def test_a_process_killed_between_submit_and_done_doubles_nothing() -> None:
    store, log = MemoryRooms(), Log()
    await a_room(store, updates=9)
    for after in range(1, 11):
        log.die_after = after
        first = asyncio.ensure_future(OutboxRelay(store, log).run())
        await asyncio.wait([first], timeout=0.01)
        first.cancel()
        await asyncio.wait([first])
    async with running(OutboxRelay(store, log)):
        await asyncio.sleep(1)
    assert [seq for _, seq, _ in log.events] == list(range(1, 11))
    assert [data.get("name") for _, _, data in log.events[1:]] == [str(number) for number in range(9)]
    assert len(log.commands) > len(log.events)
    assert store.rows == []


@in_virtual_time
async def test_settle_gives_up_in_time_and_the_change_is_told_later() -> None:
    store, log = MemoryRooms(), Log()
    relay = OutboxRelay(store, log)
    async with running(relay):
        await asyncio.sleep(0.01)
        room = await a_room(store)
        log.refused = room.id
        relay.wake()
        begun = asyncio.get_running_loop().time()
        assert not await relay.settle(seconds=1.0)
        assert asyncio.get_running_loop().time() - begun <= 1.01
        log.refused = None
        assert await relay.settle(seconds=60)
    assert len(log.events) == 1


@in_virtual_time
async def test_an_engine_that_is_away_is_asked_again() -> None:
    store, log = MemoryRooms(), Log()
    relay = OutboxRelay(store, log)
    async with running(relay):
        await a_room(store)
        store.down = True
        relay.wake()
        assert not await relay.settle(seconds=3)
        store.down = False
        assert await relay.settle(seconds=60)
    assert len(log.events) == 1
