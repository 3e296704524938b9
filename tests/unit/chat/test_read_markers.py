"""Read markers move forward, within the room, and are told to those who care."""

import pytest

from parlour.chat.errors import RoomNotFound
from parlour.chat.service.read_markers import SMALL_ROOM, ReadMarkers
from parlour.chat.service.room_sizes import room_sizes
from parlour.platform.bus import MemoryBus
from parlour.platform.rates import RateLimits

from .doubles import CountedRooms, FakeHeads, FakeLog, FakeMemberships, ManualClock, a_principal, a_room


class House:
    def __init__(self) -> None:
        self.ann, self.room = a_principal(), a_room()
        self.memberships, self.heads, self.store = FakeMemberships(), FakeHeads(), CountedRooms()
        self.memberships.add(self.ann, self.room, read=3)
        self.heads.at[self.room.id] = 10
        self.told: list[tuple[object, ...]] = []
        self.log = FakeLog()
        self.unread: list[tuple[object, ...]] = []
        self.reads = ReadMarkers(
            log=self.log,
            sizes=room_sizes(self.store, MemoryBus(), ManualClock()),
            memberships=self.memberships,
            marks=self.memberships,
            heads=self.heads,
            rates=RateLimits(ManualClock()),
            tell=lambda *told: self.told.append(told),
            tell_unread=lambda *told: self.unread.append(told),
        )


async def test_a_marker_moves_forward_and_is_told() -> None:
    house = House()
    assert await house.reads.mark(house.ann, house.room.id, 7, "tab") == 7
    assert house.memberships.marks == [(house.ann.user_id, house.room.id, 7)]
    assert house.told == [(house.room.id, house.ann.user_id, 7, True, "tab")]


@pytest.mark.parametrize(("seq", "mark"), [(0, 3), (3, 3), (10, 10), (11, 10), (2**53 - 1, 10)])
async def test_a_marker_stays_between_where_it_was_and_the_head(seq: int, mark: int) -> None:
    house = House()
    assert await house.reads.mark(house.ann, house.room.id, seq) == mark
    assert house.memberships.of[house.ann.user_id][house.room.id].read == mark
    assert bool(house.told) is (mark > 3)


async def test_large_rooms_are_not_told_who_read_and_are_counted_once() -> None:
    house = House()
    house.store.members = SMALL_ROOM + 1
    for seq in (5, 6, 7):
        await house.reads.mark(house.ann, house.room.id, seq)
    assert [told[3] for told in house.told] == [False] * 3
    assert house.store.asked == 1


async def test_a_marker_moves_back_on_purpose_and_only_the_users_devices_hear_of_it_and_of_the_mentions() -> None:
    house = House()
    house.log.mention_counts[house.ann.user_id, house.room.id, 1] = 2
    assert await house.reads.mark_unread(house.ann, house.room.id, 1) == 1
    assert house.memberships.of[house.ann.user_id][house.room.id].read == 1
    assert house.unread == [(house.room.id, house.ann.user_id, 1, 10, 2)]
    assert house.told == []
    assert await house.reads.mark_unread(house.ann, house.room.id, 99) == 10


async def test_what_was_read_before_the_marker_moved_back_undoes_nothing() -> None:
    house = House()
    await house.reads.mark(house.ann, house.room.id, 9, "stale", was=3)
    await house.reads.mark_unread(house.ann, house.room.id, 2)
    for seq in (9, 10):
        assert await house.reads.mark(house.ann, house.room.id, seq, "stale", was=9) == 2
    assert await house.reads.mark(house.ann, house.room.id, 10, "told", was=2) == 10


async def test_other_peoples_rooms_have_no_marker() -> None:
    house = House()
    with pytest.raises(RoomNotFound):
        await house.reads.mark(a_principal("eve"), house.room.id, 7)
    with pytest.raises(RoomNotFound):
        await house.reads.mark_unread(a_principal("eve"), house.room.id, 1)
