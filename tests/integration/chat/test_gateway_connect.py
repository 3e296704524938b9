"""Connecting: who is let in, what `ready` says, and the race of its snapshot with the events."""

import asyncio
import json
from typing import Any

import pytest

from parlour.platform.ids import uuid4

from ...conformance.websocket import WebSocket as RawWebSocket
from ..socketio_client import Client, ConnectError
from .chat_server import ChatServer, Keys, User


@pytest.mark.parametrize(
    ("auth", "code"),
    [
        (None, "unauthenticated"),
        ({}, "unauthenticated"),
        ({"token": None}, "unauthenticated"),
        ({"token": {"a": 1}}, "unauthenticated"),
        ({"token": ""}, "token_invalid"),
        ({"token": "a.b.c"}, "token_invalid"),
        ({"token": "x" * 100_000}, "token_invalid"),
        ({"token": "ü"}, "token_invalid"),
    ],
)
async def test_a_connection_without_a_valid_token_is_refused_with_its_code(
    server: ChatServer, auth: Any, code: str
) -> None:
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url, auth)
    assert refused.value.data["code"] == code
    assert str(refused.value) == refused.value.data["message"]


async def test_tokens_that_ended_are_refused(server: ChatServer) -> None:
    ann = server.user("ann")
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url, {"token": ann.token(lifetime=-1)})
    assert refused.value.data["code"] == "token_expired"
    stranger = User(Keys(), server.clock, "ann")
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url, {"token": stranger.token()})
    assert refused.value.data["code"] == "token_invalid"
    await server.revoke(ann)
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url, {"token": ann.token()})
    assert refused.value.data["code"] == "session_revoked"


