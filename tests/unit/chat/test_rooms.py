"""Rooms: who may create, see, change, join and leave them, and what becomes of their members."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from parlour.chat.errors import (
    DirectRoom,
    InvalidName,
    LastOwner,
    MemberNotFound,
    RemovedFromRoom,
    RoomFull,
    RoomNotFound,
    TooManyRooms,
    UnknownUser,
)
from parlour.chat.model import NotificationLevel, Room, RoomKind, Tail
from parlour.chat.service.heads import Heads
from parlour.chat.service.membership import Memberships
from parlour.chat.service.outbox import OutboxRelay
from parlour.chat.service.room_members import RoomMembers
from parlour.chat.service.rooms import INVITED_SHARE, MAX_FIRST_MEMBERS, Rooms
from parlour.platform.contracts import Profile
from parlour.platform.errors import Forbidden, InvalidRequest, RateLimited
from parlour.platform.ids import RoomId, UserId, uuid4, uuid7
from parlour.platform.permissions import Permission, Role, RoomRole
from parlour.platform.rates import RateLimits
from parlour.platform.tokens import Principal

from .doubles import FakeBroker, FakeDirectory, FakeLog, ManualClock, a_principal
from .memory_rooms import MemoryRooms


class LogWithHeads(FakeLog):
    def __init__(self) -> None:
        super().__init__()
        self.at: dict[RoomId, int] = {}

    async def tails(self, room_ids: list[RoomId]) -> dict[RoomId, Tail]:
        return {room_id: Tail(self.at.get(room_id, 0)) for room_id in room_ids}


class House:
    def __init__(self, max_rooms: int = 20, max_members: int = 20, rates: dict[str, str] | None = None) -> None:
        self.store, self.broker, self.directory = MemoryRooms(), FakeBroker(), FakeDirectory()
        self.log, self.clock = LogWithHeads(), ManualClock()
        self.memberships = Memberships(self.store)
        self.outbox = OutboxRelay(self.store, self.broker)
        limits = RateLimits(self.clock, rates)
        self.rooms = Rooms(
            self.store,
            memberships=self.memberships,
            directory=self.directory,
            outbox=self.outbox,
            rates=limits,
            clock=self.clock,
            max_rooms=max_rooms,
        )
        self.members = RoomMembers(
            self.store,
            rooms=self.rooms,
            memberships=self.memberships,
            heads=Heads(self.log),
            directory=self.directory,
            outbox=self.outbox,
            rates=limits,
            clock=self.clock,
            max_members=max_members,
        )
        self.ann, self.ben, self.cem = self.user("ann"), self.user("ben"), self.user("cem")

    def user(self, name: str, role: Role = Role.MEMBER, disabled: bool = False) -> Principal:
        principal = a_principal(name, role)
        self.directory.all[principal.user_id] = Profile(principal.user_id, name, name.title(), role, disabled)
        return principal

    async def room(self, *members: Principal, kind: RoomKind = RoomKind.PRIVATE, by: Principal | None = None) -> Room:
        name = "" if kind is RoomKind.DIRECT else "lunch"
        ids = [member.user_id for member in members]
        return (await self.rooms.create(by or self.ann, kind, name, member_ids=ids))[0].room

    def role_of(self, user: Principal, room: Room) -> str:
        return self.store.of[room.id][user.user_id].role


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with serving(House()) as served:
        yield served


@contextlib.asynccontextmanager
async def serving(house: House) -> AsyncIterator[House]:
    relay = asyncio.ensure_future(house.outbox.run())
    yield house
    relay.cancel()
    await asyncio.wait([relay])


# Creating


async def test_the_creator_owns_the_room_and_the_log_knows_everybody(house: House) -> None:
    ids = [house.ben.user_id, house.ann.user_id, house.ben.user_id]
    mine, created = await house.rooms.create(house.ann, RoomKind.PRIVATE, "  lunch ", " at one ", ids)
    assert created
    assert (mine.room.name, mine.room.topic, mine.role, mine.room.created_by) == (
        "lunch",
        "at one",
        "owner",
        house.ann.user_id,
    )
    assert [command.data for command in house.broker.commands] == [
        {"user_id": house.ann.user_id, "role": "owner"},
        {"user_id": house.ben.user_id, "role": "member"},
    ]
    stored = (await house.store.memberships([house.ben.user_id]))[house.ben.user_id]
    assert stored == [(await house.memberships.load(house.ben.user_id))[mine.room.id]]
    assert mine == await house.store.membership(mine.room.id, house.ann.user_id)


async def test_live_members_are_told_of_a_room_they_were_put_into(house: House) -> None:
    told: list[tuple[UserId, str]] = []
    house.memberships.on_added(lambda user_id, membership: told.append((user_id, membership.role)))
    await house.room(house.ben)
    assert told == [(house.ann.user_id, "owner"), (house.ben.user_id, "member")]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "two\nlines", "nul\0", "half \ud800", "bell\a"], ids=repr)
async def test_a_name_has_1_to_80_characters_and_no_controls(house: House, name: str) -> None:
    with pytest.raises(InvalidName):
        await house.rooms.create(house.ann, RoomKind.PUBLIC, name)


async def test_a_name_is_kept_composed_and_trimmed(house: House) -> None:
    mine, _ = await house.rooms.create(house.ann, RoomKind.PUBLIC, f"  {'x' * 78}e\u0301👨‍👩‍👧"[:-5] + " ")
    assert mine.room.name == "x" * 78 + "é"


async def test_a_topic_has_at_most_500_characters(house: House) -> None:
    await house.rooms.create(house.ann, RoomKind.PUBLIC, "x", "t" * 500)
    with pytest.raises(InvalidRequest):
        await house.rooms.create(house.ann, RoomKind.PUBLIC, "x", "t" * 501)


async def test_guests_create_nothing(house: House) -> None:
    guest = house.user("guest", Role.GUEST)
    for kind in RoomKind:
        with pytest.raises(Forbidden):
            await house.rooms.create(guest, kind, "x", member_ids=[house.ben.user_id])


async def test_members_must_exist_and_be_enabled(house: House) -> None:
    gone, unknown = house.user("gone", disabled=True), UserId(uuid7())
    ids = [house.ben.user_id, gone.user_id, unknown, UserId("not an id")]
    with pytest.raises(UnknownUser) as refused:
        await house.rooms.create(house.ann, RoomKind.PRIVATE, "x", member_ids=ids)
    assert refused.value.details == {"user_ids": [gone.user_id, unknown, "not an id"]}
    assert house.store.rooms == {}


async def test_the_number_of_first_members_is_bounded(house: House) -> None:
    ids = [UserId(uuid7()) for _ in range(MAX_FIRST_MEMBERS + 1)]
    with pytest.raises(InvalidRequest):
        await house.rooms.create(house.ann, RoomKind.PRIVATE, "x", member_ids=ids)


async def test_a_user_creates_and_joins_a_bounded_number_of_rooms() -> None:
    async with serving(House(max_rooms=1)) as house:
        await house.room(by=house.ben)
        public = await house.room(kind=RoomKind.PUBLIC)
        for refusal in (house.room(by=house.ben), house.members.join(house.ben, public.id)):
            with pytest.raises(TooManyRooms) as refused:
                await refusal
            assert refused.value.details == {"limit": 1, "user_ids": [house.ben.user_id]}
        await house.room(house.ann, kind=RoomKind.DIRECT, by=house.ben)


async def test_what_others_put_a_user_into_leaves_them_their_own_rooms() -> None:
    async with serving(House(max_rooms=1)) as house:
        strangers = [house.user(f"stranger{number}") for number in range(INVITED_SHARE + 1)]
        rooms = [await house.room(house.ben, by=stranger) for stranger in strangers[:-1]]
        mine = await house.room(by=house.ben)
        assert mine.id in await house.memberships.load(house.ben.user_id)
        public = await house.room(kind=RoomKind.PUBLIC)
        for refusal in (
            house.room(house.ben, by=strangers[-1]),
            house.members.add(house.ann, public.id, house.ben.user_id),
        ):
            with pytest.raises(TooManyRooms) as refused:
                await refusal
            assert refused.value.details == {"limit": INVITED_SHARE, "user_ids": [house.ben.user_id]}
        await house.members.leave(house.ben, rooms[0].id)
        await house.members.add(house.ann, public.id, house.ben.user_id)


async def test_putting_people_into_rooms_is_rate_limited_by_their_number() -> None:
    async with serving(House(rates={"invite": "1/hour, burst 3"})) as house:
        room = await house.room(house.ben, house.cem)
        direct = await house.room(house.ben, kind=RoomKind.DIRECT)
        for refusal in (
            house.members.add(house.ann, room.id, house.user("dan").user_id),
            house.room(house.user("eve"), kind=RoomKind.DIRECT),
            house.room(house.ben),
        ):
            with pytest.raises(RateLimited):
                await refusal
        await house.room()
        await house.members.add(house.ann, room.id, house.ben.user_id)  # a member already
        await house.room(house.ann, by=house.cem)
        assert direct.id in await house.memberships.load(house.ben.user_id)


async def test_creating_and_changes_of_members_are_rate_limited() -> None:
    async with serving(House(rates={"room": "1/hour", "membership": "1/hour"})) as house:
        room = await house.room(house.ben)
        await house.members.remove(house.ann, room.id, house.ben.user_id)
        for refusal in (
            house.rooms.create(house.ann, RoomKind.PUBLIC, "x"),
            house.rooms.update(house.ann, room.id, name="x"),
            house.members.add(house.ann, room.id, house.ben.user_id),
        ):
            with pytest.raises(RateLimited):
                await refusal


# Direct rooms


async def test_two_people_have_one_direct_room(house: House) -> None:
    made = await asyncio.gather(
        house.room(house.ben, kind=RoomKind.DIRECT),
        house.room(house.ann, kind=RoomKind.DIRECT, by=house.ben),
        house.room(house.ben, kind=RoomKind.DIRECT),
    )
    assert len({room.id for room in made}) == 1
    for user, peer in ((house.ann, house.ben), (house.ben, house.ann)):
        assert [each.peer for each in (await house.memberships.load(user.user_id)).values()] == [peer.user_id]
    _, created = await house.rooms.create(house.ben, RoomKind.DIRECT, member_ids=[house.ann.user_id])
    assert not created


async def test_a_direct_room_has_no_owner_and_one_may_be_for_oneself(house: House) -> None:
    direct, notes = await house.room(house.ben, kind=RoomKind.DIRECT), await house.room(kind=RoomKind.DIRECT)
    assert house.role_of(house.ann, direct) == house.role_of(house.ben, direct) == "member"
    assert list(house.store.of[notes.id]) == [house.ann.user_id]
    with pytest.raises(InvalidRequest):
        await house.room(house.ben, house.cem, kind=RoomKind.DIRECT)


async def test_a_direct_room_stays_as_it_is(house: House) -> None:
    direct = await house.room(house.ben, kind=RoomKind.DIRECT)
    admin = Principal(house.ann.user_id, house.ann.session_id, "ann", Role.ADMIN, house.ann.expires_at)
    for refusal in (
        house.rooms.update(admin, direct.id, name="x"),
        house.members.leave(admin, direct.id),
        house.members.add(admin, direct.id, house.cem.user_id),
        house.members.remove(admin, direct.id, house.ben.user_id),
        house.members.set_role(admin, direct.id, house.ben.user_id, RoomRole.GUEST),
    ):
        with pytest.raises(DirectRoom):
            await refusal
    with pytest.raises(RoomNotFound):
        await house.members.join(house.cem, direct.id)


# Seeing


@pytest.mark.parametrize("kind", [RoomKind.PRIVATE, RoomKind.DIRECT])
async def test_a_room_that_is_not_public_does_not_exist_for_others(house: House, kind: RoomKind) -> None:
    room = await house.room(house.ben, kind=kind)
    admin = house.user("admin", Role.ADMIN)
    for stranger in (house.cem, admin):
        for refusal in (
            house.rooms.get(stranger, room.id),
            house.rooms.update(stranger, room.id, name="x"),
            house.members.join(stranger, room.id),
            house.members.leave(stranger, room.id),
            house.members.page(stranger, room.id),
            house.members.add(stranger, room.id, house.cem.user_id),
            house.members.remove(stranger, room.id, house.ben.user_id),
            house.members.set_role(stranger, room.id, house.ben.user_id, RoomRole.OWNER),
        ):
            with pytest.raises(RoomNotFound):
                await refusal


async def test_a_public_room_is_seen_by_members_of_the_server_and_not_by_guests(house: House) -> None:
    room = await house.room(kind=RoomKind.PUBLIC)
    guest = house.user("guest", Role.GUEST)
    seen, mine, size = await house.rooms.get(house.cem, room.id)
    assert (seen, mine, size) == (room, None, 1)
    for room_id in (room.id, RoomId(uuid4()), RoomId("no id\0")):
        with pytest.raises(RoomNotFound):
            await house.rooms.get(guest, room_id)
    with pytest.raises(RoomNotFound):
        await house.members.join(guest, room.id)
    with pytest.raises(Forbidden):
        await house.rooms.browse(guest)


async def test_a_guest_who_was_invited_sees_the_room_and_is_a_guest_there(house: House) -> None:
    guest = house.user("guest", Role.GUEST)
    room = await house.room(guest, kind=RoomKind.PUBLIC)
    _, mine, _ = await house.rooms.get(guest, room.id)
    assert mine is not None
    assert mine.role == "guest"


async def test_browsing_shows_public_rooms_and_whether_one_is_in_them(house: House) -> None:
    mine = await house.room(kind=RoomKind.PUBLIC)
    other = (await house.rooms.create(house.ben, RoomKind.PUBLIC, "Breakfast"))[0].room
    await house.room(by=house.ben)
    found = await house.rooms.browse(house.ann)
    assert [(each.room.id, each.member_count, each.joined) for each in found] == [
        (other.id, 1, False),
        (mine.id, 1, True),
    ]
    assert [each.room.id for each in await house.rooms.browse(house.ann, " LUN ")] == [mine.id]
    assert await house.rooms.browse(house.ann, "a\0b") == []
    assert [each.room.id for each in await house.rooms.browse(house.ann, after=("breakfast", other.id))] == [mine.id]
    with pytest.raises(InvalidRequest):
        await house.rooms.browse(house.ann, "x" * 101)


# Changing


async def test_moderators_change_a_room_and_every_member_sees_it(house: House) -> None:
    room = await house.room(house.ben, house.cem)
    await house.members.set_role(house.ann, room.id, house.ben.user_id, RoomRole.MODERATOR)
    await house.rooms.update(house.ben, room.id, name=" Dinner ", topic="at six", kind=RoomKind.PUBLIC)
    theirs = (await house.memberships.load(house.cem.user_id))[room.id].room
    assert (theirs.name, theirs.topic, theirs.kind) == ("Dinner", "at six", RoomKind.PUBLIC)
    assert house.broker.commands[-1].data == {"name": "Dinner", "topic": "at six", "kind": "public"}
    with pytest.raises(Forbidden):
        await house.rooms.update(house.cem, room.id, name="x")
    with pytest.raises(InvalidName):
        await house.rooms.update(house.ben, room.id, name=" ")
    with pytest.raises(InvalidRequest):
        await house.rooms.update(house.ben, room.id, kind=RoomKind.DIRECT)


# Members


async def test_anybody_joins_a_public_room_once_and_finds_nothing_unread(house: House) -> None:
    room = await house.room(kind=RoomKind.PUBLIC)
    house.log.at[room.id] = 41
    joined = await house.members.join(house.ben, room.id)
    assert (joined.role, joined.read) == ("member", 42)
    assert await house.members.join(house.ben, room.id) == joined
    assert house.memberships.check(house.ben, room.id, Permission.SEND) is not None
    assert [command.data["user_id"] for command in house.broker.commands] == [house.ann.user_id, house.ben.user_id]


async def test_who_left_is_out_at_once(house: House) -> None:
    room = await house.room(house.ben)
    told: list[tuple[UserId, RoomId]] = []
    house.memberships.on_removed(lambda *gone: told.append(gone))
    await house.memberships.load(house.ben.user_id)
    await house.members.leave(house.ben, room.id)
    with pytest.raises(RoomNotFound):
        house.memberships.check(house.ben, room.id, Permission.READ)
    with pytest.raises(RoomNotFound):
        await house.members.leave(house.ben, room.id)
    assert told == [(house.ben.user_id, room.id)]


async def test_when_the_last_owner_leaves_another_member_owns_the_room_at_once(house: House) -> None:
    room = await house.room(house.ben)
    await house.memberships.load(house.ben.user_id)
    await house.members.leave(house.ann, room.id)
    assert house.memberships.check(house.ben, room.id, Permission.CHANGE_ROOM_ROLES) is not None


async def test_members_invite_and_only_owners_name_moderators(house: House) -> None:
    room = await house.room(house.ben)
    dan, guest = house.user("dan"), house.user("guest", Role.GUEST)
    added, new = await house.members.add(house.ben, room.id, house.cem.user_id)
    again, once_more = await house.members.add(house.ann, room.id, house.cem.user_id, RoomRole.OWNER)
    assert (added.role, new, again.role, once_more) == ("member", True, "member", False)
    assert (await house.members.add(house.ben, room.id, guest.user_id))[0].role == "guest"
    with pytest.raises(Forbidden):
        await house.members.add(house.ben, room.id, dan.user_id, RoomRole.MODERATOR)
    with pytest.raises(Forbidden):
        await house.members.add(guest, room.id, dan.user_id)
    assert (await house.members.add(house.ann, room.id, dan.user_id, RoomRole.MODERATOR))[0].role == "moderator"
    with pytest.raises(UnknownUser):
        await house.members.add(house.ann, room.id, UserId(uuid7()))


async def test_a_room_has_a_bounded_number_of_members() -> None:
    async with serving(House(max_members=2)) as house:
        room = await house.room(house.ben)
        with pytest.raises(RoomFull) as refused:
            await house.members.add(house.ann, room.id, house.cem.user_id)
        assert refused.value.details == {"limit": 2}


async def test_moderators_remove_members_and_only_owners_remove_staff(house: House) -> None:
    dan = house.user("dan")
    room = await house.room(house.ben, house.cem, dan)
    for user in (house.ben, house.cem):
        await house.members.set_role(house.ann, room.id, user.user_id, RoomRole.MODERATOR)
    await house.members.remove(house.ben, room.id, dan.user_id)
    for staff in (house.ann, house.cem):
        with pytest.raises(Forbidden):
            await house.members.remove(house.ben, room.id, staff.user_id)
    with pytest.raises(MemberNotFound):
        await house.members.remove(house.ben, room.id, dan.user_id)
    await house.members.remove(house.ann, room.id, house.cem.user_id)
    await house.members.remove(house.ben, room.id, house.ben.user_id)
    assert list(house.store.of[room.id]) == [house.ann.user_id]
    with pytest.raises(RoomNotFound):
        await house.rooms.get(dan, room.id)


async def test_who_was_removed_stays_out_until_a_moderator_adds_them_again(house: House) -> None:
    room = await house.room(house.ben, house.cem, kind=RoomKind.PUBLIC)
    await house.members.remove(house.ann, room.id, house.cem.user_id)
    for refusal in (
        house.members.join(house.cem, room.id),
        house.members.add(house.ben, room.id, house.cem.user_id),
    ):
        with pytest.raises(RemovedFromRoom):
            await refusal
    with pytest.raises(RoomNotFound):
        house.memberships.check(house.cem, room.id, Permission.READ)
    await house.members.set_role(house.ann, room.id, house.ben.user_id, RoomRole.MODERATOR)
    assert (await house.members.add(house.ben, room.id, house.cem.user_id))[1]
    await house.members.leave(house.cem, room.id)
    assert (await house.members.join(house.cem, room.id)).role == "member"


async def test_a_room_keeps_an_owner(house: House) -> None:
    room = await house.room(house.ben)
    with pytest.raises(LastOwner):
        await house.members.set_role(house.ann, room.id, house.ann.user_id, RoomRole.MEMBER)
    with pytest.raises(Forbidden):
        await house.members.set_role(house.ben, room.id, house.ben.user_id, RoomRole.OWNER)
    with pytest.raises(MemberNotFound):
        await house.members.set_role(house.ann, room.id, house.cem.user_id, RoomRole.OWNER)
    await house.members.set_role(house.ann, room.id, house.ben.user_id, RoomRole.OWNER)
    await house.members.set_role(house.ann, room.id, house.ann.user_id, RoomRole.MEMBER)
    assert (house.role_of(house.ann, room), house.role_of(house.ben, room)) == ("member", "owner")


async def test_the_staff_of_the_server_owns_the_rooms_that_it_is_in(house: House) -> None:
    admin = house.user("admin", Role.ADMIN)
    room = await house.room(admin, house.ben)
    await house.members.remove(admin, room.id, house.ann.user_id)
    assert "owner" in (house.role_of(house.ben, room), house.role_of(admin, room))


async def test_members_come_with_their_profiles_page_by_page(house: House) -> None:
    room = await house.room(house.ben, house.cem)
    del house.directory.all[house.cem.user_id]
    first = await house.members.page(house.ben, room.id, limit=2)
    rest = await house.members.page(house.ben, room.id, after=first[-1].user_id, limit=2)
    assert [each.user_id for each in first + rest] == sorted(house.store.of[room.id])
    users = {each.user_id: each.user for each in first + rest}
    assert users[house.cem.user_id] is None
    assert users[house.ann.user_id] == house.directory.all[house.ann.user_id]


async def test_a_change_that_the_log_cannot_be_told_of_yet_stands(house: House) -> None:
    house.broker.submit = _never  # the log is away
    room = await house.room(house.ben)
    assert room.id in await house.memberships.load(house.ben.user_id)
    assert len(house.store.rows) == 2


async def _never(_command: object) -> None:
    await asyncio.Event().wait()


async def test_the_notification_level_starts_with_everything(house: House) -> None:
    mine, _ = await house.rooms.create(house.ann, RoomKind.PRIVATE, "x")
    assert mine.notify is NotificationLevel.ALL
