"""Rooms, members and what a member keeps of them, over HTTP and on the embedded engines."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parlour.platform.ids import uuid4, uuid7
from parlour.platform.permissions import Role

from .http_house import HttpHouse, opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[HttpHouse]:
    async with opened(tmp_path) as house:
        yield house


ROUTES = [
    ("GET", "/rooms"),
    ("POST", "/rooms"),
    ("GET", "/rooms/public"),
    ("GET", "/rooms/{room}"),
    ("PATCH", "/rooms/{room}"),
    ("POST", "/rooms/{room}/join"),
    ("POST", "/rooms/{room}/leave"),
    ("GET", "/rooms/{room}/members"),
    ("POST", "/rooms/{room}/members"),
    ("DELETE", "/rooms/{room}/members"),
    ("PATCH", "/rooms/{room}/members/{user}"),
    ("DELETE", "/rooms/{room}/members/{user}"),
    ("GET", "/rooms/{room}/messages"),
    ("POST", "/rooms/{room}/messages"),
    ("GET", "/rooms/{room}/pins"),
    ("GET", "/rooms/{room}/messages/{message}"),
    ("PATCH", "/rooms/{room}/messages/{message}"),
    ("DELETE", "/rooms/{room}/messages/{message}"),
    ("PUT", "/rooms/{room}/messages/{message}/pin"),
    ("DELETE", "/rooms/{room}/messages/{message}/pin"),
    ("PUT", "/rooms/{room}/messages/{message}/reactions/👍"),
    ("DELETE", "/rooms/{room}/messages/{message}/reactions/👍"),
    ("PUT", "/rooms/{room}/read"),
    ("PUT", "/rooms/{room}/draft"),
    ("PUT", "/rooms/{room}/notifications"),
    ("GET", "/drafts"),
    ("GET", "/search"),
]

BODIES = {
    ("POST", "/rooms"): {"kind": "public", "name": "x"},
    ("PATCH", "/rooms/{room}"): {"name": "x"},
    ("POST", "/rooms/{room}/members"): {"user_id": uuid7()},
    ("PATCH", "/rooms/{room}/members/{user}"): {"role": "owner"},
    ("POST", "/rooms/{room}/messages"): {"client_id": uuid4(), "text": "x"},
    ("PATCH", "/rooms/{room}/messages/{message}"): {"text": "x"},
    ("PUT", "/rooms/{room}/read"): {"seq": 1},
    ("PUT", "/rooms/{room}/draft"): {"text": "x"},
    ("PUT", "/rooms/{room}/notifications"): {"level": "none"},
}


async def test_every_route_asks_who_is_there(house: HttpHouse) -> None:
    for method, path in ROUTES:
        target = path.format(room=uuid4(), user=uuid7(), message=uuid7())
        answer = await house.http.request(method, "/api" + target, params={"q": "x"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthenticated"), (method, path)


async def test_other_peoples_rooms_do_not_exist(house: HttpHouse) -> None:
    ann, eve = house.client("ann"), house.client("eve", Role.ADMIN)
    room = await ann.room()
    message = (await ann.send(room, "secret"))["id"]
    for method, path in [route for route in ROUTES if "{room}" in route[1]]:
        for room_id in (room, uuid4(), "x"):
            target = path.format(room=room_id, user=ann.id, message=message)
            query = {"user_id": ann.id} if (method, path) == ("DELETE", "/rooms/{room}/members") else {}
            refused = await eve.refused(method, target, BODIES.get((method, path)), **query)
            assert refused == (404, "room_not_found"), (method, path)


async def test_a_room_from_its_creation_to_its_first_message(house: HttpHouse) -> None:
    ann, ben = house.client("ann"), house.client("ben")
    body = {"kind": "private", "name": " Lunch ", "topic": "at one", "members": [ben.id]}
    room = await ann.do("POST", "/rooms", body, status=201)
    expected = {
        "name": "Lunch",
        "kind": "private",
        "topic": "at one",
        "created_by": ann.id,
        "member_count": 2,
        "role": "owner",
        "notify": "all",
        "head": 2,
        "read": 2,
        "unread": 0,
        "mentions": 0,
    }
    assert {field: room[field] for field in expected} == expected
    assert await ann.get(f"/rooms/{room['id']}") == room
    placed = await ben.send(room["id"], "Hello @ann")
    assert (placed["ok"], placed["seq"], placed["message"]["text"]) == (True, 3, "Hello @ann")
    listed = (await ann.get("/rooms"))["rooms"]
    assert [(each["id"], each["head"], each["unread"], each["mentions"]) for each in listed] == [(room["id"], 3, 1, 1)]
    assert await ann.do("PUT", f"/rooms/{room['id']}/read", {"seq": 99}) == {"read": 3}
    assert [(each["unread"], each["mentions"]) for each in (await ann.get("/rooms"))["rooms"]] == [(0, 0)]
    assert [event.type for event in house.told.events] == ["member.joined", "member.joined", "message.created"]


async def test_a_list_that_nothing_happened_to_reads_neither_sql_nor_the_log(house: HttpHouse) -> None:
    ann, ben = house.client("ann"), house.client("ben")
    for number in range(3):
        await ben.send(await ann.room(ben, name=f"room {number}"), "Hello @ann")
    before = await ann.get("/rooms")
    assert [(each["unread"], each["mentions"]) for each in before["rooms"]] == [(1, 1)] * 3
    reads = house.log.reads
    async with house.database.transaction() as connection:
        await connection.exec_driver_sql("ALTER TABLE room_members RENAME TO elsewhere")
    assert await ann.get("/rooms") == before
    assert house.log.reads == reads


async def test_the_list_follows_names_roles_levels_and_peers(house: HttpHouse) -> None:
    ann, ben = house.client("ann"), house.client("ben")
    room = await ann.room(ben)
    direct = await ben.room(ann, kind="direct")
    await ben.get("/rooms")
    await ann.do("PATCH", f"/rooms/{room}", {"name": "Dinner", "topic": "at six", "kind": "public"})
    await ann.do("PATCH", f"/rooms/{room}/members/{ben.id}", {"role": "moderator"})
    await ben.do("PUT", f"/rooms/{room}/notifications", {"level": "mentions"})
    await house.rename(ann, "Ann Lovelace")
    seen = {each["id"]: each for each in (await ben.get("/rooms"))["rooms"]}
    fields = ("name", "topic", "kind", "role", "notify")
    assert [seen[room][field] for field in fields] == ["Dinner", "at six", "public", "moderator", "mentions"]
    assert seen[direct]["peer"]["display_name"] == "Ann Lovelace"
    await ben.do("POST", f"/rooms/{room}/leave", status=204)
    assert [each["id"] for each in (await ben.get("/rooms"))["rooms"]] == [direct]


async def test_two_people_get_one_direct_room_even_at_once(house: HttpHouse) -> None:
    ann, ben = house.client("ann"), house.client("ben")
    answers = await asyncio.gather(
        *(
            mine.call("POST", "/rooms", {"kind": "direct", "members": [other.id]})
            for mine, other in ((ann, ben), (ben, ann)) * 3
        )
    )
    assert sorted(status for status, _ in answers) == [200, 200, 200, 200, 200, 201]
    assert len({room["id"] for _, room in answers}) == 1
    assert {room["peer"]["username"] for _, room in answers} == {"ann", "ben"}
    room = answers[0][1]["id"]
    for method, path, body in (
        ("PATCH", f"/rooms/{room}", {"name": "x"}),
        ("POST", f"/rooms/{room}/leave", None),
        ("POST", f"/rooms/{room}/members", {"user_id": house.client("cem").id}),
    ):
        assert await ann.refused(method, path, body) == (409, "direct_room")


async def test_public_rooms_are_browsed_page_by_page_and_joined(house: HttpHouse) -> None:
    ann, ben, guest = house.client("ann"), house.client("ben"), house.client("guest", Role.GUEST)
    rooms = [await ann.room(kind="public", name=f"Room {number}") for number in range(5)]
    await ann.room(name="Room of mine")
    await ben.do("POST", f"/rooms/{rooms[1]}/join")
    seen, cursor = [], None
    while True:
        page = await ben.get("/rooms/public", q="room", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [(each["id"], each["member_count"], each["joined"]) for each in page["rooms"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert seen == [(room, 2 if room == rooms[1] else 1, room == rooms[1]) for room in rooms]
    assert (await ben.get(f"/rooms/{rooms[0]}")).keys().isdisjoint({"role", "head", "unread"})
    assert await ben.refused("GET", f"/rooms/{rooms[0]}/messages") == (404, "room_not_found")
    assert await guest.refused("GET", "/rooms/public") == (403, "forbidden")
    assert await guest.refused("POST", f"/rooms/{rooms[0]}/join") == (404, "room_not_found")
    joined = await ben.do("POST", f"/rooms/{rooms[0]}/join")
    assert (joined["role"], joined["unread"]) == ("member", 0)
    assert await ben.do("POST", f"/rooms/{rooms[0]}/join") == joined


async def test_who_was_removed_from_a_public_room_cannot_join_it_until_a_moderator_adds_them(house: HttpHouse) -> None:
    ann, ben, cem = (house.client(name) for name in ("ann", "ben", "cem"))
    room = await ann.room(ben, cem, kind="public")
    await ann.do("DELETE", f"/rooms/{room}/members/{cem.id}", status=204)
    refused = (403, "removed_from_room")
    assert await cem.refused("POST", f"/rooms/{room}/join") == refused
    assert await ben.refused("POST", f"/rooms/{room}/members", {"user_id": cem.id}) == refused
    assert "role" not in await cem.get(f"/rooms/{room}")
    assert await cem.refused("GET", f"/rooms/{room}/messages") == (404, "room_not_found")
    await ann.do("POST", f"/rooms/{room}/members", {"user_id": cem.id}, status=201)
    await cem.do("POST", f"/rooms/{room}/leave", status=204)
    await cem.do("POST", f"/rooms/{room}/join")


async def test_members_are_invited_listed_promoted_and_removed(house: HttpHouse) -> None:
    ann, ben, cem = house.client("ann"), house.client("ben"), house.client("cem")
    room = await ann.room()
    members = f"/rooms/{room}/members"
    added = await ann.do("POST", members, {"user_id": ben.id}, status=201)
    assert (added["role"], added["user"]["username"]) == ("member", "ben")
    assert await ann.do("POST", members, {"user_id": ben.id, "role": "owner"}) == added
    await ben.do("POST", members, {"user_id": cem.id, "role": "guest"}, status=201)
    first = await ben.get(members, limit=2)
    rest = await ben.get(members, limit=2, cursor=first["cursor"])
    assert [each["user_id"] for each in first["members"] + rest["members"]] == sorted([ann.id, ben.id, cem.id])
    assert rest["cursor"] is None
    assert await ben.refused("DELETE", f"{members}/{cem.id}") == (403, "forbidden")
    assert await ann.refused("PATCH", f"{members}/{ann.id}", {"role": "member"}) == (409, "room_last_owner")
    await ann.do("PATCH", f"{members}/{ben.id}", {"role": "owner"})
    await ben.do("DELETE", f"{members}/{cem.id}", status=204)
    await ben.do("DELETE", members, status=204, user_id=ann.id)
    assert await ann.refused("GET", members) == (404, "room_not_found")
    assert await ben.refused("DELETE", members, {"user_id": cem.id}) == (404, "member_not_found")
    assert await ben.refused("DELETE", members) == (400, "invalid_request")
    assert [(event.type, event.data.get("user_id")) for event in house.told.events][-2:] == [
        ("member.left", cem.id),
        ("member.left", ann.id),
    ]
    assert [event.seq for event in house.told.events] == list(range(1, 7))


async def test_a_room_outlives_a_restart_with_its_markers_and_drafts(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        ann = house.client("ann")
        room = await ann.room()
        await ann.send(room, "one")
        await ann.do("PUT", f"/rooms/{room}/read", {"seq": 2})
        await ann.do("PUT", f"/rooms/{room}/draft", {"text": "two"})
    async with opened(tmp_path) as house:
        again = house.client("ann")
        principal_rooms = await house.memberships.load(ann.id)
        assert [(each.room.name, each.read, each.role) for each in principal_rooms.values()] == [("lunch", 2, "owner")]
        assert list(await house.store.drafts(ann.id)) == [room]
        assert await again.get("/rooms") == {"rooms": []}


async def test_drafts_are_kept_for_all_devices_and_the_later_wins(house: HttpHouse) -> None:
    ann = house.client("ann")
    one, two = await ann.room(), await ann.room()
    now = house.clock.now()
    await ann.do("PUT", f"/rooms/{one}/draft", {"text": "newer", "at": now - 1000})
    await ann.do("PUT", f"/rooms/{one}/draft", {"text": "older", "at": now - 2000})
    saved = await ann.do("PUT", f"/rooms/{two}/draft", {"text": "from the future", "at": now + 10**9})
    assert saved["at"] < now + 10**6
    drafts = (await ann.get("/drafts"))["drafts"]
    assert [(each["room_id"], each["text"]) for each in drafts] == [(two, "from the future"), (one, "newer")]
    await ann.do("PUT", f"/rooms/{two}/draft", {"text": ""})
    await ann.room(house.client("ben"))
    assert [each["room_id"] for each in (await ann.get("/drafts"))["drafts"]] == [one]
    assert await ann.refused("PUT", f"/rooms/{one}/draft", {"text": "x" * 8001}) == (400, "invalid_text")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "public"}, "invalid_name"),
        ({"kind": "public", "name": "x" * 81}, "invalid_name"),
        ({"kind": "public", "name": "x", "topic": "t" * 501}, "invalid_request"),
        ({"kind": "secret", "name": "x"}, "invalid_request"),
        ({"name": "x"}, "invalid_request"),
        ({"kind": "private", "name": 5}, "invalid_request"),
        ({"kind": "private", "name": "x", "members": ["nobody"]}, "unknown_user"),
        ({"kind": "direct", "members": [uuid7(), uuid7()]}, "invalid_request"),
        ([], "invalid_request"),
    ],
)
async def test_a_room_that_makes_no_sense_is_refused(house: HttpHouse, body: object, code: str) -> None:
    status, refused = await house.client("ann").refused("POST", "/rooms", body)
    assert refused == code
    assert status == (404 if code == "unknown_user" else 400)


@pytest.mark.parametrize("cursor", ["x", "!", "W10", "bnVsbA", "WyJhIl0", "é", "WyIAIiwiYSJd"])
async def test_a_cursor_that_is_none_of_ours_is_refused(house: HttpHouse, cursor: str) -> None:
    ann = house.client("ann")
    assert await ann.refused("GET", "/rooms/public", cursor=cursor) == (400, "invalid_request")
