"""Nodes that know different versions of the room log do not write it side by side: who cannot, does not start."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer
from pymongo import MongoClient

from parlour.chat.adapters.mongodb_log import VERSION
from parlour.platform.kafka import KafkaAdmin
from parlour.platform.kafka_address import KafkaAddress

from ..kafka_server import KafkaServer
from ..mongodb_server import MongodbServer
from ..postgresql_server import PostgresqlServer
from ..redis_server import RedisServer
from .conftest import MakeServer
from .parlour_server import ParlourServer, wait_until

pytestmark = pytest.mark.timeout(600)  # the first test starts four engines


class Cluster:
    """The engines of one installation, whose room log is of some version."""

    def __init__(self, make_server: MakeServer, engines: dict[str, str]) -> None:
        self._make_server = make_server
        self._engines = engines
        self.address = KafkaAddress.parse(engines["broker_url"])
        self._meta: Any = MongoClient(engines["messages_url"])
        self.meta = self._meta.get_default_database()["meta"]

    def close(self) -> None:
        self._meta.close()

    @property
    def version(self) -> int:
        return int(self.meta.find_one({"_id": "schema"})["version"])

    def stamp(self, version: int) -> None:
        self.meta.update_one({"_id": "schema"}, {"$set": {"version": version, "epoch": "e"}}, upsert=True)

    def node(self, name: str) -> ParlourServer:
        return self._make_server(name, node_id=name, **self._engines)

    def members(self) -> list[str]:
        return asyncio.run(KafkaAdmin(self.address).members("workers"))

    @contextmanager
    def worker(self, client_id: str) -> Iterator[None]:
        """Have a worker at work that tells this client id: of an older Parlour, its consumer is all that can be seen."""
        asyncio.run(KafkaAdmin(self.address).make_topics())
        consumer = Consumer(self.address.options(client_id=client_id, group_id=self.address.prefix + "workers"))
        consumer.subscribe([self.address.commands])
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                consumer.poll(0.1)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            wait_until(lambda: self.members() == [client_id], "the worker in its group")
            yield
        finally:
            stop.set()
            thread.join()
            consumer.close()


@pytest.fixture
def cluster(
    make_server: MakeServer,
    postgresql: PostgresqlServer,
    mongodb: MongodbServer,
    kafka: KafkaServer,
    redis: RedisServer,
) -> Iterator[Cluster]:
    cluster = Cluster(
        make_server,
        {
            "database_url": postgresql.create(),
            "messages_url": mongodb.create(),
            "broker_url": kafka.create(),
            "bus_url": redis.create(),
        },
    )
    yield cluster
    cluster.close()


def ended(node: ParlourServer) -> int:
    process = node.begin()
    wait_until(lambda: process.poll() is not None, "the end of a node that cannot start", node.output)
    status = process.poll()
    assert status is not None
    return status


@pytest.mark.parametrize("client_id", ["parlour", f"parlour-log-{VERSION - 1}", "parlour-log-"])
def test_the_log_stays_as_it_is_while_a_worker_of_an_older_version_is_there(cluster: Cluster, client_id: str) -> None:
    cluster.stamp(VERSION - 1)
    node = cluster.node("new")
    with cluster.worker(client_id):
        assert ended(node) == 2
        assert "1 workers of an older one are at work: end them all" in node.output()
        assert cluster.version == VERSION - 1
    wait_until(lambda: not cluster.members(), "an empty group")
    node.start()
    assert cluster.version == VERSION
    wait_until(lambda: cluster.members() == [f"parlour-log-{VERSION}"], "the new worker in its group")
    with_it = cluster.node("other")
    cluster.stamp(VERSION - 1)  # a worker of this version is in nobody's way
    with_it.start()
    assert cluster.version == VERSION


def test_who_knows_an_older_version_than_the_log_has_does_not_start(cluster: Cluster) -> None:
    cluster.stamp(VERSION + 1)
    node = cluster.node("old")
    assert ended(node) == 2
    assert f"the room log has version {VERSION + 1}; this program knows {VERSION}: upgrade it" in node.output()
    assert cluster.version == VERSION + 1


def test_workers_of_any_version_are_at_work_beside_a_log_of_this_one(cluster: Cluster) -> None:
    cluster.stamp(VERSION)
    with cluster.worker("parlour"):
        cluster.node("new").start()
