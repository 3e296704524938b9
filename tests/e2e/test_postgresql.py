"""`parlour serve` with accounts, rooms and calls on a PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ..postgresql_server import PostgresqlServer
from .conftest import MakeServer
from .parlour_server import ParlourServer, parlour, wait_until
from .test_conversation import bearer, register, talk


@pytest.fixture
def own(tmp_path: Path) -> Iterator[PostgresqlServer]:
    """A server that a test may end."""
    server = PostgresqlServer(tmp_path / "postgresql")
    yield server
    server.stop()


async def test_two_people_talk_and_are_known_after_a_restart(
    make_server: MakeServer, postgresql: PostgresqlServer
) -> None:
    server = make_server(database_url=postgresql.create())
    await talk(server.start())
    assert not (server.data_dir / "parlour.db").exists()
    assert server.terminate() == 0
    server.start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        grant = (await http.post("/api/auth/login", json={"login": "ben", "password": "kettle ben 42"})).json()
        rooms = (await http.get("/api/rooms", headers=bearer(grant))).json()
    assert [room["name"] for room in rooms["rooms"]] == ["lunch"]


def test_a_second_server_on_the_database_is_refused(make_server: MakeServer, postgresql: PostgresqlServer) -> None:
    url = postgresql.create()
    make_server("first", database_url=url).start()
    second = parlour("serve", "--port", "0", data_dir=str(make_server("second").data_dir), database_url=url)
    assert second.returncode == 2
    assert "another Parlour serves postgresql://" in second.stderr.splitlines()[-1]


def test_copies_are_made_by_postgresqls_own_tools(tmp_path: Path, postgresql: PostgresqlServer) -> None:
    settings = {"database_url": postgresql.create(), "data_dir": str(tmp_path / "data")}
    for command in (["backup", str(tmp_path / "copy")], ["restore", str(tmp_path / "copy")]):
        refused = parlour("admin", *command, **settings)
        assert refused.returncode == 2
        assert "pg_dump" in refused.stderr


async def test_while_the_database_is_down_sockets_go_on_and_requests_are_told_to_wait(
    make_server: MakeServer, own: PostgresqlServer
) -> None:
    server = make_server(database_url=own.create()).start()
    async with httpx.AsyncClient(base_url=server.url) as http:
        ann = await register(http, "ann")
        room = (await http.post("/api/rooms", json={"name": "lunch", "kind": "public"}, headers=bearer(ann))).json()
        path = f"/api/rooms/{room['id']}/messages"
        before = {"client_id": "9b2f1c64-5e0b-4f6a-8a5e-2d1b7c3e4f50", "text": "Soup today?"}
        assert (await http.post(path, json=before, headers=bearer(ann))).status_code == 201
        own.stop()
        answer = await http.post("/api/rooms", json={"name": "tea", "kind": "public"}, headers=bearer(ann))
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "database_unavailable")
        assert answer.json()["error"]["retry_after"] == 1
        # Who is a member is known, and the log is elsewhere: messages go on.
        meanwhile = {"client_id": "9b2f1c64-5e0b-4f6a-8a5e-2d1b7c3e4f51", "text": "Tea then?"}
        assert (await http.post(path, json=meanwhile, headers=bearer(ann))).status_code == 201
        health = (await http.get("/health")).json()
        assert health["dependencies"]["database"] != "ok"
        own.start()
        wait_until(lambda: created(server, ann), "rooms are made again", pause=0.1)


def created(server: ParlourServer, grant: dict[str, object]) -> bool:
    room = {"name": "tea", "kind": "public"}
    return httpx.post(f"{server.url}/api/rooms", json=room, headers=bearer(grant)).status_code == 201
