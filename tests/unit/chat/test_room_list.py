"""The list of rooms is made once and made again exactly where something changed."""

import asyncio
from collections.abc import Iterable

import msgspec
import pytest

from parlour.chat.model import RoomKind
from parlour.chat.service.batching import BatchLoader
from parlour.chat.service.ready import Summaries
from parlour.chat.service.room_list import RoomList
from parlour.platform.bus import MemoryBus
from parlour.platform.contracts import USER_CHANGED, Profile, UserChanged
from parlour.platform.errors import RateLimited, Unavailable
from parlour.platform.ids import RoomId, UserId
from parlour.platform.rates import RateLimits

from .doubles import FakeDirectory, FakeHeads, FakeLog, FakeMemberships, ManualClock, a_principal, a_profile, a_room


class KnownHeads(FakeHeads):
    def get(self, room_id: RoomId) -> int | None:
        return self.at.get(room_id)

    async def of(self, room_ids: Iterable[RoomId]) -> dict[RoomId, int]:
        return {room_id: self.at.setdefault(room_id, 0) for room_id in room_ids}


class House:
    def __init__(self, capacity: int = 10, rates: dict[str, str] | None = None) -> None:
        self.log, self.heads, self.memberships = FakeLog(), KnownHeads(), FakeMemberships()
        self.ben = a_profile("ben")
        self.directory = FakeDirectory(self.ben)
        self.summaries = summaries = Summaries(self.log, self.directory, self.heads, ManualClock(), epoch="epoch")
        limits = RateLimits(ManualClock(), rates)
        self.list = RoomList(summaries, self.memberships, self.heads, limits, capacity=capacity)
        self.ann, self.room, self.direct = a_principal(), a_room(), a_room(RoomKind.DIRECT, "")
        self.memberships.add(self.ann, self.room, read=3)
        self.memberships.add(self.ann, self.direct, peer=self.ben.id)
        self.memberships.of[self.ben.id] = {}
        self.memberships.add(self.ben, self.direct, peer=self.ann.user_id)
        self.heads.at[self.room.id] = 5


async def test_a_list_is_made_once() -> None:
    house = House()
    first = await house.list.of(house.ann)
    assert [(each.id, each.unread) for each in first] == [(house.room.id, 2), (house.direct.id, 0)]
    assert all(mine is again for mine, again in zip(first, await house.list.of(house.ann), strict=True))
    assert len(house.log.mention_calls) == 1


async def test_making_a_list_has_a_rate_and_one_that_is_known_has_none() -> None:
    house = House(rates={"list": "1/minute"})
    for _ in range(3):
        await house.list.of(house.ann)
    house.heads.at[house.room.id] = 6
    with pytest.raises(RateLimited):
        await house.list.of(house.ann)
    membership = house.memberships.of[house.ann.user_id][house.room.id]
    assert (await house.list.one(house.ann.user_id, membership)).head == 6


async def test_only_what_changed_is_made_again() -> None:
    house = House()
    first = await house.list.of(house.ann)
    house.heads.at[house.room.id] = 6
    second = await house.list.of(house.ann)
    assert (second[0].unread, second[1]) == (3, first[1])
    assert second[1] is first[1]
    membership = house.memberships.of[house.ann.user_id][house.room.id]
    membership.read, membership.role, membership.room.name = 6, "owner", "dinner"
    changed = (await house.list.of(house.ann))[0]
    assert (changed.unread, changed.role, changed.name) == (0, "owner", "dinner")


async def test_a_peer_who_changed_is_seen_so() -> None:
    house, bus = House(), MemoryBus()
    unfollow = house.list.follow(bus)
    first = await house.list.of(house.ann)
    house.directory.all[house.ben.id] = Profile(house.ben.id, "ben", "Benjamin", "member")
    changed = msgspec.json.encode(UserChanged(house.ben.id, "ben", "Benjamin", "member", False))
    await bus.publish(USER_CHANGED, changed)
    second = await house.list.of(house.ann)
    assert [each.peer and each.peer.display_name for each in (first[1], second[1])] == ["Ben", "Benjamin"]
    assert second[0] is first[0]
    unfollow()
    await bus.publish(USER_CHANGED, changed)
    assert (await house.list.of(house.ann))[1] is second[1]


async def test_a_peer_who_changes_while_a_list_is_made_is_seen_so_in_the_next() -> None:
    house, bus = House(), MemoryBus()
    house.list.follow(bus)
    profiles, fetched, go_on = house.directory.profiles, asyncio.Event(), asyncio.Event()

    async def slowly(user_ids: Iterable[UserId]) -> dict[UserId, Profile]:
        found = await profiles(user_ids)
        fetched.set()
        await go_on.wait()
        return found

    house.summaries._profiles = BatchLoader(slowly)
    first = asyncio.ensure_future(house.list.of(house.ann))
    await fetched.wait()
    house.directory.all[house.ben.id] = Profile(house.ben.id, "ben", "Benjamin", "member")
    await bus.publish(USER_CHANGED, msgspec.json.encode(UserChanged(house.ben.id, "ben", "Benjamin", "member", False)))
    go_on.set()
    await first
    peer = (await house.list.of(house.ann))[1].peer
    assert peer is not None
    assert peer.display_name == "Benjamin"


async def test_a_peer_who_changes_while_the_store_is_away_is_seen_so(monkeypatch: pytest.MonkeyPatch) -> None:
    house, bus = House(), MemoryBus()
    house.list.follow(bus)
    await house.list.of(house.ann)
    house.directory.all[house.ben.id] = Profile(house.ben.id, "ben", "Benjamin", "member")

    async def away(_user_id: UserId) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(house.memberships, "load", away)
        await bus.publish(
            USER_CHANGED, msgspec.json.encode(UserChanged(house.ben.id, "ben", "Benjamin", "member", False))
        )
    peer = (await house.list.of(house.ann))[1].peer
    assert peer is not None
    assert peer.display_name == "Benjamin"


async def test_rooms_that_were_left_are_neither_listed_nor_kept() -> None:
    house = House()
    await house.list.of(house.ann)
    del house.memberships.of[house.ann.user_id][house.room.id]
    assert [each.id for each in await house.list.of(house.ann)] == [house.direct.id]
    assert list(house.list._lists[house.ann.user_id]) == [house.direct.id]


async def test_the_number_of_remembered_lists_is_bounded() -> None:
    house = House(capacity=1)
    await house.list.of(house.ann)
    other = a_principal("eve")
    assert await house.list.of(other) == []
    assert list(house.list._lists) == [other.user_id]
