"""What stands beside the log: read markers, typing and presence, and catching up."""

from parlour.platform.ids import uuid4

from .chat_server import ChatServer


async def test_reading_is_told_to_ones_other_tab_and_to_the_others_of_a_small_room(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    one, two, b = await server.connect(ann), await server.connect(ann), await server.connect(bob)
    seq = (await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "hello"}))["seq"]
    assert await one.call("read", {"room_id": room.id, "seq": seq + 5}) == {"ok": True, "read": seq}
    for client in (two, b):
        assert await client.wait_for("read") == {"room_id": room.id, "user_id": ann.id, "seq": seq}
        assert len(client.named("read")) == 1
    again = await server.connect(ann)
    summary = again.named("ready")[0].data["rooms"][0]
    assert (summary["read"], summary["unread"]) == (seq, 0)
    assert await one.call("read", {"room_id": room.id, "seq": 0}) == {"ok": True, "read": seq}
    assert one.named("read") == []


async def test_marking_unread_is_told_to_all_of_ones_tabs_and_stays_whatever_a_stale_one_says(
    server: ChatServer,
) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    one, stale, b = await server.connect(ann), await server.connect(ann), await server.connect(bob)
    await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "first"})
    seq = (await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "@ann second"}))["seq"]
    await one.call("read", {"room_id": room.id, "seq": seq})
    await b.wait_for("read")
    assert await one.call("read", {"room_id": room.id, "seq": 2, "unread": True}) == {"ok": True, "read": 2}
    for client in (one, stale):
        moved = await client.wait_for("read", lambda data: "unread" in data)
        assert (moved["seq"], moved["unread"]) == (2, {"head": seq, "mentions": 1})
    assert await stale.call("read", {"room_id": room.id, "seq": seq, "was": seq}) == {"ok": True, "read": 2}
    again = await server.connect(ann)
    summary = again.named("ready")[0].data["rooms"][0]
    assert (summary["read"], summary["unread"], summary["mentions"]) == (2, seq - 2, 1)
    assert await stale.call("read", {"room_id": room.id, "seq": seq, "was": 2}) == {"ok": True, "read": seq}
    assert [each.data["seq"] for each in b.named("read")] == [seq, seq]


async def test_typing_is_told_to_the_others_and_ends_when_said(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    one, two, b = await server.connect(ann), await server.connect(ann), await server.connect(bob)
    one.emit("typing", {"room_id": room.id, "on": True})
    assert await b.wait_for("typing") == {"room_id": room.id, "user_id": ann.id, "on": True}
    one.emit("typing", {"room_id": room.id, "on": False})
    await b.wait_for("typing", lambda data: not data["on"])
    await one.call("sync", {"rooms": {}})
    await two.call("sync", {"rooms": {}})
    assert one.named("typing") == two.named("typing") == []


async def test_presence_is_told_to_those_who_watch_and_to_nobody_else(server: ChatServer) -> None:
    ann, bob, eve = server.user("ann"), server.user("bob"), server.user("eve")
    a, e = await server.connect(ann), await server.connect(eve)
    answer = await a.call("presence.watch", {"user_ids": [bob.id, ann.id]})
    assert answer == {"ok": True, "presence": {bob.id: "offline", ann.id: "online"}}
    phone, laptop = await server.connect(bob), await server.connect(bob)
    assert await a.wait_for("presence") == {"user_id": bob.id, "state": "online"}
    for device in (phone, laptop):
        assert await device.call("presence.update", {"state": "idle"}) == {"ok": True}
    await a.wait_for("presence", lambda data: data["state"] == "idle")
    await phone.close()
    laptop.abort()
    await a.wait_for("presence", lambda data: data["state"] == "offline")
    assert [event.data["state"] for event in a.named("presence")] == ["online", "idle", "offline"]
    await e.call("sync", {"rooms": {}})
    assert e.named("presence") == []


async def test_who_watches_others_now_hears_no_more_of_those_before(server: ChatServer) -> None:
    ann, bob, carl = server.user("ann"), server.user("bob"), server.user("carl")
    a = await server.connect(ann)
    await a.call("presence.watch", {"user_ids": [bob.id]})
    await a.call("presence.watch", {"user_ids": [carl.id]})
    await server.connect(bob)
    await server.connect(carl)
    await a.wait_for("presence", lambda data: data["user_id"] == carl.id)
    assert {event.data["user_id"] for event in a.named("presence")} == {carl.id}


async def test_sync_gives_what_was_missed(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    b = await server.connect(bob)
    seqs = [
        (await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": str(number)}))["seq"]
        for number in range(5)
    ]
    a = await server.connect(ann)
    answer = await a.call("sync", {"rooms": {room.id: seqs[2]}})
    entry = answer["rooms"][room.id]
    assert answer["ok"] is True
    assert (entry["head"], entry["reset"]) == (seqs[-1], False)
    assert [event["data"]["text"] for event in entry["events"]] == ["3", "4"]
    live = [event.data for event in b.named("event")]
    assert entry["events"] == live[-2:]
