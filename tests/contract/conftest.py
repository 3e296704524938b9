"""The engines that the contract suites run against: embedded ones, and real servers of this test run's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from parlour.chat.adapters.kafka import KafkaBroker
from parlour.chat.adapters.memory import MemoryBroker
from parlour.chat.ports import Broker
from parlour.platform.kafka import KafkaAdmin
from parlour.platform.sql import Database, migrate, open_database

from ..kafka_server import KafkaServer
from ..postgresql_server import PostgresqlServer
from .brokers import Make, MemoryAnswers


@pytest.fixture(scope="session")
def templates() -> set[str]:
    """The databases that are copied for tests: each has the tables of one service."""
    return set()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, service: str, tmp_path: Path, templates: set[str]
) -> AsyncIterator[Database]:
    """An empty database with the tables of the module's `service`."""
    if request.param == "sqlite":
        database = open_database(f"sqlite:///{tmp_path}/parlour.db")
        await migrate(database, service)
        yield database
        await database.close()
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    template = service.replace(".", "_")
    if template not in templates:
        first = open_database(server.create(template))
        await migrate(first, service)
        await first.close()
        templates.add(template)
    url = server.create(template=template)
    database = open_database(url)
    yield database
    await database.close()
    server.drop(url)


@pytest.fixture(params=["memory", "kafka"])
async def make(request: pytest.FixtureRequest) -> AsyncIterator[Make]:
    """Makes brokers that are ready to be used."""
    made: list[KafkaBroker] = []

    async def memory(**options: int) -> Broker:
        return MemoryBroker(**options)

    async def kafka(**options: int) -> Broker:
        server: KafkaServer = request.getfixturevalue("kafka")
        address = server.address()
        await KafkaAdmin(address).make_topics()
        broker = KafkaBroker(address, MemoryAnswers(), node_id="here", patience=60, **options)
        broker.start()
        made.append(broker)
        return broker

    yield memory if request.param == "memory" else kafka
    for broker in made:
        await broker.close()
