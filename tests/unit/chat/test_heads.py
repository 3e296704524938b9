"""Heads come from the log once, then follow what is committed, and never go back."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from parlour.chat.model import Appended, EventType, NewEvent, Tail
from parlour.chat.service.heads import Heads
from parlour.platform.errors import Internal, ParlourError, Unavailable
from parlour.platform.ids import RoomId, UserId

from .doubles import a_client_id, an_event

ONE, TWO = RoomId("one"), RoomId("two")


class Log:
    def __init__(self) -> None:
        self.at = {ONE: 5}
        self.asked: list[list[RoomId]] = []
        self.hold: asyncio.Event | None = None
        self.reading = asyncio.Event()

    async def tails(self, room_ids: Iterable[RoomId]) -> dict[RoomId, Tail]:
        rooms = list(room_ids)
        self.asked.append(rooms)
        found = {room_id: Tail(seq, 100 * seq) for room_id in rooms for seq in [self.at.get(room_id, 0)]}
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


async def test_the_time_of_the_last_event_comes_with_its_head() -> None:
    log = Log()
    heads = Heads(log)
    assert await heads.tails([ONE, TWO]) == {ONE: Tail(5, 500), TWO: Tail()}
    event = an_event(ONE, 6)
    heads.committed([event, an_event(ONE, 5)])
    assert await heads.tails([ONE]) == {ONE: Tail(6, event.at)}
    assert log.asked == [[ONE, TWO]]


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


def a_command(room_id: RoomId) -> NewEvent:
    return NewEvent(room_id, EventType.MESSAGE_CREATED, UserId("ann"), a_client_id(), {"text": "x"})


async def test_heads_follow_the_worker_before_anybody_is_answered_repeats_too() -> None:
    log = Log()
    heads = Heads(log)
    await heads.of([ONE, TWO])

    async def work(_batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        return [Appended(an_event(ONE, 6)), Appended(an_event(TWO, 3), repeated=True)]

    await heads.follow(work)([a_command(ONE), a_command(TWO)])
    assert [heads.get(ONE), heads.get(TWO)] == [6, 3]


async def test_heads_that_a_failed_write_made_unknown_are_read_again() -> None:
    log = Log()
    heads = Heads(log)
    await heads.of([ONE, TWO])

    async def fail(_batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        log.at[ONE] = 6  # written, but nobody knows
        raise Unavailable

    with pytest.raises(Unavailable):
        await heads.follow(fail)([a_command(ONE)])
    assert heads.get(TWO) == 0
    assert await heads.of([ONE]) == {ONE: 6}

    async def refuse(_batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        return [Internal()]

    await heads.follow(refuse)([a_command(ONE)])
    assert heads.get(ONE) is None


async def test_a_read_under_way_when_a_write_failed_is_repeated() -> None:
    log = Log()
    log.hold = asyncio.Event()
    heads = Heads(log)
    asking = asyncio.ensure_future(heads.of([ONE]))
    await log.reading.wait()

    async def fail(_batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        log.at[ONE] = 6
        raise Unavailable

    with pytest.raises(Unavailable):
        await heads.follow(fail)([a_command(ONE)])
    log.hold.set()
    assert await asking == {ONE: 6}
