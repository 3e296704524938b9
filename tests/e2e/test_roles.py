"""Services apart: each role a process of its own, which needs no other's engines and outlives the others."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ..integration.socketio_client import Client
from ..kafka_server import KafkaServer
from ..mongodb_server import MongodbServer
from ..ports import free_port
from ..postgresql_server import PostgresqlServer
from ..redis_server import RedisServer
from .conftest import MakeServer
from .parlour_server import DEADLINE, PORTS, ParlourServer, wait_until
from .test_cluster import Person, found
from .test_cluster_calls import OFFER, done, hears, logged, talking, terms
from .test_conversation import bearer, register

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines

SECRET = "a secret of everybody in this cluster"
NEEDS = {
    "auth": ("database_url", "bus_url"),
    "chat": ("database_url", "bus_url", "broker_url", "messages_url"),
    "video": ("database_url", "bus_url", "broker_url"),
    "worker": ("bus_url", "broker_url", "messages_url", "search_url"),
}


class Parlour:
    """One process of each role, each told of those engines alone that it needs."""

    def __init__(self, make_server: MakeServer, engines: dict[str, str]) -> None:
        self._make_server = make_server
        self._engines = engines | {"search_url": engines["database_url"]}
        self._taken: set[int] = set()
        self._places = {role: self._port() for role in NEEDS}
        self.of = {role: self.another(role, role, port) for role, port in self._places.items()}

    def _port(self) -> int:
        """Give each port once: nobody listens on them yet."""
        while (port := free_port(PORTS)) in self._taken:
            pass
        self._taken.add(port)
        return port

    def another(self, role: str, name: str, port: int | None = None) -> ParlourServer:
        """Make one more of a role, or of several with commas between, not started."""
        port = port or self._port()
        needs = {each for part in role.split(",") for each in NEEDS[part]}
        engines = {each: url for each, url in self._engines.items() if each in needs}
        engines["broker_url"] = self._engines["broker_url"]  # which tells a process that it is one of several
        urls = {f"{other}_url": f"http://127.0.0.1:{self._places[other]}" for other in ("auth", "chat")}
        return self._make_server(name, port=port, node_id=name, roles=role, service_secret=SECRET, **urls, **engines)

    async def start(self, *roles: str) -> None:
        for role in roles or ("auth", "worker", "chat", "video"):
            await asyncio.to_thread(self.of[role].start)

    @asynccontextmanager
    async def person(self, name: str) -> AsyncIterator[Person]:
        async with httpx.AsyncClient(base_url=self.of["auth"].url, timeout=DEADLINE) as http:
            grant = await register(http, name)
        async with self.signed_in(grant) as someone:
            yield someone

    @asynccontextmanager
    async def signed_in(self, grant: dict[str, Any]) -> AsyncIterator[Person]:
        chat = self.of["chat"].url
        async with httpx.AsyncClient(base_url=chat, timeout=DEADLINE) as http:
            socket = await Client.connect(chat, {"token": grant["access_token"]})
            await socket.wait_for("ready")
            yield Person(http, grant, socket)
            socket.abort()


@pytest.fixture
def parlour(
    make_server: MakeServer,
    postgresql: PostgresqlServer,
    mongodb: MongodbServer,
    kafka: KafkaServer,
    redis: RedisServer,
) -> Parlour:
    engines = {
        "database_url": postgresql.create(),
        "messages_url": mongodb.create(),
        "broker_url": kafka.create(),
        "bus_url": redis.create(),
    }
    return Parlour(make_server, engines)


async def ask(server: ParlourServer, path: str, method: str = "GET", **options: Any) -> httpx.Response:
    """Ask one process."""
    async with httpx.AsyncClient(base_url=server.url, timeout=DEADLINE) as http:
        return await http.request(method, path, **options)


async def is_so(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until an awaited condition holds."""
    deadline = time.monotonic() + DEADLINE
    while not await condition():
        if time.monotonic() > deadline:
            pytest.fail(f"{what}: not within {DEADLINE:.0f} s")
        await asyncio.sleep(0.05)


