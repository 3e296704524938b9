"""Notices of typing end by themselves and never flood."""

from asyncio import sleep

import pytest

from parlour.chat.errors import RoomNotFound
from parlour.chat.service.typing_notices import EXPIRY, TypingNotices
from parlour.platform.errors import RateLimited
from parlour.platform.rates import RateLimits

from .doubles import FakeMemberships, ManualClock, a_principal, a_room
from .virtual_time import in_virtual_time


class House:
    def __init__(self, rates: dict[str, str] | None = None) -> None:
        self.ann, self.bob = a_principal("ann"), a_principal("bob")
        self.room = a_room()
        memberships = FakeMemberships()
        memberships.add(self.ann, self.room)
        memberships.add(self.bob, self.room)
        self.told: list[tuple[str, bool]] = []
        self.typing = TypingNotices(
            memberships,
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
