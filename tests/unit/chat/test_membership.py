"""The cache of memberships is loaded in batches, never holds what was before a change, and writes markers in groups."""

import asyncio
from collections.abc import Iterable

import pytest

from parlour.chat.errors import RoomNotFound
from parlour.chat.model import Membership, NotificationLevel, Room, RoomKind
from parlour.chat.service.mark_writer import MarkWriter
from parlour.chat.service.membership import Memberships
from parlour.platform.errors import Forbidden, Unavailable
from parlour.platform.ids import RoomId, UserId, uuid4
from parlour.platform.permissions import Permission, Role
from parlour.platform.tokens import Principal

from .doubles import a_principal
from .memory_rooms import MemoryRooms


class House:
    def __init__(self, capacity: int = 100) -> None:
        self.store = MemoryRooms()
        self.memberships = Memberships(self.store, capacity=capacity)
        self.marks = MarkWriter(self.store, self.memberships)

    async def room(self, *members: Principal, role: str = "member", name: str = "lunch") -> Room:
        room = Room(RoomId(uuid4()), name, RoomKind.PRIVATE, UserId("creator"), 1)
        await self.store.create(room, {each.user_id: role for each in members})
        return room

    async def remove(self, user: Principal, room: Room) -> None:
        await self.store.remove_member(room.id, user.user_id, user.user_id)
        self.memberships.removed(user.user_id, room.id)

    async def add(self, user: Principal, room: Room) -> Membership:
        added = await self.store.add_member(room.id, user.user_id, "member", user.user_id, at=2)
        assert added is not None
        self.memberships.added(user.user_id, added)
        return added


async def test_all_users_asked_for_in_one_turn_are_one_query() -> None:
    house = House()
    users = [a_principal() for _ in range(50)]
    room = await house.room(*users)
    loaded = await asyncio.gather(*(house.memberships.load(user.user_id) for user in users + users))
    assert all(list(rooms) == [room.id] for rooms in loaded)
    assert house.store.loads == [{user.user_id for user in users}]


async def test_what_is_loaded_is_not_asked_for_again() -> None:
    house = House()
    ann, stranger = a_principal(), a_principal()
    room = await house.room(ann)
    assert house.memberships.get(ann.user_id) is None
    await house.memberships.load(ann.user_id)
    assert await house.memberships.load(stranger.user_id) == {}
    rooms = house.memberships.get(ann.user_id)
    assert rooms is not None
    assert rooms is await house.memberships.load(ann.user_id)
    found = await house.memberships.load_many([ann.user_id, stranger.user_id])
    assert list(found[ann.user_id]) == [room.id]
    assert len(house.store.loads) == 2


async def test_check_needs_no_await_once_loaded_and_says_so_before() -> None:
    house = House()
    ann, ben = a_principal(), a_principal()
    room = await house.room(ann)
    assert house.memberships.check(ann, room.id, Permission.SEND) is None
    membership = await house.memberships.require(ann, room.id, Permission.SEND)
    assert house.memberships.check(ann, room.id, Permission.SEND) is membership
    with pytest.raises(RoomNotFound):
        await house.memberships.require(ben, room.id, Permission.READ)
    with pytest.raises(RoomNotFound):
        house.memberships.check(ben, room.id, Permission.READ)
    with pytest.raises(RoomNotFound):
        house.memberships.check(ann, RoomId("no such room"), Permission.READ)
    with pytest.raises(Forbidden):
        house.memberships.check(ann, room.id, Permission.UPDATE_ROOM)
    admin = Principal(ann.user_id, ann.session_id, ann.username, Role.ADMIN, ann.expires_at)
    assert house.memberships.check(admin, room.id, Permission.UPDATE_ROOM) is membership


async def test_the_cache_is_bounded_and_keeps_who_was_used_last() -> None:
    house = House(capacity=2)
    ann, ben, cem = a_principal(), a_principal(), a_principal()
    for user in (ann, ben):
        await house.memberships.load(user.user_id)
    house.memberships.get(ann.user_id)
    await house.memberships.load(cem.user_id)
    assert house.memberships.get(ben.user_id) is None
    assert house.memberships.get(ann.user_id) == {}