async def test_people_talk_search_and_call_through_a_process_of_each_role(parlour: Parlour) -> None:
    await parlour.start()
    async with parlour.person("ann") as ann, parlour.person("ben") as ben:
        room = await ann.post("/api/rooms", name="lunch", kind="private", members=[ben.id])
        await hears(ben, "room.added")
        sent = await ann.send(room["id"], "soup, @ben?")
        await ann.hears("soup, @ben?")
        assert await ben.hears("soup, @ben?") == [sent["seq"]]
        assert [hit["message"]["text"] for hit in await found(ben, "soup")] == ["soup, @ben?"]
        members = (await ben.http.get(f"/api/rooms/{room['id']}/members", headers=ben.headers)).raise_for_status()
        assert {each["user"]["username"] for each in members.json()["members"]} == {"ann", "ben"}

        call_id, (first, second) = await talking(ann, ben, room["id"])
        await done(ann, "call.signal", call_id=call_id, to=second, description=OFFER)
        assert (await hears(ben, "call.signal"))["from"] == first
        for each in (ann, ben):
            answer = await ask(parlour.of["video"], f"/api/rooms/{room['id']}/call", headers=each.headers)
            assert answer.raise_for_status().json()["call"]["id"] == call_id
        removed = await ann.http.delete(f"/api/rooms/{room['id']}/members/{ben.id}", headers=ann.headers)
        assert removed.status_code == httpx.codes.NO_CONTENT
        assert (await hears(ann, "call.participant.left"))["reason"] == "removed"
        await done(ann, "call.leave", call_id=call_id)
        assert [kind for kind, _ in await logged(ann, room["id"])] == ["call.started", "call.ended"]
    assert [terms(parlour.of[role]) for role in ("auth", "chat", "video", "worker")] == [0, 0, 1, 0]


async def test_each_process_serves_what_its_role_is_and_nothing_else(parlour: Parlour) -> None:
    await parlour.start()
    async with httpx.AsyncClient(base_url=parlour.of["auth"].url, timeout=DEADLINE) as http:
        grant = await register(http, "ann")
    serves = {
        "/api/auth/me": {"auth"},
        "/.well-known/jwks.json": {"auth"},
        "/api/rooms": {"chat"},
        "/socket.io/?EIO=4&transport=polling": {"chat"},
        "/api/calls": {"video"},
        "/metrics": {"auth", "chat", "video", "worker"},
        "/health/ready": {"auth", "chat", "video", "worker"},
    }
    for path, expected in serves.items():
        answers = {role: await ask(server, path, headers=bearer(grant)) for role, server in parlour.of.items()}
        assert {role for role, answer in answers.items() if answer.status_code == httpx.codes.OK} == expected, path
        others = {answer.status_code for role, answer in answers.items() if role not in expected}
        assert others <= {httpx.codes.NOT_FOUND}, path
    depends = {role: set((await ask(server, "/health")).json()["dependencies"]) for role, server in parlour.of.items()}
    assert depends == {
        "auth": {"database", "bus"},
        "chat": {"database", "bus", "broker", "messages", "search", "auth"},
        "video": {"database", "bus", "broker", "auth", "chat"},
        "worker": {"bus", "broker", "messages", "search"},
    }


async def test_no_socket_is_let_in_where_nobody_would_ask_who_it_is(parlour: Parlour) -> None:
    await parlour.start("auth", "worker", "chat", "video")
    for role in ("auth", "video", "worker"):
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        answer = await ask(parlour.of[role], "/socket.io/?EIO=4&transport=websocket", headers=upgrade)
        assert answer.status_code == httpx.codes.NOT_FOUND, role


