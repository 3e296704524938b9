"""Bad input to the whole server: each gets its clear error, and two bystanders talk on meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from ..conformance.websocket import TEXT
from ..conformance.websocket import WebSocket as RawWebSocket
from .socketio_client import DEADLINE, Client, ConnectError
from .whole_server import Conversation, Person, WholeServer, bystanders, whole_server


class House(NamedTuple):
    """A server, two bystanders with a room of their own, and somebody who misbehaves in another."""

    server: WholeServer
    ann: Person
    bob: Person
    lobby: str
    mallory: Person
    corner: str


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with whole_server(tmp_path_factory.mktemp("bad-input")) as server:
        ann, bob, mallory = (server.person(name) for name in ("ann", "bob", "mallory"))
        yield House(server, ann, bob, ann.room(members=(bob,)), mallory, mallory.room())


@pytest.fixture
async def conversation(house: House) -> AsyncIterator[Conversation]:
    async with bystanders(house.ann, house.bob, house.lobby) as conversation:
        yield conversation


def code(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/json"
    text: str = answer.json()["error"]["code"]
    return text


async def http(house: House, method: str, path: str, **options: Any) -> httpx.Response:
    """Ask as mallory, beside the event loop on which the bystanders talk."""
    return await asyncio.to_thread(house.mallory.request, method, path, **options)


async def test_body_over_the_limit_is_refused(house: House, conversation: Conversation) -> None:
    path = f"/api/rooms/{house.corner}/messages"
    announced = await http(house, "POST", path, content=b" " * 1_000_000)
    chunked = await http(house, "POST", path, content=iter([b" " * 10_000] * 100))
    assert [(answer.status_code, code(answer)) for answer in (announced, chunked)] == [(413, "too_large")] * 2
    assert announced.json()["error"]["details"]["limit"] == 128 * 1024
    await conversation.progress()


async def test_longest_message_fits_in_any_escaping(house: House, conversation: Conversation) -> None:
    """8,000 characters beyond the basic plane are 96,000 bytes as JSON escapes."""
    body = json.dumps({"client_id": str(uuid4()), "text": "\U0001f600" * 8000}, ensure_ascii=True)
    answer = await http(house, "POST", f"/api/rooms/{house.corner}/messages", content=body)
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1, 2", b"\xff\xfe", b'{"client_id": }', b"null", b"[]", b'"text"', b"", b"[" * 50_000],
    ids=["open", "cut", "bytes", "no-value", "null", "list", "string", "nothing", "deep"],
)
async def test_body_that_is_no_json_object_is_refused(house: House, conversation: Conversation, body: bytes) -> None:
    answer = await http(house, "POST", f"/api/rooms/{house.corner}/messages", content=body)
    assert (answer.status_code, code(answer)) == (400, "invalid_request")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 5},
        {"text": None},
        {"text": ["a"]},
        {"client_id": 7},
        {"client_id": "x" * 37},
        {"client_id": "not-a-uuid"},
        {"reply_to": {}},
        {"text": ""},
        {"text": " \n"},
        {"text": "a\0b"},
        {"text": "a" * 8001},
    ],
    ids=repr,
)
async def test_value_of_the_wrong_kind_is_refused_and_named(
    house: House, conversation: Conversation, fields: dict[str, Any]
) -> None:
    """Over HTTP and in the acknowledgement alike, with nothing written."""
    before = house.mallory.head(house.corner)
    command = {"client_id": str(uuid4()), "text": "hello"} | fields
    over_http = await http(house, "POST", f"/api/rooms/{house.corner}/messages", content=json.dumps(command))
    client = await house.mallory.connect()
    over_socket = await client.call("message.send", {"room_id": house.corner} | command)
    await client.close()
    assert over_http.status_code == 400
    assert code(over_http) in {"invalid_request", "invalid_text"}
    assert over_socket["ok"] is False
    assert over_socket["error"]["code"] in {"invalid_request", "invalid_text"}
    assert house.mallory.head(house.corner) == before


async def test_lone_surrogate_is_refused_or_replaced(house: House, conversation: Conversation) -> None:
    """It is no JSON text for HTTP; JavaScript clients may send one over a socket, and U+FFFD stands for it."""
    body = b'{"client_id": "%s", "text": "\\ud800"}' % str(uuid4()).encode()
    over_http = await http(house, "POST", f"/api/rooms/{house.corner}/messages", content=body)
    assert (over_http.status_code, code(over_http)) == (400, "invalid_request")
    client = await house.mallory.connect()
    sent = await client.call(
        "message.send", {"room_id": house.corner, "client_id": str(uuid4()), "text": "\ud800 is half of one"}
    )
    event = await client.wait_for("event", lambda event: event["seq"] == sent["seq"])
    assert event["data"]["text"] == "\ufffd is half of one"
    await client.close()


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        (None, "unauthenticated"),
        ("nonsense", "token_invalid"),
        ("a.b.c", "token_invalid"),
        ("x" * 9000, "token_invalid"),
    ],
    ids=["none", "nonsense", "three-parts", "oversized"],
)
async def test_nobody_gets_in_without_a_token(
    house: House, conversation: Conversation, token: str | None, expected: str
) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=house.server.url, timeout=DEADLINE) as http_client:
        answer = await http_client.get("/api/rooms", headers=headers)
    assert (answer.status_code, code(answer), answer.headers["www-authenticate"]) == (401, expected, "Bearer")
    with pytest.raises(ConnectError) as refused:
        await Client.connect(house.server.url, None if token is None else {"token": token})
    assert refused.value.data["code"] == expected


@pytest.mark.parametrize("auth", [{"token": 5}, {"token": None}, {"token": ["a"]}, {}], ids=repr)
async def test_auth_payload_of_the_wrong_kind_is_refused(
    house: House, conversation: Conversation, auth: dict[str, Any]
) -> None:
    with pytest.raises(ConnectError) as refused:
        await Client.connect(house.server.url, auth)
    assert refused.value.data["code"] == "unauthenticated"


COMMANDS = [
    "message.send",
    "message.edit",
    "message.delete",
    "message.pin",
    "message.unpin",
    "reaction.add",
    "reaction.remove",
    "sync",
    "read",
    "typing",
    "presence.watch",
    "presence.update",
    "auth.renew",
    "call.start",
    "call.join",
    "call.signal",
    "call.leave",
    "call.decline",
    "call.mute",
    "call.kick",
]


@pytest.mark.parametrize(
    "arguments", [(), (None,), (5,), ("text",), ([],), ({},), ({"rooms": 1, "room_id": 1},)], ids=repr
)
async def test_event_with_other_arguments_is_refused(
    house: House, conversation: Conversation, arguments: tuple[Any, ...]
) -> None:
    client = await house.mallory.connect()
    for event in COMMANDS:
        answer = await client.call(event, *arguments)
        assert (answer["ok"], answer["error"]["code"]) == (False, "invalid_request"), event
    await client.close()


async def test_event_that_does_not_exist_is_refused(house: House, conversation: Conversation) -> None:
    client = await house.mallory.connect()
    for event in ("message.destroy", "", "x" * 100_000, "__proto__"):
        answer = await client.call(event, {})
        assert (answer["ok"], answer["error"]["code"]) == (False, "unknown_event")
    await client.close()


async def test_frame_over_the_limit_closes_its_connection_alone(house: House, conversation: Conversation) -> None:
    client = await house.mallory.connect()
    client.emit("message.send", {"room_id": house.corner, "client_id": str(uuid4()), "text": "x" * 1_000_001})
    await client.wait_closed()
    await conversation.progress()


async def test_poll_over_the_limit_is_refused(house: House, conversation: Conversation) -> None:
    """413 as the reference server answers it, before the body is read."""
    url = f"{house.server.url}/socket.io/?EIO=4&transport=polling"
    async with httpx.AsyncClient(timeout=DEADLINE) as client:
        sid = json.loads((await client.get(url)).text[1:])["sid"]
        answer = await client.post(f"{url}&sid={sid}", content=b"4" + b"x" * 1_000_001)
    assert (answer.status_code, answer.json()["message"]) == (413, "Payload too large")


@pytest.mark.parametrize("packet", ["4", "49", "42", "42{}", "42[", '42["a"', "45", "4" + "5" * 100, "9", "42[5]"])
async def test_packet_that_is_none_closes_its_connection_alone(
    house: House, conversation: Conversation, packet: str
) -> None:
    """With a close that is the client's fault (or none), never an internal error."""
    client = await house.mallory.connect()
    client._send(packet)
    if packet == "42[5]":
        assert (await client.call("sync", {"rooms": {}}))["ok"]
        await client.close()
    else:
        await client.wait_closed()
    await conversation.progress()


