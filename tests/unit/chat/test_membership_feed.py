"""Memberships of several processes stay in step: by messages, by what the log tells, and without either."""

import asyncio
from collections.abc import Callable, Iterable

import pytest

from parlour.chat.model import EventType, Membership, Room, RoomEvent, RoomKind
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MembershipFeed, MembershipNews
from parlour.platform.bus import MemoryBus
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, uuid4, uuid7

from .memory_rooms import MemoryRooms

ANN, BEN = UserId(uuid7()), UserId(uuid7())


class Node:
    """One process's cache over the shared store, and what its sockets hear."""

    def __init__(self, store: MemoryRooms, bus: MemoryBus) -> None:
        self.memberships = Memberships(store)
        self.trusts = True
        self.news = MembershipNews(bus)
        self.memberships.on_changed(self.news.changed)
        self.feed = MembershipFeed(bus, self.memberships, trusted=lambda: self.trusts)
        self.came: list[tuple[UserId, RoomId]] = []
        self.went: list[tuple[UserId, RoomId]] = []
        self.memberships.on_added(lambda user_id, each: self.came.append((user_id, each.room.id)))
        self.memberships.on_removed(lambda user_id, room_id: self.went.append((user_id, room_id)))
        self.feed.start()

    async def stop(self) -> None:
        await self.feed.stop()
        await self.news.stop()


class House:
    def __init__(self) -> None:
        self.store, self.bus = MemoryRooms(), MemoryBus()
        self.one, self.two = Node(self.store, self.bus), Node(self.store, self.bus)

    async def room(self, *members: UserId) -> Room:
        room = Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, ANN, 1)
        await self.store.create(room, dict.fromkeys(members, "member"))
        for node in (self.one, self.two):
            await node.memberships.load_many([ANN, BEN])
        return room

    async def stop(self) -> None:
        await self.one.stop()
        await self.two.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a cache tells nobody
            await asyncio.sleep(0.002)


async def test_who_is_removed_on_one_node_is_out_on_the_other() -> None:
    house = House()
    room = await house.room(ANN, BEN)
    await house.store.remove_member(room.id, BEN, ANN)
    house.one.memberships.removed(BEN, room.id)
    await until(lambda: house.two.went == [(BEN, room.id)])
    assert await house.two.memberships.load(BEN) == {}
    await house.stop()


async def test_who_is_added_on_one_node_hears_of_it_on_the_other_once() -> None:
    house = House()
    room = await house.room(ANN)
    added = await house.store.add_member(room.id, BEN, "member", ANN, at=2)
    assert added is not None
    house.one.memberships.added(BEN, added)
    await until(lambda: house.two.came == [(BEN, room.id)])
    await asyncio.sleep(0.02)
    assert house.one.came == [(BEN, room.id)]
    await house.stop()


async def test_a_room_is_renamed_everywhere() -> None:
    house = House()
    room = await house.room(ANN)
    updated = await house.store.update(room.id, ANN, {"name": "supper"})
    assert updated is not None
    house.one.memberships.room_updated(updated)
    await until(lambda: (house.two.memberships.get(ANN) or {})[room.id].room.name == "supper")
    await house.stop()


async def test_what_the_log_tells_reaches_who_never_heard_of_the_change() -> None:
    """The process that made it died before it could tell."""
    house = House()
    room = await house.room(ANN, BEN)
    await house.store.remove_member(room.id, BEN, ANN)
    left = RoomEvent(room.id, 3, EventId(uuid7()), EventType.MEMBER_LEFT, ANN, ClientId(uuid7()), 1, {"user_id": BEN})
    house.one.news.committed([left])
    await until(lambda: house.one.went == house.two.went == [(BEN, room.id)])
    await house.stop()


async def test_while_the_bus_is_away_who_was_removed_is_out_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without doing anything, and without a message."""
    monkeypatch.setattr("parlour.chat.service.membership_feed.DISTRUST", 0.01)
    house = House()
    room = await house.room(ANN, BEN)
    running = asyncio.create_task(house.two.feed.run())
    await house.store.remove_member(room.id, BEN, ANN)
    await asyncio.sleep(0.03)
    assert house.two.went == [], "it is trusted"
    house.two.trusts = False
    await until(lambda: house.two.went == [(BEN, room.id)])
    running.cancel()
    await house.stop()


async def test_after_a_gap_everything_is_read_again_though_the_store_was_away() -> None:
    house = House()
    room = await house.room(ANN, BEN)
    await house.store.remove_member(room.id, BEN, ANN)
    house.store.down = True
    house.two.feed.gap()
    house.two.feed.gap()
    await asyncio.sleep(0.01)
    house.store.down = False
    await until(lambda: house.two.went == [(BEN, room.id)])
    await house.stop()


async def test_a_change_just_before_the_end_is_told() -> None:
    house = House()
    room = await house.room(ANN, BEN)
    await house.store.remove_member(room.id, BEN, ANN)
    house.one.memberships.removed(BEN, room.id)
    await house.one.stop()
    await until(lambda: house.two.went == [(BEN, room.id)])
    await house.two.stop()


async def test_who_changes_all_the_time_holds_up_nobody() -> None:
    class Restless(MemoryRooms):
        memberships_cache: Memberships

        async def memberships(self, user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
            found = await super().memberships(user_ids)
            self.memberships_cache.invalidate([BEN])
            return found

    store = Restless()
    store.memberships_cache = memberships = Memberships(store)
    room = Room(RoomId(uuid4()), "lunch", RoomKind.PRIVATE, ANN, 1)
    await store.create(room, {ANN: "member", BEN: "member"})
    async with asyncio.timeout(20):
        loaded = await memberships.load_many([ANN, BEN])
    assert [list(loaded[each]) for each in (ANN, BEN)] == [[room.id]] * 2
    assert memberships.get(BEN) is None, "what may be old is not remembered"