async def test_without_the_auth_service_who_is_in_stays_in(parlour: Parlour) -> None:
    await parlour.start()
    auth, chat = parlour.of["auth"], parlour.of["chat"]
    async with parlour.person("ann") as ann, parlour.person("ben") as ben:
        room = await ann.post("/api/rooms", name="lunch", kind="private", members=[ben.id])
        await hears(ben, "room.added")
        await asyncio.to_thread(auth.kill)
        await ann.send(room["id"], "one")
        await ann.send(room["id"], "two, @whoever?")
        await ann.send(room["id"], "three")
        await ben.hears("one", "two, @whoever?", "three")
        token = {"token": ben.headers["Authorization"].removeprefix("Bearer ")}
        again = await Client.connect(chat.url, token)
        ready = await again.wait_for("ready")
        assert [each["id"] for each in ready["rooms"]] == [room["id"]]
        again.abort()
        assert (await ask(chat, "/health/ready")).status_code == httpx.codes.OK

        async def auth_is(status: str) -> bool:
            return bool((await ask(chat, "/health")).json()["dependencies"]["auth"]["status"] == status)

        await is_so(lambda: auth_is("down"), "chat tells that auth is away")
        await asyncio.to_thread(auth.start)
        await is_so(lambda: auth_is("ok"), "auth is back for chat")
    async with parlour.person("cleo") as cleo:
        await cleo.post("/api/rooms", name="dinner", kind="public")


async def test_without_chat_accounts_go_on_and_a_call_is_still_there_when_it_comes_back(parlour: Parlour) -> None:
    await parlour.start()
    auth, chat = parlour.of["auth"], parlour.of["chat"]
    async with httpx.AsyncClient(base_url=auth.url, timeout=DEADLINE) as http:
        grants = [await register(http, name) for name in ("ann", "ben")]
        async with parlour.signed_in(grants[0]) as ann, parlour.signed_in(grants[1]) as ben:
            room = await ann.post("/api/rooms", name="lunch", kind="private", members=[ben.id])
            await hears(ben, "room.added")
            call_id, (first, _) = await talking(ann, ben, room["id"])
            await asyncio.to_thread(chat.kill)
            assert (await http.get("/api/auth/me", headers=ann.headers)).status_code == httpx.codes.OK
            await register(http, "cleo")
            await asyncio.to_thread(chat.start)
            async with parlour.signed_in(grants[0]) as again:
                back = await done(again, "call.join", call_id=call_id, participant_id=first)
                assert back["participant_id"] == first


async def test_a_worker_that_dies_leaves_its_rooms_to_another(parlour: Parlour) -> None:
    await parlour.start()
    other = parlour.another("worker", "worker-2")
    await asyncio.to_thread(other.start)
    async with parlour.person("ann") as ann:
        rooms = [await ann.post("/api/rooms", name=str(number), kind="public") for number in range(8)]
        for room in rooms:
            await ann.send(room["id"], "before")
        await asyncio.to_thread(parlour.of["worker"].kill)
        for room in rooms:
            await ann.send(room["id"], "after")
        for room in rooms:
            answer = (await ann.socket.start("sync", {"rooms": {room["id"]: 0}}))[0]["rooms"][room["id"]]
            assert [event["seq"] for event in answer["events"]] == list(range(1, answer["head"] + 1))
            texts = [event["data"]["text"] for event in answer["events"] if event["type"] == "message.created"]
            assert texts == ["before", "after"]


async def test_who_works_commands_does_not_wait_for_the_auth_service(parlour: Parlour) -> None:
    await parlour.start("auth", "worker", "chat")
    auth, worker = parlour.of["auth"], parlour.of["worker"]
    async with parlour.person("ann") as ann:
        room = await ann.post("/api/rooms", name="lunch", kind="private")
        await ann.send(room["id"], "one")
        await asyncio.to_thread(auth.kill)
        await asyncio.to_thread(worker.terminate)
        both = parlour.another("chat,worker", "both")
        both.begin()
        await ann.send(room["id"], "two")
        assert not both.is_ready()
        await asyncio.to_thread(auth.start)
        await asyncio.to_thread(wait_until, both.is_ready, "the other chat is ready", both.output)


