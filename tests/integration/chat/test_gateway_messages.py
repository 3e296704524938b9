"""Commands over sockets: acknowledgements exactly as promised, and every event to every member once, in order."""

import asyncio
from typing import Any

import pytest

from parlour.platform.ids import uuid4

from ..socketio_client import Client
from .chat_server import ChatServer


def sending(room_id: str, text: str = "hello", client_id: str = "", **more: Any) -> dict[str, Any]:
    return {"room_id": room_id, "client_id": client_id or uuid4(), "text": text, **more}


async def test_an_acknowledgement_has_the_events_id_seq_and_time_and_nothing_else(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    a, b = await server.connect(ann), await server.connect(bob)
    command = sending(room.id)
    ack = await a.call("message.send", command)
    event = await b.wait_for("event", lambda data: data["type"] == "message.created")
    assert ack == {"ok": True, "id": event["id"], "seq": event["seq"], "at": event["at"]}
    assert event == {
        "room_id": room.id,
        "seq": event["seq"],
        "id": event["id"],
        "type": "message.created",
        "sender_id": ann.id,
        "client_id": command["client_id"],
        "at": event["at"],
        "data": {"text": "hello"},
    }


async def test_the_sending_socket_gets_the_event_before_its_acknowledgement(server: ChatServer) -> None:
    ann = server.user("ann")
    room = await server.room(ann)
    a = await server.connect(ann)
    ack = await a.call("message.send", sending(room.id))
    assert ack["id"] in [event.data["id"] for event in a.named("event")]


async def test_a_repeat_is_acknowledged_with_the_first_event_and_told_to_nobody(server: ChatServer) -> None:
    ann = server.user("ann")
    room = await server.room(ann)
    a = await server.connect(ann)
    command = sending(room.id)
    first = await a.call("message.send", command)
    again = await a.call("message.send", {**command, "text": "something else"})
    last = await a.call("message.send", sending(room.id, "last"))
    assert again == first
    await a.wait_for("event", lambda data: data["seq"] == last["seq"])
    texts = [event.data["data"]["text"] for event in a.named("event") if event.data["type"] == "message.created"]
    assert texts == ["hello", "last"]


async def test_every_member_gets_every_event_once_and_in_the_same_order(server: ChatServer) -> None:
    users = [server.user(f"user{number}") for number in range(4)]
    room = await server.room(*users)
    clients = [await server.connect(user) for user in users]
    acks = await asyncio.gather(
        *(
            client.start("message.send", sending(room.id, f"{index}/{number}"))
            for number in range(25)
            for index, client in enumerate(clients)
        )
    )
    highest = max(ack[0]["seq"] for ack in acks)
    orders = []
    for client in clients:
        await client.wait_for("event", lambda data: data["seq"] == highest)
        orders.append([event.data["seq"] for event in client.named("event")])
    assert all(order == list(range(order[0], highest + 1)) for order in orders)
    assert len(acks) == len({ack[0]["seq"] for ack in acks}) == 100


async def test_messages_of_one_socket_keep_their_order_whatever_they_wait_for(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    a = await server.connect(ann)
    texts = [f"{number} {'@bob' if number % 3 == 0 else ''}" for number in range(20)]
    acks = [a.start("message.send", sending(room.id, text)) for text in texts]
    seqs = [(await ack)[0]["seq"] for ack in acks]
    assert seqs == sorted(seqs)


async def test_a_message_lives_its_whole_life(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    a, b = await server.connect(ann), await server.connect(bob)
    message_id = (await a.call("message.send", sending(room.id, "hi @bob")))["id"]

    async def act(client: Client, event: str, **values: Any) -> None:
        ack = await client.call(event, {"room_id": room.id, "client_id": uuid4(), "id": message_id, **values})
        assert ack["ok"], ack

    await act(b, "reaction.add", emoji="👍")
    await act(a, "message.edit", text="hello @bob")
    await act(b, "message.pin")
    await act(b, "message.unpin")
    await act(b, "reaction.remove", emoji="👍")
    await act(a, "message.delete")
    await b.wait_for("event", lambda data: data["type"] == "message.deleted")
    events = [event.data for event in b.named("event") if event.data["type"] != "member.joined"]
    assert [event["type"] for event in events] == [
        "message.created",
        "reaction.added",
        "message.edited",
        "message.pinned",
        "message.unpinned",
        "reaction.removed",
        "message.deleted",
    ]
    assert events[0]["data"] == {"text": "hi @bob", "mentions": [bob.id]}
    assert events[1]["data"] == {"message_id": message_id, "emoji": "👍"}
    assert events[2]["data"] == {"message_id": message_id, "text": "hello @bob", "mentions": [bob.id]}


async def test_a_rooms_audience_is_its_members_sockets(server: ChatServer) -> None:
    ann, bob, eve = server.user("ann"), server.user("bob"), server.user("eve")
    room = await server.room(ann, bob)
    await asyncio.gather(*(server.connect(user) for user in (ann, ann, bob, eve)))
    assert server.channels.audience(room.id) == 3


async def test_nothing_is_acknowledged_that_was_not_asked_to_be(server: ChatServer) -> None:
    ann = server.user("ann")
    room = await server.room(ann)
    a = await server.connect(ann)
    a.emit("message.send", sending(room.id))
    a.emit("message.send", {"nonsense": True})
    await a.wait_for("event", lambda data: data["type"] == "message.created")
    assert (await a.call("typing", {"room_id": room.id, "on": True})) == {"ok": True}


@pytest.mark.parametrize(
    ("event", "payload", "code", "field"),
    [
        ("message.send", None, "invalid_request", ""),
        ("message.send", "text", "invalid_request", ""),
        ("message.send", {}, "invalid_request", "room_id"),
        ("message.send", {"room_id": "{room}", "client_id": "{uuid}"}, "invalid_request", "text"),
        ("message.send", {"room_id": "{room}", "client_id": "{uuid}", "text": 7}, "invalid_request", "text"),
        ("message.send", {"room_id": "{room}", "client_id": "7", "text": "hi"}, "invalid_request", "client_id"),
        ("message.send", {"room_id": "{room}", "client_id": "{uuid}", "text": " "}, "invalid_text", "text"),
        ("message.send", {"room_id": "nowhere", "client_id": "{uuid}", "text": "hi"}, "room_not_found", None),
        ("message.send", {"room_id": "{theirs}", "client_id": "{uuid}", "text": "hi"}, "room_not_found", None),
        ("message.delete", {"room_id": "{room}", "client_id": "{uuid}", "id": "none"}, "message_not_found", "id"),
        ("sync", {"rooms": {"{room}": "1"}}, "invalid_request", "rooms[...]"),
        ("read", {"room_id": "{room}", "seq": -1}, "invalid_request", "seq"),
        ("read", {"room_id": "{room}", "seq": 2**64}, "invalid_request", "seq"),
        ("presence.update", {"state": "asleep"}, "invalid_request", "state"),
        ("presence.watch", {"user_ids": ["x" * 37]}, "invalid_request", "user_ids[0]"),
        ("auth.renew", {"token": "nonsense"}, "token_invalid", None),
        ("no.such.event", {}, "unknown_event", None),
    ],
)
async def test_a_refusal_has_its_code_and_names_the_field(
    server: ChatServer, event: str, payload: Any, code: str, field: str | None
) -> None:
    ann = server.user("ann")
    names = {
        "{room}": (await server.room(ann)).id,
        "{uuid}": uuid4(),
        "{theirs}": (await server.room(server.user("eve"))).id,
    }

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {filled(key): filled(item) for key, item in value.items()}
        return names.get(value, value) if isinstance(value, str) else value

    a = await server.connect(ann)
    ack = await a.call(event, filled(payload))
    assert ack["ok"] is False
    assert ack["error"]["code"] == code
    assert ack["error"]["message"]
    if field is not None:
        assert ack["error"]["details"]["field"] == field


async def test_what_goes_wrong_inside_tells_no_details_and_is_logged_once(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ann = server.user("ann")
    room = await server.room(ann)
    a = await server.connect(ann)

    def broken(_command: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(server.broker, "submit", broken)
    ack = await a.call("message.send", sending(room.id))
    assert ack == {"ok": False, "error": {"code": "internal", "message": "Something went wrong on the server."}}
    assert len([record for record in caplog.records if record.exc_info]) == 1


async def test_refusals_are_not_logged(server: ChatServer, caplog: pytest.LogCaptureFixture) -> None:
    a = await server.connect(server.user("ann"))
    await a.call("message.send", {"text": 7})
    await a.call("no.such.event")
    assert not [record for record in caplog.records if record.exc_info]
