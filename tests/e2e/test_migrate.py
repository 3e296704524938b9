"""`parlour admin migrate`: from one machine to the engines of a cluster and back, all as it was."""

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from parlour.app import is_file
from parlour.app.migrating import TABLES, Store, compare
from parlour.config import ConfigurationError
from scripts.stack.postgresql import psql

from ..integration.socketio_client import Client
from ..kafka_server import KafkaServer
from ..mongodb_server import MongodbServer
from ..postgresql_server import PostgresqlServer
from ..redis_server import RedisServer
from .conftest import MakeServer
from .parlour_server import DEADLINE, ParlourServer, parlour, wait_until
from .test_conversation import bearer, hits, register

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines


async def a_past(server: ParlourServer) -> tuple[dict[str, Any], str]:
    """A server on which something of everything has happened, not running; who was there, and a room."""
    server.seed(1_100, 550)  # more than go at once, of whatever is copied
    server.start()
    async with httpx.AsyncClient(base_url=server.url, timeout=DEADLINE) as http:
        ann, ben = [await register(http, name) for name in ("ann", "ben")]

        async def post(who: dict[str, Any], path: str, **body: Any) -> Any:
            answer = await http.post(path, json=body, headers=bearer(who))
            answer.raise_for_status()
            return answer.json() if answer.content else None

        room = (await post(ann, "/api/rooms", name="lunch", kind="public"))["id"]
        await post(ben, f"/api/rooms/{room}/join")
        await post(ann, "/api/rooms", kind="direct", members=[ben["user"]["id"]])
        await http.post("/api/auth/login", json={"login": "ann", "password": "not this one"})  # a failure is a row
        socket = await Client.connect(server.url, {"token": ann["access_token"]})
        await socket.wait_for("ready")

        async def does(name: str, **data: Any) -> dict[str, Any]:
            answer = dict((await socket.start(name, {"room_id": room, "client_id": str(uuid.uuid4()), **data}))[0])
            assert answer["ok"], answer
            return answer

        first = await does("message.send", text="pepper @ben")
        second = await does("message.send", text="secret")
        for number in range(20):
            await does("message.send", text=f"number {number}", reply_to=first["id"])
        await does("message.edit", id=first["id"], text="salt and pepper @ben")
        await does("message.delete", id=second["id"])
        await does("reaction.add", id=first["id"], emoji="👍")
        socket.abort()
    assert server.terminate() == 0
    return ann, room


async def the_same(one: tuple[str, str], other: tuple[str, str]) -> dict[str, int]:
    """Compare two places by the program's own means; return the numbers of rows and events."""
    found: dict[str, int] = {}
    async with Store.open(*one) as first, Store.open(*other) as second:
        await compare(first, second, lambda copied: found.update({copied.what: copied.number}))
    return found


def dump(file: Path, tables: list[str]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of a SQLite file's tables, by its own means."""
    with closing(sqlite3.connect(file)) as connection:
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in tables}


async def test_from_one_machine_to_a_cluster_and_back(
    make_server: MakeServer,
    tmp_path: Path,
    postgresql: PostgresqlServer,
    mongodb: MongodbServer,
    kafka: KafkaServer,
    redis: RedisServer,
) -> None:
    server = make_server("first")
    ann, room = await a_past(server)
    cluster = {"database_url": postgresql.create(), "messages_url": mongodb.create()}
    to = ["--to-database-url", cluster["database_url"], "--to-messages-url", cluster["messages_url"]]
    done = server.admin("migrate", *to)
    assert done.returncode == 0, done.stderr
    *parts, last = done.stdout.splitlines()
    assert last == "all of it is the same there; now parlour admin reindex"
    assert [line.split()[0] for line in parts] == [*(table.name for table in TABLES), "events"]
    first = (f"sqlite:///{server.data_dir}/parlour.db", f"sqlite:///{server.data_dir}/messages.db")
    numbers = await the_same(first, (cluster["database_url"], cluster["messages_url"]))
    assert {line.split()[0]: int(line.split()[1]) for line in parts} == numbers
    assert (numbers["users"], numbers["rooms"], numbers["room_members"]) == (1_102, 4, 1_104)
    assert min(numbers[name] for name in ("sessions", "login_failures", "signing_keys", "refresh_tokens")) > 0
    assert numbers["events"] > 1_100 + 26

    back = tmp_path / "back"
    engines = cluster | {"broker_url": kafka.create(), "bus_url": redis.create()}
    to = ["--to-database-url", f"sqlite:///{back}/parlour.db", "--to-messages-url", f"sqlite:///{back}/messages.db"]
    done = parlour("admin", "migrate", *to, data_dir=str(tmp_path / "node"), **engines)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "all of it is the same there"
    tables = [table.name for table in TABLES]
    assert dump(back / "parlour.db", tables) == dump(server.data_dir / "parlour.db", tables)
    again = make_server("back").start()
    assert texts(again, ann, room) == ["salt and pepper @ben", "", *(f"number {number}" for number in range(20))]
    wait_until(lambda: len(hits(again, ann, "salt")) == 1, "the index has made itself", pause=0.2)

    node = make_server("node", node_id="one", **engines).start()
    assert texts(node, ann, room) == texts(again, ann, room)
    assert parlour("admin", "reindex", **engines).stdout == "4 rooms\n"
    assert len(hits(node, ann, "salt")) == 1
    async with httpx.AsyncClient(base_url=node.url, timeout=DEADLINE) as http:  # what numbers itself goes on
        assert (await http.post("/api/rooms", json={"name": "x", "kind": "public"}, headers=bearer(ann))).is_success
    to = ["--to-database-url", f"sqlite:///{back}/a.db", "--to-messages-url", f"sqlite:///{back}/b.db"]
    served = parlour("admin", "migrate", *to, data_dir=str(tmp_path / "node"), **engines)
    assert (served.returncode, served.stdout) == (2, "")
    assert "nodes serve these data" in served.stderr


