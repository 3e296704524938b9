"""Heads come from the log once, then follow what is committed, and never go back."""

import asyncio
from collections.abc import Iterable

from parlour.chat.service.heads import Heads
from parlour.platform.ids import RoomId

from .doubles import an_event

ONE, TWO = RoomId("one"), RoomId("two")


class Log:
    def __init__(self) -> None:
        self.at = {ONE: 5}
        self.asked: list[list[RoomId]] = []
        self.hold: asyncio.Event | None = None
        self.reading = asyncio.Event()

    async def heads(self, room_ids: Iterable[RoomId]) -> dict[RoomId, int]:
        rooms = list(room_ids)
        self.asked.append(rooms)
        found = {room_id: self.at.get(room_id, 0) for room_id in rooms}
        self.reading.set()
        if self.hold is not None:
            await self.hold.wait()
        return found


async def test_heads_are_loaded_together_and_once() -> None:
    log = Log()
    heads = Heads(log)
    assert heads.get(ONE) is None
    assert await asyncio.gather(heads.of([ONE]), heads.of([TWO, ONE])) == [{ONE: 5}, {TWO: 0, ONE: 5}]
    assert (await heads.of([ONE]), heads.get(ONE), await heads.of([])) == ({ONE: 5}, 5, {})
    assert log.asked == [[ONE, TWO]]


async def test_committed_events_move_a_head_forward_without_asking() -> None:
    log = Log()
    heads = Heads(log)
    heads.committed([an_event(ONE, 6), an_event(ONE, 7), an_event(TWO, 1)])
    assert await heads.of([ONE, TWO]) == {ONE: 7, TWO: 1}
    assert log.asked == []


async def test_a_read_that_began_before_a_commit_does_not_turn_a_head_back() -> None:
    log = Log()
    log.hold = asyncio.Event()
    heads = Heads(log)
    asking = asyncio.ensure_future(heads.of([ONE]))
    await log.reading.wait()
    heads.committed([an_event(ONE, 6)])
    log.hold.set()
    assert await asking == {ONE: 6}


async def test_the_number_of_remembered_rooms_is_bounded() -> None:
    heads = Heads(Log(), capacity=1)
    assert await heads.of([ONE, TWO]) == {ONE: 5, TWO: 0}
    assert [heads.get(ONE), heads.get(TWO)] == [None, 0]
