"""Notices of typing end by themselves and never flood."""

from asyncio import sleep

import pytest

from parlour.chat.errors import RoomNotFound
from parlour.chat.service.room_sizes import room_sizes
from parlour.chat.service.typing_notices import EXPIRY, LARGEST_ROOM, REPEAT, TypingNotices
from parlour.platform.bus import MemoryBus
from parlour.platform.errors import RateLimited
from parlour.platform.rates import RateLimits

from .doubles import CountedRooms, FakeMemberships, ManualClock, a_principal, a_room
from .virtual_time import in_virtual_time


class House:
    def __init__(self, rates: dict[str, str] | None = None) -> None:
        self.ann, self.bob = a_principal("ann"), a_principal("bob")
        self.room = a_room()
        memberships = FakeMemberships()
        memberships.add(self.ann, self.room)
        memberships.add(self.bob, self.room)
        self.store = CountedRooms()
        self.told: list[tuple[str, bool]] = []
        self.typing = TypingNotices(
            memberships,
            room_sizes(self.store, MemoryBus(), ManualClock()),
            RateLimits(ManualClock(), rates),
            lambda _room_id, user_id, on: self.told.append((user_id, on)),
        )


@in_virtual_time
async def test_a_notice_ends_by_itself_after_its_time() -> None:
    house = House()
    await house.typing.set(house.ann, house.room.id, True)
    await sleep(EXPIRY - 0.5)
    assert house.told == [(house.ann.user_id, True)]
    await sleep(1)
    assert house.told == [(house.ann.user_id, True), (house.ann.user_id, False)]


@in_virtual_time
async def test_a_renewed_notice_goes_on_and_is_told_again() -> None:
    house = House()
    for _ in range(4):
        await house.typing.set(house.ann, house.room.id, True)
        await sleep(3)
    assert house.told == [(house.ann.user_id, True)] * 4
    await sleep(EXPIRY)
    assert house.told[4:] == [(house.ann.user_id, False)]


@in_virtual_time
async def test_every_keystroke_is_not_told() -> None:
    house = House()
    for _ in range(10):
        await house.typing.set(house.ann, house.room.id, True)
        await sleep(0.1)
    assert house.told == [(house.ann.user_id, True)]


@in_virtual_time
async def test_saying_so_ends_it_at_once_and_only_once() -> None:
    house = House()
    await house.typing.set(house.ann, house.room.id, True)
    await house.typing.set(house.ann, house.room.id, False)
    await house.typing.set(house.ann, house.room.id, False)
    await sleep(EXPIRY * 2)
    assert house.told == [(house.ann.user_id, True), (house.ann.user_id, False)]


@in_virtual_time
async def test_the_message_ends_it_without_another_word() -> None:
    house = House()
    await house.typing.set(house.ann, house.room.id, True)
    house.typing.sent(house.room.id, house.ann.user_id)
    await sleep(EXPIRY * 2)
    assert house.told == [(house.ann.user_id, True)]


@in_virtual_time
async def test_beginning_and_ending_fast_is_told_once_in_a_while_whatever_is_said() -> None:
    house = House()
    for _ in range(50):
        await house.typing.set(house.ann, house.room.id, True)
        await sleep(REPEAT / 20)
        await house.typing.set(house.ann, house.room.id, False)
        house.typing.sent(house.room.id, house.ann.user_id)
        await sleep(REPEAT / 20)
    begun = sum(on for _, on in house.told)
    assert 1 <= begun <= 6  # in five times REPEAT
    assert len(house.told) <= 2 * begun
    await sleep(EXPIRY * 2)
    assert house.typing._notices == {}


@in_virtual_time
async def test_who_goes_on_typing_after_the_message_is_told_again_as_soon_as_it_may_be() -> None:
    house = House()
    await house.typing.set(house.ann, house.room.id, True)
    await sleep(REPEAT / 2)
    house.typing.sent(house.room.id, house.ann.user_id)
    await house.typing.set(house.ann, house.room.id, True)
    assert house.told == [(house.ann.user_id, True)]
    await sleep(REPEAT)
    assert house.told == [(house.ann.user_id, True)] * 2
    await house.typing.set(house.ann, house.room.id, False)
    assert house.told[2:] == [(house.ann.user_id, False)]


@in_virtual_time
async def test_who_stops_before_a_late_notice_is_told_is_not_told_of() -> None:
    house = House()
    for on in (True, False, True, False):
        await house.typing.set(house.ann, house.room.id, on)
    await sleep(EXPIRY * 2)
    assert house.told == [(house.ann.user_id, True), (house.ann.user_id, False)]


@in_virtual_time
async def test_a_large_room_hears_of_nobody() -> None:
    house = House()
    house.store.members = LARGEST_ROOM + 1
    for _ in range(3):
        await house.typing.set(house.ann, house.room.id, True)
        await sleep(REPEAT)
    assert house.told == []
    assert house.store.asked == 1


@in_virtual_time
async def test_notices_of_two_members_end_each_in_its_time() -> None:
    house = House()
    await house.typing.set(house.ann, house.room.id, True)
    await sleep(2)
    await house.typing.set(house.bob, house.room.id, True)
    await sleep(EXPIRY - 1)
    assert house.told[2:] == [(house.ann.user_id, False)]
    await sleep(2)
    assert house.told[3:] == [(house.bob.user_id, False)]


@in_virtual_time
async def test_only_members_type_and_within_their_rate() -> None:
    house = House({"typing": "2/minute"})
    with pytest.raises(RoomNotFound):
        await house.typing.set(a_principal("eve"), house.room.id, True)
    for _ in range(2):
        await house.typing.set(house.ann, house.room.id, True)
    with pytest.raises(RateLimited):
        await house.typing.set(house.ann, house.room.id, True)