async def test_unknown_ids_are_not_found(house: House, conversation: Conversation) -> None:
    room, unknown = f"/api/rooms/{house.corner}", str(uuid4())
    asked = {
        f"{room}/messages/{unknown}": "message_not_found",
        f"/api/rooms/{unknown}": "room_not_found",
        f"/api/rooms/{unknown}/messages": "room_not_found",
        "/api/rooms/%00": "room_not_found",
        f"/api/search?q=a&room_id={unknown}": "room_not_found",
        "/api/nothing": "not_found",
    }
    for path, expected in asked.items():
        answer = await http(house, "GET", path)
        assert (answer.status_code, code(answer)) == (404, expected), path
    for path, expected in {
        f"/api/auth/sessions/{unknown}": "session_not_found",
        f"{room}/members/{unknown}": "member_not_found",
    }.items():
        answer = await http(house, "DELETE", path)
        assert (answer.status_code, code(answer)) == (404, expected), path
    added = await http(house, "POST", f"{room}/members", json={"user_id": unknown})
    assert (added.status_code, code(added)) == (404, "unknown_user")


async def test_replayed_client_id_with_another_text_answers_the_first_event(
    house: House, conversation: Conversation
) -> None:
    """Whichever way it comes; the log holds the first text alone and nobody hears the second."""
    command = {"room_id": house.corner, "client_id": str(uuid4()), "text": "first"}
    client = await house.mallory.connect()
    first = await client.call("message.send", command)
    over_socket = await client.call("message.send", command | {"text": "second"})
    body = {"client_id": command["client_id"], "text": "third"}
    over_http = await http(house, "POST", f"/api/rooms/{house.corner}/messages", json=body)
    assert over_socket == first
    assert over_http.status_code == 200
    assert (over_http.json()["id"], over_http.json()["seq"]) == (first["id"], first["seq"])
    assert over_http.json()["message"]["text"] == "first"
    last = await client.call("message.send", command | {"client_id": str(uuid4()), "text": "last"})
    assert last["seq"] == first["seq"] + 1
    await client.wait_for("event", lambda event: event["seq"] == last["seq"])
    texts = [event.data["data"]["text"] for event in client.named("event")]
    assert texts == ["first", "last"]
    await client.close()


async def test_broken_frame_closes_its_connection_with_a_protocol_error(
    house: House, conversation: Conversation
) -> None:
    socket = await RawWebSocket.connect(f"ws://127.0.0.1:{house.server.port}/socket.io/?EIO=4&transport=websocket")
    socket.send_frame(TEXT, b"40", rsv=7)
    assert (await socket.wait_closed()).code == 1002
    await conversation.progress()
