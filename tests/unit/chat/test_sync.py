"""Catching up: what was missed, or a reset; never half of it."""

import asyncio

import msgspec
import pytest

from parlour.chat.model import SYNC_GAP, RoomEvent
from parlour.chat.service.sync import MAX_BYTES, MAX_ROOMS, RoomSync, Sync
from parlour.platform.errors import InvalidRequest, RateLimited
from parlour.platform.ids import RoomId
from parlour.platform.rates import RateLimits

from .doubles import FakeHeads, FakeLog, FakeMemberships, ManualClock, a_principal, a_room


class House:
    def __init__(self, rates: dict[str, str] | None = None) -> None:
        self.ann = a_principal()
        self.log = FakeLog()
        self.heads = FakeHeads()
        self.memberships = FakeMemberships()
        self.clock = ManualClock()
        self.sync = Sync(self.log, self.memberships, self.heads, RateLimits(self.clock, rates))

    def room(self, events: int, text: str = "hello", member: bool = True) -> RoomId:
        room = a_room()
        if member:
            self.memberships.add(self.ann, room)
        self.log.fill(room, events, text)
        self.heads.at[room.id] = events
        return room.id

    async def one(self, room_id: RoomId, last: int) -> RoomSync:
        return (await self.sync.sync(self.ann, {room_id: last}))[room_id]


def seqs(answer: RoomSync) -> list[int]:
    return [msgspec.json.decode(event, type=RoomEvent).seq for event in answer.events]


@pytest.mark.parametrize(
    ("head", "last", "missed", "reset"),
    [
        (0, 0, [], False),
        (5, 5, [], False),
        (5, 3, [4, 5], False),
        (5, 0, [1, 2, 3, 4, 5], False),
        (SYNC_GAP, 0, list(range(1, SYNC_GAP + 1)), False),
        (SYNC_GAP + 1, 0, [], True),
        (5, 6, [], True),
    ],
)
async def test_a_room_is_brought_up_to_its_head_or_reset(head: int, last: int, missed: list[int], reset: bool) -> None:
    house = House()
    answer = await house.one(house.room(head), last)
    assert (answer.head, seqs(answer), answer.reset) == (head, missed, reset)


@pytest.mark.parametrize(("last", "missed", "reset"), [(4, [5], False), (5, [], False), (6, [], True), (3, [], False)])
async def test_who_holds_more_than_the_head_that_is_remembered_is_answered_by_the_log(
    last: int, missed: list[int], reset: bool
) -> None:
    house = House()
    room_id = house.room(5)
    house.heads.at[room_id], house.heads.ahead[room_id] = 3, 5
    answer = await house.one(room_id, last)
    assert (answer.head, seqs(answer), answer.reset) == (3 if last == 3 else 5, missed, reset)


async def test_what_is_appended_meanwhile_is_left_to_live_delivery() -> None:
    house = House()
    room_id = house.room(10)
    house.heads.at[room_id] = 8
    answer = await house.one(room_id, 5)
    assert (answer.head, seqs(answer)) == (8, [6, 7, 8])


async def test_rooms_that_may_not_be_read_say_so_and_cost_the_others_nothing() -> None:
    house = House()
    mine, theirs = house.room(3), house.room(3, member=False)
    answer = await house.sync.sync(house.ann, {theirs: 0, mine: 1, RoomId("no room at all"): 0})
    assert seqs(answer[mine]) == [2, 3]
    for room_id in (theirs, RoomId("no room at all")):
        refused = answer[room_id]
        assert refused.error is not None
        assert (refused.error.code, refused.events) == ("room_not_found", [])


async def test_an_answer_is_bounded_and_serves_the_shortest_gaps_first() -> None:
    house = House()
    text = "x" * 8000
    long, short = house.room(60, text), house.room(10, text)
    longer = house.room(61, text)
    answer = await house.sync.sync(house.ann, {longer: 0, long: 0, short: 0})
    assert [answer[each].reset for each in (short, long, longer)] == [False, True, True]
    assert len(msgspec.json.encode(answer)) < MAX_BYTES * 1.1


async def test_once_a_room_does_not_fit_no_longer_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    rooms = [house.room(100 + number, "x" * 8000) for number in range(5)]
    read: list[RoomId] = []

    async def events(room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        read.append(room_id)
        found = await FakeLog.events(house.log, room_id, after, upto, max_bytes)
        assert found == [], "what does not fit is not fetched"
        return found

    monkeypatch.setattr(house.log, "events", events)
    answer = await house.sync.sync(house.ann, dict.fromkeys(rooms, 0))
    assert read == rooms[:1]
    assert all(answer[room_id].reset for room_id in rooms)


async def test_memberships_that_are_not_loaded_are_loaded() -> None:
    house = House()
    room_id = house.room(2)
    house.memberships.unloaded.add(house.ann.user_id)
    assert seqs(await house.one(room_id, 0)) == [1, 2]


async def test_requests_are_bounded() -> None:
    house = House({"sync": "1/minute"})
    with pytest.raises(InvalidRequest):
        await house.sync.sync(house.ann, {RoomId(str(number)): 0 for number in range(MAX_ROOMS + 1)})
    with pytest.raises(InvalidRequest):
        await house.sync.sync(house.ann, {RoomId("room"): -1})
    await house.sync.sync(house.ann, {})
    with pytest.raises(RateLimited):
        await house.sync.sync(house.ann, {})


async def test_a_call_counts_by_what_it_has_to_read() -> None:
    house = House({"sync": "10/second"})
    wide = dict.fromkeys([house.room(91) for _ in range(9)], 1)
    await house.sync.sync(house.ann, {house.room(3): 1})
    await house.sync.sync(house.ann, wide)
    with pytest.raises(RateLimited):
        await house.sync.sync(house.ann, wide)
    house.clock.advance(1)
    await house.sync.sync(house.ann, dict.fromkeys(wide, 91))


async def test_those_who_lack_the_same_at_the_same_time_share_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    room_id = house.room(5)
    reads, go, read = [], asyncio.Event(), house.log.events

    async def slow(room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        reads.append((after, upto))
        await go.wait()
        return await read(room_id, after, upto, max_bytes)

    monkeypatch.setattr(house.log, "events", slow)
    first, second, other = (asyncio.create_task(house.one(room_id, last)) for last in (2, 2, 3))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()  # who began the read may go
    go.set()
    assert seqs(await second) == [3, 4, 5]
    assert seqs(await other) == [4, 5]
    assert reads == [(2, 5), (3, 5)]
    await house.one(room_id, 2)
    assert len(reads) == 3, "what was read is not kept"


async def test_who_is_removed_while_the_log_is_read_gets_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    room_id, other = house.room(5), house.room(5)
    read = house.log.events

    async def removed(room_id: RoomId, after: int, upto: int, max_bytes: int | None = None) -> list[RoomEvent]:
        house.memberships.of[house.ann.user_id].pop(room_id, None)
        return await read(room_id, after, upto, max_bytes)

    monkeypatch.setattr(house.log, "events", removed)
    answer = await house.sync.sync(house.ann, {room_id: 2, other: 5})
    assert answer[room_id].error is not None
    assert answer[room_id].events == []
    assert (answer[other].head, answer[other].error) == (5, None)