def texts(server: ParlourServer, who: dict[str, Any], room: str) -> list[str]:
    answer = httpx.get(f"{server.url}/api/rooms/{room}/messages", headers=bearer(who), timeout=DEADLINE)
    return [message["text"] for message in reversed(answer.raise_for_status().json()["messages"])]


def test_numbers_go_on_behind_those_that_were_copied(server: ParlourServer, postgresql: PostgresqlServer) -> None:
    """The outbox is the one table whose rows are numbered by the engine."""
    server.seed(2, 2)
    with closing(sqlite3.connect(server.data_dir / "parlour.db")) as connection, connection:
        row = (7, str(uuid.uuid4()), str(uuid.uuid4()), "member.left", str(uuid.uuid4()), "{}", True)
        connection.execute("INSERT INTO room_outbox VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    url = postgresql.create()
    log = server.data_dir / "copy.db"
    done = server.admin("migrate", "--to-database-url", url, "--to-messages-url", f"sqlite:///{log}")
    assert done.returncode == 0, done.stderr
    port, name = url.rpartition(":")[2].split("/")
    assert psql(int(port), "SELECT nextval(pg_get_serial_sequence('room_outbox', 'position'))", name).strip() == "8"


def test_what_is_not_empty_or_served_is_refused(make_server: MakeServer, tmp_path: Path) -> None:
    server, other = make_server("first"), make_server("other")
    server.seed(2, 2)
    other.seed(2, 2)
    database, log = f"sqlite:///{tmp_path}/new.db", f"sqlite:///{tmp_path}/new-log.db"
    theirs = [f"sqlite:///{other.data_dir}/{name}.db" for name in ("parlour", "messages")]

    def refused(to_database: str, to_log: str) -> str:
        done = server.admin("migrate", "--to-database-url", to_database, "--to-messages-url", to_log)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        return line

    assert "--to-database-url: the table signing_keys is not empty" in refused(theirs[0], log)
    assert "--to-messages-url: the room log is not empty" in refused(database, theirs[1])
    assert "--to-database-url: that is where the data are" in refused(
        f"sqlite:///{server.data_dir.absolute()}/parlour.db", log
    )
    assert "--to-messages-url: use sqlite:// or mongodb://" in refused(database, "kafka://127.0.0.1:1")
    assert "--to-database-url: it names no database of a server" in refused("postgresql://127.0.0.1", log)
    assert "--to-messages-url: it names no file" in refused(database, "sqlite:///")
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file" in refused(f"sqlite:///{tmp_path}/file/a.db", log)
    other.start()
    assert f"another Parlour serves {other.data_dir}/parlour.db" in refused(theirs[0], log)
    server.start()
    assert f"another Parlour serves {server.data_dir}" in refused(database, log)


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        ("a", "UPDATE users SET display_name = 'Somebody' WHERE id = (SELECT min(id) FROM users)", "the table users"),
        ("a", "DELETE FROM room_members WHERE user_id = (SELECT min(id) FROM users)", "the table room_members"),
        ("b", "UPDATE events SET at = at + 1 WHERE pk = 1", "the room"),
        ("b", "DELETE FROM events WHERE pk = (SELECT max(pk) FROM events)", "the room"),
        ("b", "INSERT INTO rooms (id) VALUES (x'0b0e4f5a6c7d4e8f9a0b1c2d3e4f5a6b')", "there are 2 rooms of 1"),
    ],
    ids=["a value", "a row", "a time", "an event", "a room"],
)
async def test_what_is_not_the_same_is_noticed(server: ParlourServer, file: str, change: str, told: str) -> None:
    server.seed(3, 3)
    there = tuple(f"sqlite:///{server.data_dir}/{name}.db" for name in ("a", "b"))
    here = tuple(f"sqlite:///{server.data_dir}/{name}.db" for name in ("parlour", "messages"))
    done = server.admin("migrate", "--to-database-url", there[0], "--to-messages-url", there[1])
    assert done.returncode == 0, done.stderr
    await the_same((here[0], here[1]), (there[0], there[1]))
    with closing(sqlite3.connect(server.data_dir / f"{file}.db")) as connection, connection:
        connection.execute(change)
    with pytest.raises(ConfigurationError, match=told):
        await the_same((here[0], here[1]), (there[0], there[1]))


def test_where_there_is_nothing_nothing_is_moved(tmp_path: Path) -> None:
    to = ["--to-database-url", f"sqlite:///{tmp_path}/a.db", "--to-messages-url", f"sqlite:///{tmp_path}/b.db"]
    done = parlour("admin", "migrate", *to, data_dir=str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    assert f"there is no {tmp_path}/nowhere/parlour.db" in done.stderr
    assert not (tmp_path / "a.db").exists()


def test_a_url_of_several_servers_is_no_file() -> None:
    assert not is_file("mongodb://a:27017,b:27017/parlour?replicaSet=rs0")
    assert is_file("sqlite:///parlour.db")
