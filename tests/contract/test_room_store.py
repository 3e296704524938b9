"""What every RoomStore promises."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.adapters.tables import metadata
from parlour.chat.errors import LastOwner, RemovedFromRoom, RoomNotFound
from parlour.chat.model import Departure, EventType, NotificationLevel, Room, RoomKind
from parlour.chat.ports import RoomStore
from parlour.platform.errors import Conflict, Unavailable
from parlour.platform.ids import RoomId, UserId, uuid4, uuid7
from parlour.platform.sql import Database, migrate

AT = 1_764_018_000_000


def a_user() -> UserId:
    return UserId(uuid7())


def a_room(kind: RoomKind = RoomKind.PRIVATE, name: str = "lunch", by: UserId | None = None) -> Room:
    return Room(RoomId(uuid4()), name, kind, by or a_user(), AT)


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.chat"


@pytest.fixture
def store(database: Database) -> RoomStore:
    return SqlRoomStore(database)


async def test_the_migrated_schema_is_that_of_the_tables(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, metadata)
        return [each for each in found if "alembic_version" not in repr(each)]

    assert await database.snapshot(differences) == []


async def test_migrating_again_changes_nothing(database: Database, store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    await migrate(database, "parlour.chat")
    assert await store.room(room.id) == room


async def test_a_room_is_there_with_its_members_and_roles(store: RoomStore) -> None:
    ann, ben = sorted([a_user(), a_user()])
    room = Room(RoomId(uuid4()), "Straße ✨", RoomKind.PRIVATE, ann, AT, "topic")
    assert await store.create(room, {ann: "owner", ben: "member"}) == (room, True)
    assert await store.room(room.id) == room
    assert [(each.user_id, each.role, each.joined_at) for each in await store.members(room.id)] == [
        (ann, "owner", AT),
        (ben, "member", AT),
    ]
    assert await store.count_members(room.id) == 2


async def test_the_log_is_told_of_every_first_member_in_order_and_nobody_finds_that_unread(store: RoomStore) -> None:
    ann, ben = a_user(), a_user()
    room = a_room(by=ann)
    await store.create(room, {ann: "owner", ben: "member"})
    events = [row.event for row in await store.outbox()]
    assert [(event.type, event.sender_id, event.data) for event in events] == [
        (EventType.MEMBER_JOINED, ann, {"user_id": ann, "role": "owner"}),
        (EventType.MEMBER_JOINED, ann, {"user_id": ben, "role": "member"}),
    ]
    found = await store.memberships([ann, ben])
    assert [each.read for rooms in found.values() for each in rooms] == [2, 2]


async def test_a_room_of_a_taken_id_is_a_conflict(store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    with pytest.raises(Conflict):
        await store.create(room, {ann: "owner"})


async def test_two_people_have_one_direct_room_whoever_begins(store: RoomStore) -> None:
    ann, ben, cem = a_user(), a_user(), a_user()
    first, created = await store.create(a_room(RoomKind.DIRECT, "", ann), {ann: "member", ben: "member"})
    again, repeated = await store.create(a_room(RoomKind.DIRECT, "", ben), {ben: "member", ann: "member"})
    assert (again, created, repeated) == (first, True, False)
    other, new = await store.create(a_room(RoomKind.DIRECT, "", ann), {ann: "member", cem: "member"})
    assert new
    assert other.id != first.id
    assert len(await store.outbox()) == 4


async def test_of_direct_rooms_created_at_once_one_stays(store: RoomStore) -> None:
    ann, ben = a_user(), a_user()
    made = await asyncio.gather(
        *(store.create(a_room(RoomKind.DIRECT, "", ann), {ann: "member", ben: "member"}) for _ in range(8))
    )
    assert len({room.id for room, _ in made}) == 1
    assert sum(created for _, created in made) == 1


async def test_members_of_a_direct_room_see_each_other_as_peer(store: RoomStore) -> None:
    ann, ben = a_user(), a_user()
    await store.create(a_room(RoomKind.DIRECT, ""), {ann: "member", ben: "member"})
    await store.create(a_room(RoomKind.DIRECT, ""), {ann: "member"})
    found = await store.memberships([ann, ben])
    assert {each.peer for each in found[ann]} == {ben, None}
    assert [each.peer for each in found[ben]] == [ann]


async def test_public_rooms_come_by_name_with_their_sizes_and_page_without_gap(store: RoomStore) -> None:
    ann, ben = a_user(), a_user()
    for name in ("beta", "Alpha", "alpha", "gamma"):
        await store.create(a_room(RoomKind.PUBLIC, name), {ann: "owner"})
    await store.create(a_room(RoomKind.PUBLIC, "delta"), {ann: "owner", ben: "member"})
    await store.create(a_room(RoomKind.PRIVATE, "secret"), {ann: "owner"})
    seen: list[tuple[str, int]] = []
    after = None
    while page := await store.public_rooms(after=after, limit=2):
        seen += [(room.name, size) for room, size in page]
        after = (page[-1][0].name, page[-1][0].id)
    assert sorted(seen[:2]) == [("Alpha", 1), ("alpha", 1)]
    assert seen[2:] == [("beta", 1), ("delta", 2), ("gamma", 1)]


@pytest.mark.parametrize(
    ("query", "names"), [("STRASSE", ["Straße"]), ("100%", ["100% us"]), ("_", []), ("tea", ["Straße"]), ("zz", [])]
)
async def test_public_rooms_are_found_by_name_and_topic_in_any_case(
    store: RoomStore, query: str, names: list[str]
) -> None:
    ann = a_user()
    for name, topic in (("Straße", "Tea"), ("100% us", "")):
        await store.create(Room(RoomId(uuid4()), name, RoomKind.PUBLIC, ann, AT, topic), {ann: "owner"})
    assert [room.name for room, _ in await store.public_rooms(query=query)] == names


async def test_an_update_is_stored_and_told_once(store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    changed = await store.update(room.id, ann, {"name": "Dinner", "topic": "", "kind": "public"})
    assert changed == await store.room(room.id)
    assert changed is not None
    assert (changed.name, changed.kind) == ("Dinner", RoomKind.PUBLIC)
    assert await store.update(room.id, ann, {"name": "Dinner"}) == changed
    assert [row.event.data for row in (await store.outbox())[1:]] == [{"name": "Dinner", "kind": "public"}]
    assert await store.public_rooms(query="DINN") == [(changed, 1)]
    assert await store.update(RoomId(uuid4()), ann, {"name": "x"}) is None


async def test_memberships_come_for_many_users_at_once(store: RoomStore) -> None:
    ann, ben, stranger = a_user(), a_user(), a_user()
    first, second = a_room(name="first", by=ann), a_room(name="second", by=ann)
    await store.create(first, {ann: "owner", ben: "guest"})
    second.created_at += 1
    await store.create(second, {ann: "owner"})
    found = await store.memberships([ann, ben, stranger])
    assert [(each.room, each.role) for each in found[ann]] == [(first, "owner"), (second, "owner")]
    assert [(each.room, each.role, each.notify) for each in found[ben]] == [(first, "guest", NotificationLevel.ALL)]
    assert found[stranger] == []
    assert [each.invited for user in (ann, ben) for each in found[user]] == [False, False, True]


async def test_a_member_is_added_once(store: RoomStore) -> None:
    room, ann, ben = a_room(), a_user(), a_user()
    await store.create(room, {ann: "owner"})
    added = await store.add_member(room.id, ben, "member", ann, at=AT + 5, read=7)
    assert added == await store.membership(room.id, ben)
    assert added is not None
    assert (added.role, added.joined_at, added.read) == ("member", AT + 5, 7)
    joined = await store.add_member(room.id, cem := a_user(), "member", cem, at=AT + 7)
    assert joined is not None
    assert (added.invited, joined.invited) == (True, False)
    assert await store.add_member(room.id, ben, "owner", ann, at=AT + 6) is None
    assert [row.event.data["user_id"] for row in await store.outbox()] == [ann, ben, cem]
    with pytest.raises(RoomNotFound):
        await store.add_member(RoomId(uuid4()), ben, "member", ann, at=AT)


async def test_the_number_of_members_is_that_of_the_members_whatever_happens_to_them(store: RoomStore) -> None:
    room, ann, cem = a_room(RoomKind.PUBLIC), a_user(), a_user()
    first = [a_user() for _ in range(5)]
    await store.create(room, {ann: "owner", **dict.fromkeys(first, "member")})

    async def counted() -> int:
        listed = [size for each, size in await store.public_rooms() if each.id == room.id]
        count = await store.count_members(room.id)
        assert [count] == listed == [len(await store.members(room.id))]
        return count

    assert await counted() == 6
    await asyncio.gather(*(store.add_member(room.id, a_user(), "member", ann, at=AT) for _ in range(10)))
    assert await counted() == 16
    await store.add_member(room.id, first[0], "member", ann, at=AT)  # a member already
    await store.remove_member(room.id, cem, ann)  # none
    assert await counted() == 16
    await store.remove_member(room.id, ann, ann)  # leaves, and is followed by another owner
    await asyncio.gather(*(store.remove_member(room.id, each, first[1]) for each in [first[0], first[2], first[2]]))
    assert await counted() == 13
    assert await store.count_members(RoomId(uuid4())) == 0


async def test_who_joins_an_empty_room_owns_it(store: RoomStore) -> None:
    room, ann, ben = a_room(RoomKind.PUBLIC), a_user(), a_user()
    await store.create(room, {ann: "owner"})
    assert await store.remove_member(room.id, ann, ann) == Departure(None)
    added = await store.add_member(room.id, ben, "member", ben, at=AT)
    assert added is not None
    assert added.role == "owner"


async def test_a_member_leaves_once_and_their_draft_with_them(store: RoomStore) -> None:
    room, ann, ben = a_room(), a_user(), a_user()
    await store.create(room, {ann: "owner", ben: "member"})
    await store.save_draft(ben, room.id, "dear", AT)
    assert await store.remove_member(room.id, ben, ann) == Departure(None)
    assert await store.remove_member(room.id, ben, ann) is None
    assert await store.membership(room.id, ben) is None
    assert await store.drafts(ben) == {}
    last = (await store.outbox())[-1].event
    assert (last.type, last.sender_id, last.data) == (EventType.MEMBER_LEFT, ann, {"user_id": ben})


async def test_who_was_removed_comes_back_with_a_pardon_only_and_who_left_as_they_like(store: RoomStore) -> None:
    room, ann, ben = a_room(RoomKind.PUBLIC), a_user(), a_user()
    await store.create(room, {ann: "owner", ben: "member"})
    await store.remove_member(room.id, ben, ben)
    assert await store.add_member(room.id, ben, "member", ben, at=AT)
    for _ in range(2):
        await store.remove_member(room.id, ben, ann)
        for by in (ben, ann):
            with pytest.raises(RemovedFromRoom):
                await store.add_member(room.id, ben, "member", by, at=AT)
        assert (await store.membership(room.id, ben), await store.count_members(room.id)) == (None, 1)
        assert await store.add_member(room.id, ben, "member", ann, at=AT, pardon=True)
    await store.remove_member(room.id, ben, ben)
    assert await store.add_member(room.id, ben, "member", ben, at=AT)


@pytest.mark.parametrize(
    ("others", "heir"),
    [
        ([("member", 1), ("moderator", 2), ("moderator", 3)], 1),
        ([("guest", 0), ("member", 5), ("member", 4)], 2),
        ([("guest", 0)], None),
        ([("owner", 9), ("moderator", 1)], None),
    ],
)
async def test_the_last_owner_is_followed_by_the_highest_and_longest_standing(
    store: RoomStore, others: list[tuple[str, int]], heir: int | None
) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    users = [a_user() for _ in others]
    for user, (role, at) in zip(users, others, strict=True):
        await store.add_member(room.id, user, role, ann, at=at)
    before = len(await store.outbox())
    successor = None if heir is None else users[heir]
    assert await store.remove_member(room.id, ann, ann) == Departure(successor)
    told = [row.event.data for row in (await store.outbox())[before:]]
    expected: list[object] = [{"user_id": ann}]
    if successor is not None:
        expected.append({"roles": {successor: "owner"}})
        membership = await store.membership(room.id, successor)
        assert membership is not None
        assert membership.role == "owner"
    assert told == expected


async def test_a_role_changes_but_not_that_of_the_last_owner(store: RoomStore) -> None:
    room, ann, ben = a_room(), a_user(), a_user()
    await store.create(room, {ann: "owner", ben: "member"})
    with pytest.raises(LastOwner):
        await store.set_role(room.id, ann, "member", ann)
    assert await store.set_role(room.id, ben, "owner", ann)
    assert await store.set_role(room.id, ann, "member", ben)
    assert await store.set_role(room.id, ann, "member", ben)
    assert not await store.set_role(room.id, a_user(), "member", ben)
    assert [row.event.data for row in (await store.outbox())[2:]] == [
        {"roles": {ben: "owner"}},
        {"roles": {ann: "member"}},
    ]


async def test_owners_who_demote_each_other_at_once_leave_one(store: RoomStore) -> None:
    room, ann, ben = a_room(), a_user(), a_user()
    await store.create(room, {ann: "owner", ben: "owner"})
    outcomes = await asyncio.gather(
        store.set_role(room.id, ann, "member", ben),
        store.set_role(room.id, ben, "member", ann),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["LastOwner", "bool"]


async def test_members_page_by_user_id(store: RoomStore) -> None:
    room = a_room()
    users = sorted(a_user() for _ in range(5))
    await store.create(room, dict.fromkeys(users, "member"))
    first = await store.members(room.id, limit=3)
    rest = await store.members(room.id, after=first[-1].user_id, limit=3)
    assert [each.user_id for each in first + rest] == users


async def test_read_markers_move_forward_and_back_on_purpose_only(store: RoomStore) -> None:
    room, ann, ben = a_room(), a_user(), a_user()
    await store.create(room, {ann: "owner", ben: "member"})
    await store.mark_read([(ann, room.id, 10, False), (ben, room.id, 5, True), (a_user(), room.id, 5, True)])
    await store.mark_read([(ann, room.id, 7, False), (ben, room.id, 6, False)])
    await store.mark_read([])
    found = await store.memberships([ann, ben])
    assert [found[ann][0].read, found[ben][0].read] == [10, 6]
    await store.mark_read([(ann, room.id, 4, True), (ben, room.id, 5, False)])
    found = await store.memberships([ann, ben])
    assert [found[ann][0].read, found[ben][0].read] == [4, 6]


async def test_the_notification_level_is_kept(store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    assert await store.set_notify(ann, room.id, NotificationLevel.MENTIONS)
    assert not await store.set_notify(a_user(), room.id, NotificationLevel.NONE)
    membership = await store.membership(room.id, ann)
    assert membership is not None
    assert membership.notify is NotificationLevel.MENTIONS


async def test_the_later_draft_wins_even_over_a_removal(store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    await store.save_draft(ann, room.id, "second", 20)
    await store.save_draft(ann, room.id, "first", 10)
    assert await store.drafts(ann) == {room.id: ("second", 20)}
    await store.save_draft(ann, room.id, "", 30)
    await store.save_draft(ann, room.id, "late", 25)
    assert await store.drafts(ann) == {}
    await store.save_draft(ann, room.id, "again", 30)
    assert await store.drafts(ann) == {room.id: ("again", 30)}


async def test_outbox_rows_come_oldest_first_until_they_are_done(store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    for number in range(4):
        await store.update(room.id, ann, {"name": f"room {number}"})
    rows = await store.outbox()
    assert [row.event.data.get("name") for row in rows] == [None, *(f"room {number}" for number in range(4))]
    assert {row.event.client_id for row in rows} == {row.id for row in rows}
    assert await store.outbox(2) == rows[:2]
    await store.outbox_done([row.id for row in rows[:2]])
    await store.outbox_done([])
    assert await store.outbox() == rows[2:]
    await store.outbox_set_aside([rows[2].id])
    assert await store.outbox() == rows[3:]
    other = a_room()
    await store.create(other, {ann: "owner"})
    assert [row.event.room_id for row in await store.outbox(without={room.id})] == [other.id]
    assert [row.event.room_id for row in await store.outbox(only={other.id})] == [other.id]
    assert await store.outbox(only=()) == []


async def test_changes_of_one_room_at_once_are_told_as_they_happened(store: RoomStore) -> None:
    room, ann = a_room(), a_user()
    await store.create(room, {ann: "owner"})
    names = [f"room {number}" for number in range(10)]
    await asyncio.gather(*(store.update(room.id, ann, {"name": name}) for name in names))
    last = await store.room(room.id)
    assert last is not None
    assert (await store.outbox())[-1].event.data == {"name": last.name}


async def test_an_engine_that_fails_is_unavailable_and_no_driver_shows(store: RoomStore, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.exec_driver_sql("DROP TABLE drafts")
    with pytest.raises(Unavailable):
        await store.drafts(a_user())