async def test_failures_of_ours_and_other_namespaces_have_codes_too(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = server.user("ann")
    monkeypatch.setattr(server.memberships, "load", None)
    with pytest.raises(ConnectError) as refused:
        await Client.connect(server.url, {"token": ann.token()})
    assert refused.value.data["code"] == "internal"
    socket = await RawWebSocket.connect(f"ws{server.url[4:]}/socket.io/?EIO=4&transport=websocket")
    await socket.text()
    socket.send("40/other")
    refusal = json.loads((await socket.text()).removeprefix("44/other,"))
    assert (refusal["message"], refusal["data"]["code"]) == ("Invalid namespace", "not_found")
    await socket.close()


async def test_ready_comes_once_and_names_user_session_and_rooms(server: ChatServer) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    b = await server.connect(bob)
    for text in ("one", "@ann two"):
        await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": text})
    head = b.named("event")[-1].data["seq"]
    a = await server.connect(ann)
    await a.call("sync", {"rooms": {}})
    (ready,) = [event.data for event in a.named("ready")]
    assert ready["user"] == {
        "id": ann.id,
        "username": "ann",
        "display_name": "Ann",
        "role": "member",
        "disabled": False,
    }
    assert ready["session_id"] == ann.session_id
    assert abs(ready["server_time"] - server.clock.now()) < 5000
    (summary,) = ready["rooms"]
    assert (summary["id"], summary["name"], summary["kind"]) == (room.id, room.name, "private")
    assert (summary["head"], summary["read"], summary["unread"]) == (head, 2, 2)  # both joined, then two messages
    assert summary["mentions"] == 1
    assert summary["role"] == "owner"


def hold_back_heads(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> tuple[asyncio.Event, asyncio.Event]:
    """Have the next one who reads heads tell by the first event that they are read, and wait for the second."""
    reading, go_on = asyncio.Event(), asyncio.Event()
    tails = server.heads.tails

    async def slow(room_ids: Any) -> Any:
        found = await tails(room_ids)
        if not reading.is_set():
            reading.set()
            await go_on.wait()
        return found

    monkeypatch.setattr(server.heads, "tails", slow)
    return reading, go_on


async def test_an_event_committed_while_ready_is_made_arrives_live(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heads are read, then something is sent, and only then `ready` goes out: the event must not fall between."""
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    b = await server.connect(bob)
    reading, go_on = hold_back_heads(server, monkeypatch)
    a = await Client.connect(server.url, {"token": ann.token()})
    await reading.wait()
    ack = await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "in between"})
    go_on.set()
    ready = await a.wait_for("ready")
    assert ready["rooms"][0]["head"] < ack["seq"]
    event = await a.wait_for("event", lambda data: data["seq"] == ack["seq"])
    assert event["data"]["text"] == "in between"


async def test_rooms_joined_and_left_while_ready_is_made_are_right_in_it(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    left, joined = await server.room(bob, ann), await server.room(bob)
    reading, go_on = hold_back_heads(server, monkeypatch)
    a = await Client.connect(server.url, {"token": ann.token()})
    await reading.wait()
    await server.remove(left, ann)
    await server.add(joined, ann)
    go_on.set()
    ready = await a.wait_for("ready")
    assert [summary["id"] for summary in ready["rooms"]] == [joined.id]
    b = await server.connect(bob)
    for room in (left, joined):
        await b.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": "hello"})
    await a.wait_for("event", lambda data: data["room_id"] == joined.id and data["type"] == "message.created")
    assert not [event for event in a.named("event") if event.data["room_id"] == left.id]


async def test_a_session_that_ends_while_its_socket_connects_is_closed(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = server.user("ann")
    loading, go_on = asyncio.Event(), asyncio.Event()
    load = server.memberships.load

    async def slow(user_id: Any) -> Any:
        loading.set()
        await go_on.wait()
        return await load(user_id)

    monkeypatch.setattr(server.memberships, "get", lambda _user_id: None)
    monkeypatch.setattr(server.memberships, "load", slow)
    connecting = asyncio.create_task(Client.connect(server.url, {"token": ann.token()}))
    await loading.wait()
    await server.revoke(ann)
    go_on.set()
    a = await connecting
    await a.wait_closed()
    assert not a.named("ready")
    assert a.named("session.revoked")


async def test_two_tabs_both_hear_everything(server: ChatServer) -> None:
    ann = server.user("ann")
    room = await server.room(ann)
    one, two = await server.connect(ann), await server.connect(ann)
    for client, text in ((one, "from one"), (two, "from two")):
        await client.call("message.send", {"room_id": room.id, "client_id": uuid4(), "text": text})
    for client in (one, two):
        await client.wait_for("event", lambda data: data["data"].get("text") == "from two")
        texts = [event.data["data"]["text"] for event in client.named("event") if "text" in event.data["data"]]
        assert texts == ["from one", "from two"]


class Tab:
    """A tab as a careful client writes it: applies each seq once and in order, and syncs over every gap."""

    def __init__(self, server: ChatServer, user: User, room_id: str) -> None:
        self.server = server
        self.user = user
        self.room_id = room_id
        self.applied: list[dict[str, Any]] = []
        self.client: Client

    async def connect(self) -> None:
        self.client = await self.server.connect(self.user)
        await self.catch_up()

    def abort(self) -> None:
        """Lose the network, having applied what had arrived."""
        self.drain()
        self.client.abort()

    async def heard(self, count: int) -> None:
        await self.client.until(lambda: len(self.client.named("event")) >= count, f"{count} events")

    async def reach(self, seq: int) -> None:
        """Apply what arrives until `seq`."""

        def reached() -> bool:
            self.drain()
            return self.last >= seq

        await self.client.until(reached, f"seq {seq}")

    @property
    def last(self) -> int:
        return self.applied[-1]["seq"] if self.applied else 0

    async def catch_up(self) -> None:
        """Sync, then apply what has arrived live meanwhile, until there is no gap."""
        answer = (await self.client.call("sync", {"rooms": {self.room_id: self.last}}))["rooms"][self.room_id]
        assert not answer["reset"]
        for event in answer["events"]:
            self.apply(event)
        assert self.last >= answer["head"]
        self.drain()

    def drain(self) -> None:
        for event in self.client.named("event"):
            self.apply(event.data)

    def apply(self, event: dict[str, Any]) -> None:
        if event["seq"] > self.last:
            assert event["seq"] == self.last + 1, f"{event['seq']} after {self.last}: missed something"
            self.applied.append(event)


async def test_two_tabs_one_of_which_reconnects_in_a_burst_see_the_same_log_once_and_in_order(
    server: ChatServer,
) -> None:
    ann, bob = server.user("ann"), server.user("bob")
    room = await server.room(ann, bob)
    sender = await server.connect(bob)
    steady, flaky = Tab(server, ann, room.id), Tab(server, ann, room.id)
    await steady.connect()
    await flaky.connect()
    acks: list[asyncio.Future[list[Any]]] = []

    async def burst() -> None:
        for number in range(200):
            command = {"room_id": room.id, "client_id": uuid4(), "text": str(number)}
            acks.append(sender.start("message.send", command))
            if number % 5 == 0:
                await acks[-1]

    sending = asyncio.create_task(burst())
    for _ in range(6):
        await flaky.heard(3)
        flaky.abort()
        await flaky.connect()
    await sending
    last = max([(await ack)[0]["seq"] for ack in acks])
    for tab in (steady, flaky):
        await tab.reach(last)
        assert [event["seq"] for event in tab.applied] == list(range(1, last + 1))
    assert steady.applied == flaky.applied
    texts = [event["data"]["text"] for event in flaky.applied if event["type"] == "message.created"]
    assert texts == [str(number) for number in range(200)]
