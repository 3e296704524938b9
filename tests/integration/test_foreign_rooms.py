"""Other people's private rooms: no route and no event says that they exist, tells of them, or changes them."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from .socketio_client import DEADLINE, Client
from .whole_server import Person, WholeServer, whole_server


class Houses(NamedTuple):
    """A server, a private room with a message in it, and somebody who is not in it but knows every id."""

    server: WholeServer
    ann: Person
    bob: Person
    secret: str
    message_id: str
    eve: Person


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Houses]:
    with whole_server(tmp_path_factory.mktemp("foreign")) as server:
        ann, bob, eve = (server.person(name) for name in ("ann", "bob", "eve"))
        secret = ann.room(members=(bob,))
        yield Houses(server, ann, bob, secret, ann.send(secret, "the hidden treasure")["id"], eve)


def state(houses: Houses) -> Any:
    """Everything that ann sees of her room."""
    paths = ("", "/messages", "/members", "/pins")
    return [houses.ann.request("GET", f"/api/rooms/{houses.secret}{path}").json() for path in paths]


def operations(server: WholeServer) -> list[tuple[str, str]]:
    """Every operation on a room that the server documents."""
    paths = httpx.get(f"{server.url}/schema/openapi.json").json()["paths"]
    return [
        (method.upper(), path)
        for path, item in paths.items()
        if path.startswith("/api/rooms/{room_id}")
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    ]


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", ""): {"name": "mine now"},
    ("POST", "/messages"): {"client_id": str(uuid4()), "text": "let me in"},
    ("PATCH", "/messages/{message_id}"): {"text": "changed"},
    ("PATCH", "/members/{user_id}"): {"role": "guest"},
    ("PUT", "/read"): {"seq": 1},
    ("PUT", "/draft"): {"text": "a draft"},
    ("PUT", "/notifications"): {"level": "none"},
}


def test_every_route_answers_as_if_the_room_did_not_exist(houses: Houses) -> None:
    """Word for word the same as for a room that does not, and nothing has changed."""
    before, asked = state(houses), operations(houses.server)
    assert len(asked) >= 20
    for method, path in asked:
        answers = []
        for room_id in (houses.secret, str(uuid4())):
            target = path.format(
                room_id=room_id, message_id=houses.message_id, user_id=houses.bob.id, emoji="%F0%9F%91%8D"
            )
            own = path.removeprefix("/api/rooms/{room_id}")
            body = BODIES.get((method, own), {"user_id": houses.eve.id} if own == "/members" else None)
            options: dict[str, Any] = {} if body is None or method == "GET" else {"json": body}
            answer = houses.eve.request(method, target, **options)
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "room_not_found"), (method, path)
            answers.append(answer.content)
        assert answers[0] == answers[1]
    assert state(houses) == before


def test_search_finds_nothing_in_it(houses: Houses) -> None:
    deadline = time.monotonic() + DEADLINE  # the index is written a moment after the log
    while not houses.ann.request("GET", "/api/search?q=treasure").json()["hits"]:
        assert time.monotonic() < deadline
    assert houses.eve.request("GET", "/api/search?q=treasure").json()["hits"] == []
    named = houses.eve.request("GET", f"/api/search?q=treasure&room_id={houses.secret}")
    assert (named.status_code, named.json()["error"]["code"]) == (404, "room_not_found")


def test_lists_do_not_name_it(houses: Houses) -> None:
    for path in ("/api/rooms", "/api/rooms/public", "/api/drafts"):
        assert houses.secret not in houses.eve.request("GET", path).text


def test_message_of_another_room_is_not_reached_through_ones_own(houses: Houses) -> None:
    """The id of a foreign message, in the caller's own room."""
    before, own = state(houses), houses.eve.room()
    message = f"/api/rooms/{own}/messages/{houses.message_id}"
    reply = {"client_id": str(uuid4()), "text": "a reply", "reply_to": houses.message_id}
    answers = [
        houses.eve.request("GET", message),
        houses.eve.request("PATCH", message, json={"text": "changed"}),
        houses.eve.request("DELETE", message),
        houses.eve.request("PUT", f"{message}/pin"),
        houses.eve.request("PUT", f"{message}/reactions/%F0%9F%91%8D"),
        houses.eve.request("POST", f"/api/rooms/{own}/messages", json=reply),
    ]
    assert {(answer.status_code, answer.json()["error"]["code"]) for answer in answers} == {(404, "message_not_found")}
    assert state(houses) == before


async def test_every_event_answers_as_if_the_room_did_not_exist(houses: Houses) -> None:
    before = state(houses)
    client, insider = await houses.eve.connect(), await houses.bob.connect()
    command = {"room_id": houses.secret, "client_id": str(uuid4()), "id": houses.message_id}
    events: dict[str, dict[str, Any]] = {
        "message.send": {"text": "let me in"},
        "message.edit": {"text": "changed"},
        "message.delete": {},
        "message.pin": {},
        "message.unpin": {},
        "reaction.add": {"emoji": "👍"},
        "reaction.remove": {"emoji": "👍"},
        "read": {"seq": 1},
        "typing": {"on": True},
    }
    for event, fields in events.items():
        foreign = await client.call(event, command | fields)
        unknown = await client.call(event, command | fields | {"room_id": str(uuid4())})
        assert foreign["error"]["code"] == "room_not_found", event
        assert foreign == unknown
    assert await same_sync(client, houses.secret)
    assert await asyncio.to_thread(state, houses) == before
    await heard_nothing(client, insider, houses)


async def same_sync(client: Client, room_id: str) -> bool:
    """Whether `sync` says of a foreign room what it says of one that does not exist."""
    unknown = str(uuid4())
    answer = await client.call("sync", {"rooms": {room_id: 0, unknown: 0}})
    said = answer["rooms"] if answer["ok"] else {}
    return bool(said.get(room_id) == said.get(unknown)) and "treasure" not in str(answer)


async def heard_nothing(client: Client, insider: Client, houses: Houses) -> None:
    """The insider hears of none of it, and the outsider nothing of what is said inside."""
    sent = await asyncio.to_thread(houses.ann.send, houses.secret, "are we alone?")
    await insider.wait_for("event", lambda event: event["seq"] == sent["seq"])
    assert len(insider.named("event")) == 1
    assert insider.named("typing") == insider.named("read") == []
    assert (await client.call("sync", {"rooms": {}}))["ok"]
    assert client.named("event") == []
    await client.close()
    await insider.close()


def test_who_was_removed_is_a_stranger_from_then_on(houses: Houses) -> None:
    room = houses.ann.room(members=(houses.eve,))
    houses.ann.send(room, "welcome")
    assert houses.eve.head(room) > 0
    removed = houses.ann.request("DELETE", f"/api/rooms/{room}/members/{houses.eve.id}")
    assert removed.status_code == 204
    answer = houses.eve.request("GET", f"/api/rooms/{room}/messages")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "room_not_found")
