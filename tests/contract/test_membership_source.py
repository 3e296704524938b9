"""What every MembershipSource promises: the store itself, and one behind HTTP. And what the video service makes of the latter."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parlour.chat.adapters.http_memberships import HttpMemberships
from parlour.chat.adapters.sql import SqlRoomStore
from parlour.chat.adapters.tables import members, rooms
from parlour.chat.internal import router
from parlour.chat.model import Member, Room, RoomKind
from parlour.chat.ports import MembershipSource
from parlour.chat.questions import (
    MEMBERS_PATH,
    MEMBERSHIPS_PATH,
    MOST_MEMBERS,
    MOST_MEMBERSHIPS,
    MOST_USERS,
    ROOM_PATH,
)
from parlour.chat.service.membership import Memberships
from parlour.chat.service.membership_feed import MEMBERSHIP_CHANGED, MembershipFeed, MembershipsChanged
from parlour.platform.bus import MemoryBus
from parlour.platform.clock import SystemClock
from parlour.platform.errors import Forbidden, RoomNotFound, Unavailable
from parlour.platform.health import Health
from parlour.platform.http import create_application
from parlour.platform.ids import RoomId, SessionId, UserId, uuid4, uuid7
from parlour.platform.permissions import Permission, Role
from parlour.platform.services import ServiceClient
from parlour.platform.sql import Database
from parlour.platform.tokens import Principal, TokenVerifier
from parlour.rooms_for_calls import ChatRooms

from ..http_services import SECRET, SayingServer, ServedApplication, any_body, saying

AT = 1_764_018_000_000


@pytest.fixture(scope="module")
def service() -> str:
    return "parlour.chat"


@pytest.fixture
def store(database: Database) -> SqlRoomStore:
    return SqlRoomStore(database)


class NoKeys:
    def public_keys(self) -> dict[str, Any]:
        return {}


@pytest.fixture
def application(store: SqlRoomStore) -> Any:
    clock = SystemClock()
    return create_application([router(store, SECRET)], TokenVerifier(NoKeys(), clock), Health("0", clock), version="0")


@pytest.fixture
async def chat(application: Any) -> AsyncIterator[ServedApplication]:
    async with ServedApplication(application) as served:
        yield served


@pytest.fixture
async def remote(chat: ServedApplication) -> AsyncIterator[HttpMemberships]:
    client = ServiceClient("chat", chat.url, SECRET, timeout=60.0)
    yield HttpMemberships(client)
    await client.close()


@pytest.fixture(params=["store", "http"])
def source(request: pytest.FixtureRequest) -> MembershipSource:
    return request.getfixturevalue("store" if request.param == "store" else "remote")


def a_user() -> UserId:
    return UserId(uuid7())


def a_principal(user_id: UserId) -> Principal:
    return Principal(user_id, SessionId(uuid7()), "somebody", Role.MEMBER, 2_000_000_000)


def a_room(kind: RoomKind = RoomKind.PRIVATE, by: UserId | None = None) -> Room:
    return Room(RoomId(uuid4()), "" if kind is RoomKind.DIRECT else "Straße ✨", kind, by or a_user(), AT, "topic")


async def fill(database: Database, users: list[UserId], count: int) -> None:
    """Put each user into `count` rooms, of the longest name and topic; by hand, since a use case takes a while for thousands."""
    text = "\U0001f600"
    for user_id in users:
        room_ids = [uuid4() for _ in range(count)]
        async with database.transaction() as connection:
            await connection.execute(
                rooms.insert(),
                [
                    {
                        "id": room_id,
                        "name": text * 80,
                        "name_key": text * 80,
                        "kind": "private",
                        "created_by": user_id,
                        "created_at": AT,
                        "topic": text * 500,
                        "topic_key": text * 500,
                        "member_count": 1,
                    }
                    for room_id in room_ids
                ],
            )
            await connection.execute(
                members.insert(),
                [
                    {
                        "room_id": room_id,
                        "user_id": user_id,
                        "role": "member",
                        "joined_at": AT + number,
                        "read_seq": number,
                        "notify": "all",
                        "invited": False,
                    }
                    for number, room_id in enumerate(room_ids)
                ],
            )


async def test_memberships_are_what_the_store_has(store: SqlRoomStore, source: MembershipSource) -> None:
    ann, ben, cem = a_user(), a_user(), a_user()
    room, direct = a_room(by=ann), a_room(RoomKind.DIRECT, by=ann)
    await store.create(room, {ann: "owner", ben: "member"})
    direct.created_at += 1
    await store.create(direct, {ann: "member", ben: "member"})
    await store.mark_read([(ben, room.id, 7, False)])
    found = await source.memberships([ann, ben, cem, UserId("no uuid"), UserId("x" * 500)])
    assert found == {**(await store.memberships([ann, ben, cem])), "no uuid": [], "x" * 500: []}
    assert [(each.room, each.role, each.peer) for each in found[ann]] == [
        (room, "owner", None),
        (direct, "member", ben),
    ]
    assert found[ben][0].read == 7
    assert found[cem] == []
    assert await source.memberships([]) == {}
    assert await source.memberships(iter([ann, ann])) == {ann: found[ann]}


async def test_a_room_is_found(store: SqlRoomStore, source: MembershipSource) -> None:
    room = a_room()
    await store.create(room, {a_user(): "owner"})
    assert await source.room(room.id) == room
    for unknown in (uuid4(), "", "no uuid", "x" * 500):
        assert await source.room(RoomId(unknown)) is None


async def test_members_come_in_pages(store: SqlRoomStore, source: MembershipSource) -> None:
    users = sorted(a_user() for _ in range(7))
    room = a_room(by=users[0])
    await store.create(room, dict.fromkeys(users, "member"))
    assert [each.user_id for each in await source.members(room.id)] == users
    assert [each.user_id for each in await source.members(room.id, after=users[2], limit=3)] == users[3:6]
    assert await source.members(room.id, after=users[6]) == []
    assert await source.members(room.id, limit=1) == [Member(users[0], "member", AT)]
    for unknown in (uuid4(), "", "no uuid"):
        assert await source.members(RoomId(unknown)) == []


async def test_any_number_of_users_and_members_is_told(
    database: Database, store: SqlRoomStore, source: MembershipSource
) -> None:
    users = sorted(a_user() for _ in range(MOST_MEMBERS + MOST_USERS + 1))
    room = a_room(by=users[0])
    await store.create(room, dict.fromkeys(users, "member"))
    assert [each.user_id for each in await source.members(room.id, limit=10_000)] == users
    assert len(await source.members(room.id, limit=MOST_MEMBERS + 1)) == MOST_MEMBERS + 1
    many = users[: 2 * MOST_USERS + 1]
    assert await source.memberships(many) == await store.memberships(many)


async def test_any_number_of_rooms_is_told(database: Database, store: SqlRoomStore, source: MembershipSource) -> None:
    few, many, others, none = a_user(), a_user(), a_user(), a_user()
    await fill(database, [few, others], 3)
    await fill(database, [many], 2 * MOST_MEMBERSHIPS + 5)
    wanted = [few, many, none, others]
    found = await source.memberships(wanted)
    assert found == await store.memberships(wanted)
    assert [len(found[user_id]) for user_id in wanted] == [3, 2 * MOST_MEMBERSHIPS + 5, 0, 3]
    exactly = a_user()
    await fill(database, [exactly], MOST_MEMBERSHIPS)
    assert len((await source.memberships([exactly, few]))[exactly]) == MOST_MEMBERSHIPS


async def test_what_was_changed_is_read(store: SqlRoomStore, source: MembershipSource) -> None:
    ann, ben = a_user(), a_user()
    room = a_room(by=ann)
    await store.create(room, {ann: "owner"})
    assert (await source.memberships([ben]))[ben] == []
    await store.add_member(room.id, ben, "member", ann, at=AT)
    assert [each.room.id for each in (await source.memberships([ben]))[ben]] == [room.id]
    await store.set_role(room.id, ben, "moderator", ann)
    assert (await source.memberships([ben]))[ben][0].role == "moderator"
    await store.update(room.id, ann, {"topic": "another"})
    found = await source.room(room.id)
    assert found is not None
    assert found.topic == "another"
    await store.remove_member(room.id, ben, ann)
    assert (await source.memberships([ben]))[ben] == []
    assert [each.user_id for each in await source.members(room.id)] == [ann]


# Behind HTTP


async def test_video_asks_what_it_needs_of_rooms(store: SqlRoomStore, remote: HttpMemberships) -> None:
    asked = ChatRooms(Memberships(remote), remote)
    ann, ben, cem = (a_user() for _ in range(3))
    room, direct = a_room(by=ann), a_room(RoomKind.DIRECT, by=ann)
    await store.create(room, {ann: "owner", ben: "member", cem: "member"})
    await store.create(direct, {ann: "member", ben: "member"})
    caller = a_principal(ann)
    assert not asked.permits(caller, room.id, Permission.START_CALL)
    assert (await asked.require(caller, room.id, Permission.START_CALL)).direct is False
    assert (await asked.require(caller, direct.id, Permission.START_CALL)).direct is True
    assert asked.permits(caller, room.id, Permission.START_CALL)
    assert set(await asked.of_user(ann)) == {room.id, direct.id}
    assert set(await asked.others(room.id, ann, 10)) == {ben, cem}
    assert len(await asked.others(room.id, ann, 1)) == 1
    assert await asked.others(direct.id, ann, 10) == [ben]
    with pytest.raises(RoomNotFound):
        await asked.require(a_principal(a_user()), room.id, Permission.READ)
    with pytest.raises(Forbidden):
        await asked.require(a_principal(ben), room.id, Permission.UPDATE_ROOM)


async def test_a_change_that_chat_tells_of_is_known_in_the_process_of_video(
    store: SqlRoomStore, remote: HttpMemberships
) -> None:
    bus = MemoryBus()
    memberships = Memberships(remote)
    feed = MembershipFeed(bus, memberships)
    feed.start()
    gone: asyncio.Queue[tuple[UserId, RoomId]] = asyncio.Queue()
    memberships.on_removed(lambda user_id, room_id: gone.put_nowait((user_id, room_id)))
    asked = ChatRooms(memberships, remote)
    ann, ben = a_user(), a_user()
    room = a_room(by=ann)
    await store.create(room, {ann: "owner", ben: "member"})
    await asked.require(a_principal(ben), room.id, Permission.START_CALL)
    await store.remove_member(room.id, ben, ann)
    await bus.publish(MEMBERSHIP_CHANGED, msgspec.msgpack.encode(MembershipsChanged([ben], [room.id])))
    assert not asked.permits(a_principal(ben), room.id, Permission.READ)
    assert await asyncio.wait_for(gone.get(), 30) == (ben, room.id)
    with pytest.raises(RoomNotFound):
        await asked.require(a_principal(ben), room.id, Permission.READ)
    await feed.stop()


async def test_while_chat_is_away_who_is_known_may_go_on(
    store: SqlRoomStore, chat: ServedApplication, remote: HttpMemberships
) -> None:
    asked = ChatRooms(Memberships(remote), remote)
    ann, ben = a_user(), a_user()
    room = a_room(by=ann)
    await store.create(room, {ann: "owner", ben: "member"})
    await asked.require(a_principal(ann), room.id, Permission.START_CALL)
    await chat.stop()
    await asked.require(a_principal(ann), room.id, Permission.START_CALL)
    with pytest.raises(Unavailable):
        await asked.require(a_principal(ben), room.id, Permission.START_CALL)
    with pytest.raises(Unavailable):
        await asked.others(room.id, ann, 10)


@pytest.mark.parametrize(
    "answer",
    [{"users": []}, {"users": [[], []]}, {"users": [[]], "more": True}, {"users": [[{}]]}],
    ids=["none", "too-many", "no-more", "garbage"],
)
async def test_an_answer_that_leads_nowhere_is_none(answer: Any) -> None:
    async with SayingServer(saying("200 OK", msgspec.json.encode(answer))) as server:
        client = ServiceClient("chat", server.url, SECRET)
        with pytest.raises(Unavailable):
            await HttpMemberships(client).memberships([a_user()])
        await client.close()


@pytest.fixture
async def http(application: Any) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test", headers=headers) as client:
        yield client


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([MEMBERSHIPS_PATH, MEMBERS_PATH, ROOM_PATH]),
    body=any_body("user_ids", "after", "room_id", "limit"),
)
async def test_any_body_is_answered(http: httpx.AsyncClient, path: str, body: bytes) -> None:
    answer = await http.post(path, content=body)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 400:
        assert answer.json()["error"]["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("path", "question", "status"),
    [
        (MEMBERSHIPS_PATH, {"user_ids": [uuid7()] * MOST_USERS}, 200),
        (MEMBERSHIPS_PATH, {"user_ids": [uuid7()] * (MOST_USERS + 1)}, 400),
        (MEMBERSHIPS_PATH, {"user_ids": [], "after": -1}, 400),
        (MEMBERSHIPS_PATH, {"user_ids": ["a\0b"]}, 200),
        (MEMBERS_PATH, {"room_id": uuid4(), "limit": MOST_MEMBERS, "after": "a\0b"}, 200),
        (MEMBERS_PATH, {"room_id": uuid4(), "limit": MOST_MEMBERS, "after": "x" * 64}, 200),
        (MEMBERS_PATH, {"room_id": "\0", "limit": 1}, 200),
        (MEMBERS_PATH, {"room_id": uuid4(), "limit": MOST_MEMBERS + 1}, 400),
        (MEMBERS_PATH, {"room_id": uuid4(), "limit": 0}, 400),
        (ROOM_PATH, {"room_id": "\0"}, 200),
        (ROOM_PATH, {"room_id": "x" * 65}, 400),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_questions_are_bounded(http: httpx.AsyncClient, path: str, question: Any, status: int) -> None:
    assert (await http.post(path, json=question)).status_code == status


@pytest.mark.parametrize("path", [MEMBERSHIPS_PATH, MEMBERS_PATH, ROOM_PATH])
async def test_strangers_find_nothing(http: httpx.AsyncClient, path: str) -> None:
    for headers, status in (({"authorization": "Bearer x"}, 401), ({"authorization": ""}, 401)):
        assert (await http.post(path, json={}, headers=headers)).status_code == status
    del http.headers["authorization"]
    assert (await http.post(path, json={})).status_code == 404
