"""Several `parlour serve` on the servers of a cluster are one Parlour."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import make_url

from ..faults.relays import Relays
from ..integration.socketio_client import Client
from ..ports import free_port
from ..postgresql_server import PostgresqlServer
from .conftest import MakeServer
from .parlour_server import DEADLINE, PORTS, ParlourServer
from .test_conversation import bearer, register

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines


@pytest.fixture
def nodes(make_node: MakeServer) -> list[ParlourServer]:
    """Two nodes on one set of engines, not started."""
    return [make_node(name) for name in ("one", "two")]


class Person:
    """Somebody with an account, and a socket on one of the nodes."""

    def __init__(self, http: httpx.AsyncClient, grant: dict[str, Any], socket: Client) -> None:
        self.http = http
        self.id = grant["user"]["id"]
        self.headers = bearer(grant)
        self.socket = socket

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.http.post(path, json=body, headers=self.headers)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def send(self, room_id: str, text: str) -> dict[str, Any]:
        """Send until it is acknowledged."""
        command = {"room_id": room_id, "client_id": str(uuid.uuid4()), "text": text}
        async with asyncio.timeout(DEADLINE):
            while True:
                answer = (await self.socket.start("message.send", command))[0]
                if answer["ok"]:
                    return dict(answer)
                assert answer["error"]["retry_after"], answer
                await asyncio.sleep(0.2)

    async def hears(self, *texts: str) -> list[int]:
        """Wait until these texts were heard, exactly these and in this order; return their seqs."""

        def heard() -> list[Any]:
            events = [event.data for event in self.socket.named("event")]
            return [event for event in events if event["type"] == "message.created"]

        async with asyncio.timeout(DEADLINE):
            while len(heard()) < len(texts):  # noqa: ASYNC110 - the socket tells nobody
                await asyncio.sleep(0.02)
        assert [event["data"]["text"] for event in heard()] == list(texts)
        return [event["seq"] for event in heard()]


@asynccontextmanager
async def person(node: ParlourServer, name: str) -> AsyncIterator[Person]:
    async with httpx.AsyncClient(base_url=node.url, timeout=DEADLINE) as http:
        grant = await register(http, name)
        socket = await Client.connect(node.url, {"token": grant["access_token"]})
        await socket.wait_for("ready")
        yield Person(http, grant, socket)
        socket.abort()


async def test_people_on_two_nodes_are_in_one_room(nodes: list[ParlourServer]) -> None:
    one, two = (node.start() for node in nodes)
    async with person(one, "ann") as ann, person(two, "ben") as ben:
        room = await ann.post("/api/rooms", name="lunch", kind="private")
        await ann.post(f"/api/rooms/{room['id']}/members", user_id=ben.id)
        added = await ben.socket.wait_for("room.added")
        assert added["room"]["id"] == room["id"]
        for number in range(10):
            await (ann, ben)[number % 2].send(room["id"], str(number))
        texts = [str(number) for number in range(10)]
        seqs = await ann.hears(*texts)
        assert seqs == await ben.hears(*texts) == list(range(seqs[0], seqs[0] + 10))
        for person_of in (ann, ben):  # whichever node works the room's commands
            told = await person_of.http.get("/metrics")
            assert _sample(told.text, "parlour_delivery_seconds_count") >= 10
            assert _sample(told.text, "parlour_delivery_seconds_sum") < DEADLINE
        page = await two_pages(ben, room["id"])
        assert [message["text"] for message in page] == texts
        hits = await found(ben, "7")
        assert [hit["message"]["text"] for hit in hits] == ["7"]

        removed = await ann.http.delete(f"/api/rooms/{room['id']}/members/{ben.id}", headers=ann.headers)
        assert removed.status_code == httpx.codes.NO_CONTENT
        await ben.socket.wait_for("room.removed")
        await ann.send(room["id"], "secret")
        await ann.hears(*texts, "secret")
        await ben.hears(*texts)
        refused = (await ben.socket.start("sync", {"rooms": {room["id"]: 0}}))[0]
        assert refused["rooms"][room["id"]]["error"]["code"] == "room_not_found"


async def test_what_is_said_right_after_a_removal_is_not_heard_on_another_node(nodes: list[ParlourServer]) -> None:
    one, two = (node.start() for node in nodes)
    async with person(one, "ann") as ann, person(two, "ben") as ben, person(two, "cat") as cat:
        room = await ann.post("/api/rooms", name="lunch", kind="private")
        for each in (ben, cat):
            await ann.post(f"/api/rooms/{room['id']}/members", user_id=each.id)
            await each.socket.wait_for("room.added")
        await ann.send(room["id"], "before")
        await ben.hears("before")
        removed = await ann.http.delete(f"/api/rooms/{room['id']}/members/{ben.id}", headers=ann.headers)
        assert removed.status_code == httpx.codes.NO_CONTENT
        await ann.send(room["id"], "secret")
        await cat.hears("before", "secret")
        await ben.socket.wait_for("room.removed")
        refused = (await ben.socket.start("sync", {"rooms": {room["id"]: 0}}))[0]
        assert refused["rooms"][room["id"]]["error"]["code"] == "room_not_found"
        await ben.hears("before")


async def test_who_is_removed_hears_nothing_more_on_a_node_that_is_parted_from_postgresql(
    make_node: MakeServer, postgresql: PostgresqlServer
) -> None:
    with contextlib.ExitStack() as stack:
        relays = Relays(stack, lambda: free_port(PORTS))
        url = make_url(postgresql.create())
        way = url.set(port=relays.make("two", "postgresql", postgresql.port))
        one = make_node("one", database_url=url.render_as_string()).start()
        two = make_node("two", database_url=way.render_as_string()).start()
        async with person(one, "ann") as ann, person(two, "ben") as ben, person(two, "cat") as cat:
            room = await ann.post("/api/rooms", name="lunch", kind="private")
            for each in (ben, cat):
                await ann.post(f"/api/rooms/{room['id']}/members", user_id=each.id)
                await each.socket.wait_for("room.added")
            join = relays.part("two", "postgresql")
            removed = await ann.http.delete(f"/api/rooms/{room['id']}/members/{ben.id}", headers=ann.headers)
            assert removed.status_code == httpx.codes.NO_CONTENT
            await ann.send(room["id"], "secret")
            await cat.hears("secret")
            await ben.hears()
            join()
            await ben.socket.wait_for("room.removed")
            refused = (await ben.socket.start("sync", {"rooms": {room["id"]: 0}}))[0]
            assert refused["rooms"][room["id"]]["error"]["code"] == "room_not_found"
            await ben.hears()


def _sample(metrics: str, name: str) -> float:
    return next(float(line.split()[1]) for line in metrics.splitlines() if line.startswith(f"{name} "))


async def two_pages(person: Person, room_id: str) -> list[dict[str, Any]]:
    answer = await person.http.get(f"/api/rooms/{room_id}/messages", headers=person.headers)
    return list(reversed(answer.raise_for_status().json()["messages"]))


async def found(person: Person, words: str) -> list[dict[str, Any]]:
    """Search until the index has caught up."""
    async with asyncio.timeout(DEADLINE):
        while True:
            answer = await person.http.get("/api/search", params={"q": words}, headers=person.headers)
            hits = answer.raise_for_status().json()["hits"]
            if hits:
                return list(hits)
            await asyncio.sleep(0.1)


async def test_a_node_that_is_killed_leaves_its_rooms_to_the_other(nodes: list[ParlourServer]) -> None:
    one, two = (node.start() for node in nodes)
    async with person(one, "ann") as ann, person(two, "ben") as ben:
        room = await ann.post("/api/rooms", name="lunch", kind="public")
        await ben.post(f"/api/rooms/{room['id']}/join")
        await ann.send(room["id"], "before")
        await ben.hears("before")
        one.kill()
        await ben.send(room["id"], "alone")
        await ben.hears("before", "alone")
        one.start()
        again = await Client.connect(one.url, {"token": ann.headers["Authorization"].removeprefix("Bearer ")})
        ready = await again.wait_for("ready")
        assert [each["head"] for each in ready["rooms"]] == [(await two_pages(ben, room["id"]))[-1]["seq"]]
        again.abort()


async def test_a_session_that_ends_on_one_node_ends_on_the_other(nodes: list[ParlourServer]) -> None:
    one, two = (node.start() for node in nodes)
    async with person(one, "ann") as ann:
        token = {"token": ann.headers["Authorization"].removeprefix("Bearer ")}
        elsewhere = await Client.connect(two.url, token)
        await elsewhere.wait_for("ready")
        await ann.post("/api/auth/logout")
        await elsewhere.wait_closed()
        assert elsewhere.named("session.revoked")
        async with httpx.AsyncClient(base_url=two.url) as http:
            assert (await http.get("/api/rooms", headers=ann.headers)).status_code == httpx.codes.UNAUTHORIZED
