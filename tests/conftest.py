"""What holds for all tests: whoever speaks TLS names its authority, so httpx need not read those of the world for each client."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .kafka_server import KafkaServer
from .mongodb_server import MongodbServer, ferretdb_server, secantus_server
from .postgresql_server import PostgresqlServer
from .redis_server import RedisServer

os.environ["SSL_CERT_DIR"] = str(Path(__file__).parent)  # holds none; reading them takes 20 to 40 ms of a core
os.environ.pop("SSL_CERT_FILE", None)  # which counts before the folder


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """A PostgreSQL server for the tests of a session."""
    server = PostgresqlServer(tmp_path_factory.mktemp("postgresql"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A Kafka for the tests of a session."""
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server for the tests of a session."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MongodbServer]:
    """A server that speaks MongoDB's protocol for the tests of a session."""
    server = secantus_server(tmp_path_factory.mktemp("mongodb"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def ferretdb(tmp_path_factory: pytest.TempPathFactory, postgresql: PostgresqlServer) -> Iterator[MongodbServer]:
    """Another one, which keeps its documents in PostgreSQL."""
    server = ferretdb_server(tmp_path_factory.mktemp("ferretdb"), postgresql)
    yield server
    server.stop()