async def test_who_has_a_socket_here_stays_in_a_full_cache_so_that_a_removal_is_noticed() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    house.memberships = Memberships(house.store, capacity=2, stays=lambda user_id: user_id == ann.user_id)
    removed: list[tuple[UserId, RoomId]] = []
    house.memberships.on_removed(lambda *what: removed.append(what))
    for user in (ann, *(a_principal() for _ in range(40))):
        await house.memberships.load(user.user_id)
    assert len(house.memberships._users) == 2
    await house.store.remove_member(room.id, ann.user_id, ann.user_id)
    assert house.memberships.invalidate([ann.user_id]) == {ann.user_id}
    await house.memberships.load(ann.user_id)
    assert removed == [(ann.user_id, room.id)]


async def test_who_is_distrusted_all_the_time_is_loaded_all_the_same() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    store, memberships = house.store, house.memberships
    await memberships.load(ann.user_id)
    before = len(store.loads)
    answer = store.memberships

    async def slow(user_ids: Iterable[UserId]) -> dict[UserId, list[Membership]]:
        found = await answer(user_ids)
        memberships.distrust()
        return found

    store.memberships = slow  # a store that is slower than the distrust
    assert memberships.distrust() == {ann.user_id}
    assert memberships.get(ann.user_id) is None
    assert list(await memberships.load(ann.user_id)) == [room.id]
    assert len(store.loads) == before + 1
    assert memberships.get(ann.user_id) is not None


async def test_a_cache_in_which_everybody_stays_grows() -> None:
    house = House()
    house.memberships = Memberships(house.store, capacity=2, stays=lambda _: True)
    users = [a_principal().user_id for _ in range(40)]
    for user_id in users:
        await house.memberships.load(user_id)
    assert all(house.memberships.get(user_id) == {} for user_id in users)


async def test_a_batch_larger_than_the_cache_is_answered_whole() -> None:
    house = House(capacity=2)
    users = [a_principal() for _ in range(5)]
    room = await house.room(*users)
    found = await house.memberships.load_many([user.user_id for user in users])
    assert all(list(rooms) == [room.id] for rooms in found.values())


async def test_changes_are_seen_at_once_and_told_once() -> None:
    house = House()
    ann = a_principal()
    room = await house.room()
    told: list[tuple[str, UserId, RoomId]] = []
    house.memberships.on_added(lambda user_id, membership: told.append(("added", user_id, membership.room.id)))
    house.memberships.on_removed(lambda user_id, room_id: told.append(("removed", user_id, room_id)))
    await house.memberships.load(ann.user_id)
    await house.add(ann, room)
    assert house.memberships.check(ann, room.id, Permission.READ) is not None
    house.memberships.role_changed(ann.user_id, room.id, "moderator")
    house.memberships.notify_changed(ann.user_id, room.id, NotificationLevel.NONE)
    membership = (await house.memberships.load(ann.user_id))[room.id]
    assert (membership.role, membership.notify) == ("moderator", NotificationLevel.NONE)
    await house.remove(ann, room)
    with pytest.raises(RoomNotFound):
        house.memberships.check(ann, room.id, Permission.READ)
    assert told == [("added", ann.user_id, room.id), ("removed", ann.user_id, room.id)]


async def test_those_who_are_not_in_the_cache_are_told_of_too() -> None:
    house = House()
    ann = a_principal()
    room = await house.room()
    told: list[str] = []
    house.memberships.on_added(lambda *_: told.append("added"))
    house.memberships.on_removed(lambda *_: told.append("removed"))
    await house.add(ann, room)
    await house.remove(ann, room)
    assert told == ["added", "removed"]
    assert house.memberships.get(ann.user_id) is None


@pytest.mark.parametrize("change", ["removed", "added", "role", "updated", "read"])
async def test_a_load_under_way_does_not_bring_back_what_was_before_a_change(change: str) -> None:
    house = House()
    ann = a_principal()
    room, other = await house.room(ann), await house.room()
    house.store.hold = hold = asyncio.Event()
    loading = asyncio.ensure_future(house.memberships.load(ann.user_id))
    await house.store.held.wait()
    if change == "removed":
        await house.remove(ann, room)
    elif change == "added":
        await house.add(ann, other)
    elif change == "role":
        await house.store.set_role(room.id, ann.user_id, "owner", ann.user_id)
        house.memberships.role_changed(ann.user_id, room.id, "owner")
    elif change == "updated":
        updated = await house.store.update(room.id, ann.user_id, {"name": "dinner"})
        assert updated is not None
        house.memberships.room_updated(updated)
    else:
        await house.marks.write(ann.user_id, room.id, 9)
    hold.set()
    rooms = await loading
    expected = {each.room.id: each for each in (await house.store.memberships([ann.user_id]))[ann.user_id]}
    assert rooms == expected == house.memberships.get(ann.user_id)


