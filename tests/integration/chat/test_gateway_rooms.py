"""Changes of membership reach live sockets at once, both ways."""

import asyncio
from typing import Any

import pytest

from parlour.chat.errors import RemovedFromRoom
from parlour.chat.model import RoomKind
from parlour.platform.ids import uuid4

from .chat_server import ChatServer


async def test_a_new_member_is_told_of_the_room_and_hears_it(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(bob)
    tabs = [await server.connect(ann) for _ in range(2)]
    b = await server.connect(bob)
    await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "before"})
    await server.add(room, ann)
    for tab in tabs:
        added = (await tab.wait_for("room.added"))["room"]
        assert (added["id"], added["name"], added["role"]) == (room.id, room.name, "member")
        assert added["head"] >= 1
    await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "after"})
    for tab in tabs:
        event = await tab.wait_for("event", lambda data: data["type"] == "message.created")
        assert event["data"]["text"] == "after"


async def test_a_removed_member_is_told_and_hears_and_says_nothing_more(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room, other = await server.room(bob, ann), await server.room(bob, ann)
    tabs = [await server.connect(ann) for _ in range(2)]
    b = await server.connect(bob)
    await server.remove(room, ann)
    for text, where in (("secret", room), ("barrier", other)):
        await b.call("message.send", {"room_id": where.id, "client_id": uuid4(), "text": text})
    for tab in tabs:
        assert await tab.wait_for("room.removed") == {"room_id": room.id}
        await tab.wait_for("event", lambda data: data["data"].get("text") == "barrier")
        after = tab.received[tab.received.index(tab.named("room.removed")[0]) :]
        assert not [event for event in after if event.name == "event" and event.data["room_id"] == room.id]
        refused = await tab.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "hello?"})
        assert refused["error"]["code"] == "room_not_found"
        synced = (await tab.call("sync", {"rooms": {room.id: 0}}))["rooms"][room.id]
        assert (synced["error"]["code"], synced["events"]) == ("room_not_found", [])


async def test_the_sockets_of_who_was_removed_stay_out_when_they_try_to_join_again(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room, other = await server.room(bob, ann, kind=RoomKind.PUBLIC), await server.room(bob, ann)
    a, b = await server.connect(ann), await server.connect(bob)
    await server.remove(room, ann)
    with pytest.raises(RemovedFromRoom):
        await server.members.join(ann.principal, room.id)
    for where in (room, other):
        await b.call("message.send", {"room_id": where.id, "client_id": uuid4(), "text": "hello"})
    await a.wait_for("event", lambda data: data["room_id"] == other.id and data["type"] == "message.created")
    assert a.named("room.added") == []
    texts = [event for event in a.named("event") if event.data["room_id"] == room.id and "text" in event.data["data"]]
    assert texts == []
    again = await server.connect(ann)
    assert [each["id"] for each in again.named("ready")[0].data["rooms"]] == [other.id]


async def test_who_returns_hears_the_room_again(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(bob, ann)
    a, b = await server.connect(ann), await server.connect(bob)
    await server.remove(room, ann)
    await server.add(room, ann)
    await a.wait_for("room.added")
    await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "welcome back"})
    await a.wait_for("event", lambda data: data["data"].get("text") == "welcome back")


async def test_who_is_removed_from_their_only_room_while_they_are_told_of_it_is_told_last_that_they_left(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(bob)
    a = await server.connect(ann)
    told = asyncio.Event()
    summarise = server.gateway._summaries.rooms

    async def late(*args: Any) -> Any:
        summaries = await summarise(*args)
        await told.wait()
        return summaries

    monkeypatch.setattr(server.gateway._summaries, "rooms", late)
    await server.add(room, ann)
    await server.remove(room, ann)
    await a.wait_for("room.removed")
    told.set()
    await a.call("sync", {"rooms": {}})
    assert [event.name for event in a.received if event.name.startswith("room.")] == ["room.removed"]


async def test_who_is_added_and_removed_at_once_ends_up_outside(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room, other = await server.room(bob), await server.room(bob, ann)
    a, b = await server.connect(ann), await server.connect(bob)
    await server.add(room, ann)
    await server.remove(room, ann)
    await a.wait_for("room.removed")
    for where in (room, other):
        await b.call("message.send", {"room_id": where.id, "client_id": uuid4(), "text": "hello"})
    await a.wait_for("event", lambda data: data["room_id"] == other.id and data["type"] == "message.created")
    told = [event.name for event in a.received if event.name.startswith("room.")]
    assert told[-1] == "room.removed"
    texts = [event for event in a.named("event") if event.data["room_id"] == room.id and "text" in event.data["data"]]
    assert texts == []
