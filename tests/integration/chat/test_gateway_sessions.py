"""How sockets end: with their token, their session or their account, within a second, and never other people's."""

import time

from parlour.chat.events.sessions import MAX_SOCKETS
from parlour.platform.ids import SessionId, uuid4, uuid7
from parlour.platform.permissions import Role

from .chat_server import ChatServer


async def test_a_revoked_session_is_told_why_and_closed_within_a_second(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    tabs = [await server.connect(ann) for _ in range(2)]
    other_device = await server.connect(ann, ann.token(session_id=SessionId(uuid7())))
    b = await server.connect(bob)
    revoked_at = time.monotonic()
    await server.revoke(ann, "logout")
    for tab in tabs:
        await tab.wait_closed()
        assert tab.received[-1].name == "session.revoked"
        assert tab.received[-1].data == {"reason": "logout"}
        assert tab.closed_at - revoked_at < 1
    await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "still here?"})
    await other_device.wait_for("event", lambda data: data["data"].get("text") == "still here?")
    assert not any(event.data["data"].get("text") for tab in tabs for event in tab.named("event"))


async def test_a_disabled_account_is_out_on_all_devices(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    devices = [await server.connect(ann, ann.token(session_id=SessionId(uuid7()))) for _ in range(3)]
    b = await server.connect(bob)
    await server.change(ann, disabled=True)
    for device in devices:
        await device.wait_closed()
        assert device.received[-1].data == {"reason": "user_disabled"}
    assert (await b.call("sync", {"rooms": {}}))["ok"]


async def test_a_changed_role_counts_at_once(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(bob, ann)
    a, b = await server.connect(ann), await server.connect(bob)
    message = await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "hello"})
    delete = {"room_id": room.id, "client_id": uuid4(), "id": message["id"]}
    assert (await a.call("message.delete", delete))["error"]["code"] == "not_yours"
    await server.change(ann, role=Role.MODERATOR)
    assert (await a.call("message.delete", delete))["ok"]


async def test_a_socket_is_warned_a_minute_before_its_token_ends_and_closed_when_it_does(server: ChatServer) -> None:
    ann = server.user("ann")
    a = await server.connect(ann, ann.token(lifetime=100))
    server.clock.offset += 45
    warning = await a.wait_for("auth.expiring")
    assert 50 <= warning["in"] <= 60
    assert not a.closed
    server.clock.offset += 60
    await a.wait_closed()
    assert len(a.named("auth.expiring")) == 1
    assert not a.named("session.revoked")  # the session goes on


async def test_a_renewed_socket_outlives_its_first_token(server: ChatServer) -> None:
    ann = server.user("ann")
    room = await server.room(ann)
    a = await server.connect(ann, ann.token(lifetime=100))
    witness = await server.connect(ann, ann.token(lifetime=100))
    assert await a.call("auth.renew", {"token": ann.token(lifetime=1000)}) == {"ok": True}
    server.clock.offset += 120
    await witness.wait_closed()
    assert (await a.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "here"}))["ok"]
    assert not a.named("auth.expiring")


async def test_renewal_takes_only_tokens_of_the_same_user_and_session(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    a = await server.connect(ann)
    for token, code in (
        (bob.token(), "token_mismatch"),
        (ann.token(session_id=SessionId(uuid7())), "token_mismatch"),
        (ann.token(lifetime=-5), "token_expired"),
        ("", "token_invalid"),
    ):
        assert (await a.call("auth.renew", {"token": token}))["error"]["code"] == code
    assert (await a.call("sync", {"rooms": {}}))["ok"]


async def test_an_older_token_does_not_shorten_a_sockets_life(server: ChatServer) -> None:
    ann = server.user("ann")
    a = await server.connect(ann, ann.token(lifetime=1000))
    witness = await server.connect(ann, ann.token(lifetime=100))
    assert (await a.call("auth.renew", {"token": ann.token(lifetime=100)}))["ok"]
    server.clock.offset += 120
    await witness.wait_closed()
    assert (await a.call("sync", {"rooms": {}}))["ok"]


async def test_nothing_is_kept_of_sockets_that_are_gone(server: ChatServer) -> None:
    ann = server.user("ann")
    clients = [await server.connect(ann) for _ in range(5)]
    for client in clients:
        await client.close()
    last = await server.connect(ann)
    await server.revoke(ann)
    await last.wait_closed()
    assert (server.sessions._by_session, server.sessions._by_user, server.sessions._due_of) == ({}, {}, {})


async def test_the_oldest_socket_of_a_user_makes_room_for_one_too_many(server: ChatServer) -> None:
    """Whoever comes back is let in; a client that is sent away knows why and stays away (stock ones do after DISCONNECT)."""
    ann, bob = server.user("ann"), server.user("bob")
    b = await server.connect(bob)
    oldest, *others = [await server.connect(ann) for _ in range(MAX_SOCKETS)]
    newest = await server.connect(ann)
    await oldest.wait_closed()
    assert oldest.received[-1].name == "socket.displaced"
    error = oldest.received[-1].data["error"]
    assert (error["code"], error["details"]) == ("too_many_sockets", {"limit": MAX_SOCKETS})
    for socket in (newest, *others, b):
        assert (await socket.call("sync", {"rooms": {}}))["ok"]


async def test_sockets_that_closed_do_not_count(server: ChatServer) -> None:
    ann = server.user("ann")
    first = await server.connect(ann)
    for _ in range(MAX_SOCKETS + 1):
        socket = await server.connect(ann)
        await socket.close()
    assert (await first.call("sync", {"rooms": {}}))["ok"]