async def test_a_process_that_waits_for_the_auth_service_ends_when_it_is_asked_to(parlour: Parlour) -> None:
    chat = parlour.of["chat"]
    chat.begin()
    waits = "waiting for the auth service"
    await asyncio.to_thread(wait_until, lambda: waits in chat.output(), "it waits", chat.output)
    assert await asyncio.to_thread(chat.terminate) == 0
    assert "Traceback" not in chat.output()


async def test_a_session_that_ends_is_refused_by_every_service(parlour: Parlour) -> None:
    await parlour.start()
    async with parlour.person("ann") as ann:
        places = ((parlour.of["chat"], "/api/rooms"), (parlour.of["video"], "/api/calls"))
        for server, path in places:
            assert (await ask(server, path, headers=ann.headers)).status_code == httpx.codes.OK
        logout = await ask(parlour.of["auth"], "/api/auth/logout", "POST", headers=ann.headers)
        assert logout.status_code == httpx.codes.NO_CONTENT
        await ann.socket.wait_closed()
        assert ann.socket.named("session.revoked")
        for server, path in places:

            async def is_out(server: ParlourServer = server, path: str = path) -> bool:
                answer = await ask(server, path, headers=ann.headers)
                return answer.status_code == httpx.codes.UNAUTHORIZED

            await is_so(is_out, path)


async def test_a_session_that_ends_while_redis_hangs_is_refused_by_every_service(
    parlour: Parlour, redis: RedisServer
) -> None:
    await parlour.start()
    async with parlour.person("ann") as ann, parlour.person("ben") as ben:
        places = ((parlour.of["chat"], "/api/rooms"), (parlour.of["video"], "/api/calls"))

        async def status(person: Person, server: ParlourServer, path: str) -> int:
            return (await ask(server, path, headers=person.headers)).status_code

        for server, path in places:
            assert await status(ann, server, path) == httpx.codes.OK
        with redis.frozen():
            logout = await ask(parlour.of["auth"], "/api/auth/logout", "POST", headers=ann.headers)
            assert logout.status_code == httpx.codes.NO_CONTENT
            await ann.socket.wait_closed()
            assert [each.args[0]["reason"] for each in ann.socket.named("session.revoked")] == ["logout"]
            for server, path in places:

                async def is_out(server: ParlourServer = server, path: str = path) -> bool:
                    return await status(ann, server, path) == httpx.codes.UNAUTHORIZED

                await is_so(is_out, path)
                assert await status(ben, server, path) == httpx.codes.OK
        for server, path in places:
            assert await status(ann, server, path) == httpx.codes.UNAUTHORIZED


async def test_a_new_name_is_seen_by_chat_at_once(parlour: Parlour) -> None:
    await parlour.start()
    async with parlour.person("ann") as ann:
        room = await ann.post("/api/rooms", name="lunch", kind="private")

        async def names() -> list[str]:
            answer = await ann.http.get(f"/api/rooms/{room['id']}/members", headers=ann.headers)
            return [each["user"]["display_name"] for each in answer.raise_for_status().json()["members"]]

        assert await names() == ["ann"]
        new = {"display_name": "Ann of Arc"}
        changed = await ask(parlour.of["auth"], "/api/auth/me", "PATCH", json=new, headers=ann.headers)
        assert changed.status_code == httpx.codes.OK, changed.text

        async def is_new() -> bool:
            return await names() == ["Ann of Arc"]

        await is_so(is_new, "the new name")


async def test_what_services_ask_each_other_is_for_nobody_else(parlour: Parlour) -> None:
    await parlour.start("auth", "worker", "chat")
    async with httpx.AsyncClient(base_url=parlour.of["auth"].url, timeout=DEADLINE) as http:
        grant = await register(http, "ann")
        for headers in ({}, bearer(grant), {"Authorization": "Bearer " + SECRET[:-1]}):
            answer = await http.post("/internal/auth/profiles", json={"ids": [grant["user"]["id"]]}, headers=headers)
            assert answer.status_code in {httpx.codes.NOT_FOUND, httpx.codes.UNAUTHORIZED}, headers
            assert "ann" not in answer.text
