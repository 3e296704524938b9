"""`parlour admin` for a cluster: the configuration of NGINX, dead letters, shards, the index of search."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest
from confluent_kafka import Producer

from parlour.chat.adapters.kafka.messages import Command, encode
from parlour.chat.model import EventType, NewEvent
from parlour.nginx import Gateway, Node, configuration
from parlour.platform.ids import ClientId, RoomId, UserId
from parlour.platform.kafka_address import KafkaAddress
from scripts.stack.postgresql import psql

from ..kafka_server import KafkaServer
from ..mongodb_server import MongodbServer
from ..postgresql_server import PostgresqlServer
from ..redis_server import RedisServer
from .conftest import MakeServer
from .parlour_server import DEADLINE, ROOT, ParlourServer, parlour, wait_until
from .test_conversation import bearer, hits, register

pytestmark = pytest.mark.timeout(600)  # the first test may start four engines

FACTS: dict[str, Any] = {
    "server_names": ["chat.example.org"],
    "certificate": "/etc/certificate.pem",
    "certificate_key": "/etc/key.pem",
    "chat": [
        {"node_id": "a1", "host": "10.0.0.11", "port": 8000},
        {"node_id": "a2", "host": "10.0.0.12", "port": 8000},
    ],
}


class TestNginx:
    def test_the_configuration_is_printed(self, tmp_path: Path) -> None:
        file = tmp_path / "gateway.json"
        file.write_text(json.dumps(FACTS))
        done = parlour("admin", "nginx", "--config", str(file))
        assert done.returncode == 0, done.stderr
        gateway = Gateway(
            server_names=("chat.example.org",),
            certificate="/etc/certificate.pem",
            certificate_key="/etc/key.pem",
            chat=(Node("a1", "10.0.0.11", 8000), Node("a2", "10.0.0.12", 8000)),
        )
        assert done.stdout == configuration(gateway)

    @pytest.mark.parametrize("page", ["cluster.md", "nginx.md"])
    def test_the_example_of_the_documentation_is_one(self, tmp_path: Path, page: str) -> None:
        file = tmp_path / "gateway.json"
        file.write_text((ROOT / "docs" / "operations" / page).read_text().split("```json\n")[1].partition("```")[0])
        done = parlour("admin", "nginx", "--config", str(file))
        assert done.returncode == 0, done.stderr
        assert "server 10.0.0.11:8000" in done.stdout

    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            (FACTS | {"status": "0.0.0.0:8089"}, "status: '0.0.0.0:8089' is not an address of loopback"),
            (FACTS | {"chat": [{"node_id": "A", "host": "10.0.0.11", "port": 8000}]}, "node_id: 'A' is not"),
            (FACTS | {"serverNames": []}, "unknown field `serverNames`"),
            ({"chat": []}, "missing required field `server_names`"),
            (FACTS | {"limits": {"connections": "many"}}, "$.limits.connections"),
        ],
        ids=["value", "node", "unknown", "missing", "type"],
    )
    def test_what_does_not_fit_is_named_in_a_line(self, tmp_path: Path, facts: dict[str, Any], reason: str) -> None:
        file = tmp_path / "gateway.json"
        file.write_text(json.dumps(facts))
        refused = parlour("admin", "nginx", "--config", str(file))
        assert (refused.returncode, refused.stdout) == (2, "")
        (line,) = refused.stderr.splitlines()
        assert line.startswith(f"parlour: {file}: ")
        assert reason in line

    @pytest.mark.parametrize(
        "content", [None, b"{", b'{"server_names": ["\xff"]}'], ids=["none", "no JSON", "no UTF-8"]
    )
    def test_a_file_that_is_none_is_told(self, tmp_path: Path, content: bytes | None) -> None:
        file = tmp_path / "gateway.json"
        if content is not None:
            file.write_bytes(content)
        refused = parlour("admin", "nginx", "--config", str(file))
        assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
        assert str(file) in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["dead-letters", "list"], "PARLOUR_BROKER_URL"),
        (["dead-letters", "replay"], "PARLOUR_BROKER_URL"),
        (["shard"], "PARLOUR_MESSAGES_URL"),
        (["reindex"], "makes itself"),
    ],
    ids=" ".join,
)
def test_what_only_a_cluster_has_is_refused_on_one_machine(tmp_path: Path, arguments: list[str], reason: str) -> None:
    refused = parlour("admin", *arguments, data_dir=str(tmp_path / "data"))
    assert (refused.returncode, refused.stdout, len(refused.stderr.splitlines())) == (2, "", 1)
    assert reason in refused.stderr


class Cluster:
    """The engines' settings, and a node on them, not started."""

    def __init__(self, make_server: MakeServer, settings: dict[str, str]) -> None:
        self.settings = settings
        self.node: ParlourServer = make_server("one", node_id="one", **settings)

    def admin(self, *arguments: str) -> str:
        done = parlour("admin", *arguments, data_dir=str(self.node.data_dir), **self.settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *arguments: str) -> str:
        done = parlour("admin", *arguments, data_dir=str(self.node.data_dir), **self.settings)
        assert done.returncode == 2, done.stdout
        (line,) = done.stderr.splitlines()
        return line


