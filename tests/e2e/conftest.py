"""Servers and scripts of the end-to-end tests, ended with the test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..kafka_server import KafkaServer
from ..mongodb_server import MongodbServer
from ..postgresql_server import PostgresqlServer
from ..redis_server import RedisServer
from .parlour_server import NodeScript, ParlourServer

MakeServer = Callable[..., ParlourServer]
RunScript = Callable[..., NodeScript]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Make a server, not started; its settings as keywords."""
    made: list[ParlourServer] = []

    def make(name: str = "data", **settings: str) -> ParlourServer:
        server = ParlourServer(tmp_path, data_dir=tmp_path / name, **settings)
        made.append(server)
        return server

    yield make
    for server in made:
        server.close()


@pytest.fixture
def make_node(
    make_server: MakeServer,
    postgresql: PostgresqlServer,
    mongodb: MongodbServer,
    kafka: KafkaServer,
    redis: RedisServer,
) -> MakeServer:
    """Make a node of one cluster, not started: its name, and settings as keywords."""
    engines = {
        "database_url": postgresql.create(),
        "messages_url": mongodb.create(),
        "broker_url": kafka.create(),
        "bus_url": redis.create(),
    }
    return lambda name, **settings: make_server(name, node_id=name, **(engines | settings))


@pytest.fixture
def server(make_server: MakeServer) -> ParlourServer:
    """One server, not started."""
    return make_server()


@pytest.fixture
def run_script(tmp_path: Path) -> Iterator[RunScript]:
    """Start a script of tests/node/ with its variables as keywords."""
    started: list[NodeScript] = []

    def run(script: str, **variables: str) -> NodeScript:
        started.append(NodeScript(script, tmp_path / f"{len(started)}-{script}.jsonl", **variables))
        return started[-1]

    yield run
    for script in started:
        script.close()