async def test_a_room_is_one_for_all_its_members_so_that_an_update_reaches_all() -> None:
    house = House()
    ann, ben = a_principal(), a_principal()
    room = await house.room(ann, ben)
    found = await house.memberships.load_many([ann.user_id, ben.user_id])
    updated = await house.store.update(room.id, ann.user_id, {"name": "dinner", "kind": "public"})
    assert updated is not None
    house.memberships.room_updated(updated)
    for user in (ann, ben):
        seen = found[user.user_id][room.id].room
        assert (seen.name, seen.kind) == ("dinner", RoomKind.PUBLIC)


async def test_a_change_runs_to_its_end_even_when_the_caller_is_cancelled() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    await house.memberships.load(ann.user_id)
    committed = asyncio.Event()

    async def leave() -> None:
        await house.store.remove_member(room.id, ann.user_id, ann.user_id)
        committed.set()
        await asyncio.sleep(0)
        house.memberships.removed(ann.user_id, room.id)

    caller = asyncio.ensure_future(house.memberships.change(room.id, leave()))
    await committed.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await house.memberships.close()
    assert house.memberships.get(ann.user_id) == {}


async def test_changes_of_one_room_run_one_after_the_other_and_of_two_rooms_side_by_side() -> None:
    house = House()
    log: list[str] = []
    go = asyncio.Event()

    async def work(name: str) -> None:
        log.append(name)
        await go.wait()
        log.append(name)

    one, two = RoomId(uuid4()), RoomId(uuid4())
    tasks = [
        asyncio.ensure_future(house.memberships.change(room, work(name)))
        for room, name in ((one, "a"), (one, "b"), (two, "c"))
    ]
    for _ in range(5):
        await asyncio.sleep(0)
    assert log == ["a", "c"]
    go.set()
    await asyncio.gather(*tasks)
    assert [name for name in log if name != "c"] == ["a", "a", "b", "b"]


async def test_markers_that_wait_while_some_are_written_are_one_write() -> None:
    house = House()
    ann, ben = a_principal(), a_principal()
    room = await house.room(ann, ben)
    memberships = (await house.memberships.load_many([ann.user_id, ben.user_id])).values()
    marking = [
        asyncio.ensure_future(house.marks.write(user.user_id, room.id, seq))
        for user, seq in ((ann, 3), (ann, 5), (ben, 4), (ann, 4))
    ]
    await asyncio.gather(*marking)
    assert house.store.marks == [sorted([(ann.user_id, room.id, 5, False), (ben.user_id, room.id, 4, False)])]
    assert sorted(rooms[room.id].read for rooms in memberships) == [4, 5]


async def test_a_marker_that_goes_back_outdoes_what_waits_and_is_outdone_by_what_comes_after() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    membership = (await house.memberships.load(ann.user_id))[room.id]
    await house.marks.write(ann.user_id, room.id, 9)
    for steps, expected in (
        ([(12, False), (4, True)], 4),
        ([(12, False), (4, True), (6, False)], 6),
        ([(8, True), (3, False)], 8),
    ):
        await asyncio.gather(*(house.marks.write(ann.user_id, room.id, seq, back=back) for seq, back in steps))
        assert (membership.read, house.store.of[room.id][ann.user_id].read) == (expected, expected)


async def test_a_marker_is_acknowledged_after_its_own_write() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    await house.memberships.load(ann.user_id)
    first = asyncio.ensure_future(house.marks.write(ann.user_id, room.id, 3))
    await house.store.marking.wait()
    await house.marks.write(ann.user_id, room.id, 7)
    assert first.done()
    assert [marks[0][2] for marks in house.store.marks] == [3, 7]
    assert house.store.of[room.id][ann.user_id].read == 7


async def test_a_marker_that_could_not_be_stored_has_not_moved() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    membership = (await house.memberships.load(ann.user_id))[room.id]
    before = membership.read
    house.store.down = True
    with pytest.raises(Unavailable):
        await house.marks.write(ann.user_id, room.id, 9)
    assert membership.read == before
    house.store.down = False
    await house.marks.write(ann.user_id, room.id, 9)
    assert membership.read == 9


async def test_closing_waits_for_markers_under_way() -> None:
    house = House()
    ann = a_principal()
    room = await house.room(ann)
    marking = asyncio.ensure_future(house.marks.write(ann.user_id, room.id, 9))
    await asyncio.sleep(0)
    await house.marks.close()
    assert house.store.of[room.id][ann.user_id].read == 9
    await marking