@pytest.fixture
def cluster(
    make_server: MakeServer,
    postgresql: PostgresqlServer,
    mongodb: MongodbServer,
    kafka: KafkaServer,
    redis: RedisServer,
) -> Cluster:
    return Cluster(
        make_server,
        {
            "database_url": postgresql.create(),
            "messages_url": mongodb.create(),
            "broker_url": kafka.create(),
            "bus_url": redis.create(),
        },
    )


async def test_dead_letters_are_listed_and_given_to_the_workers_again(cluster: Cluster) -> None:
    node = cluster.node.start()
    address = KafkaAddress.parse(cluster.settings["broker_url"])
    assert cluster.admin("dead-letters", "list") == ""
    async with httpx.AsyncClient(base_url=node.url, timeout=DEADLINE) as http:
        ann = await register(http, "ann")
        made = await http.post("/api/rooms", json={"name": "lunch", "kind": "public"}, headers=bearer(ann))
        room, user = made.raise_for_status().json()["id"], ann["user"]["id"]
        event = NewEvent(
            RoomId(room), EventType.MESSAGE_CREATED, UserId(user), ClientId(str(uuid.uuid4())), {"text": "at last"}
        )
        producer = Producer(address.options())
        producer.produce(address.commands, b"\xff not ours", b"key")
        why = [("why", b"a reason\nof two lines")]
        producer.produce(address.dead, encode(Command("one", 1, event)), room.encode(), headers=why)
        assert producer.flush(30) == 0
        wait_until(lambda: len(cluster.admin("dead-letters", "list").splitlines()) == 3, "both are listed", pause=0.5)
        head, *letters = (re.split(r" {2,}", line) for line in cluster.admin("dead-letters", "list").splitlines())
        assert head == ["PLACE", "TIME", "ROOM", "TYPE", "SENDER", "WHY"]
        (ours,) = [letter for letter in letters if letter[2] != "-"]
        (foreign,) = [letter for letter in letters if letter[2] == "-"]
        assert ours[2:] == [room, "message.created", user, "a reason of two lines"]
        assert re.fullmatch(r"\d+:\d+", ours[0])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", ours[1])
        assert foreign[3] == "no command"
        replayed = cluster.admin("dead-letters", "replay").splitlines()
        assert (len(replayed), replayed[-1]) == (3, "1 replayed")
        assert cluster.admin("dead-letters", "list") == ""

        def texts() -> list[str]:
            answer = httpx.get(f"{node.url}/api/rooms/{room}/messages", headers=bearer(ann), timeout=DEADLINE)
            return [message["text"] for message in answer.raise_for_status().json()["messages"]]

        wait_until(lambda: texts() == ["at last"], "the command is done")


def test_the_commands_of_sharding_are_printed_and_a_server_that_has_no_shards_says_so(cluster: Cluster) -> None:
    lines = cluster.admin("shard").splitlines()
    commands = [json.loads(line.removeprefix("db.adminCommand(").removesuffix(")")) for line in lines]
    name = cluster.settings["messages_url"].rpartition("/")[2].partition("?")[0]
    assert commands[0] == {"enableSharding": name}
    assert {"shardCollection": f"{name}.events", "key": {"room_id": 1, "seq": 1}, "unique": True} in commands
    refused = parlour("admin", "shard", "--apply", **cluster.settings)
    assert refused.returncode == 2
    assert "PARLOUR_MESSAGES_URL: this is no mongos" in refused.stderr.splitlines()[-1]


async def test_the_index_of_search_is_made_anew(cluster: Cluster) -> None:
    node = cluster.node.start()
    rooms = []
    async with httpx.AsyncClient(base_url=node.url, timeout=DEADLINE) as http:
        ann = await register(http, "ann")
        for name in ("lunch", "dinner"):
            made = await http.post("/api/rooms", json={"name": name, "kind": "public"}, headers=bearer(ann))
            rooms.append(made.raise_for_status().json()["id"])
            said = {"client_id": str(uuid.uuid4()), "text": "pepper"}
            (await http.post(f"/api/rooms/{rooms[-1]}/messages", json=said, headers=bearer(ann))).raise_for_status()
    wait_until(lambda: len(hits(node, ann, "pepper")) == 2, "both are indexed", pause=0.2)
    port, name = cluster.settings["database_url"].rpartition(":")[2].split("/")
    psql(int(port), "DELETE FROM search_messages", name)
    assert hits(node, ann, "pepper") == []
    assert cluster.admin("reindex", rooms[1]) == "1 rooms\n"
    assert [hit["message"]["room_id"] for hit in hits(node, ann, "pepper")] == [rooms[1]]
    assert cluster.admin("reindex") == "2 rooms\n"
    assert len(hits(node, ann, "pepper")) == 2
    nowhere = str(uuid.uuid4())
    assert cluster.refused("reindex", rooms[0], nowhere) == f"parlour: there is no room {nowhere}"


async def test_tables_of_another_version_are_not_touched_under_nodes(cluster: Cluster) -> None:
    assert parlour(
        "admin", "create-user", "ann", "ann@example.org", stdin="kettle and spoon 42", **cluster.settings
    ).stdout.endswith("ann owner\n")
    cluster.node.start()
    port, name = cluster.settings["database_url"].rpartition(":")[2].split("/")
    psql(int(port), "UPDATE alembic_version_auth SET version_num = '0000'", name)
    line = cluster.refused("sessions", "ann")
    assert line.startswith("parlour: nodes serve these data")
    assert "of another version than this program" in line
    assert psql(int(port), "SELECT version_num FROM alembic_version_auth", name).strip() == "0000"
