"""A Kafka of a test run's own, with topics of its own for each test that asks."""

import dataclasses
import signal
from itertools import count
from pathlib import Path

from parlour.platform.kafka_address import KafkaAddress
from scripts.stack.engine import Engine
from scripts.stack.kafka import kafka

from .ports import ENGINES, free_port


class KafkaServer:
    """Started when it is made; its data go with the test run."""

    def __init__(self, folder: Path) -> None:
        port = free_port(ENGINES)
        controller_port = free_port(range(port + 1, port + 20))
        engine = kafka(port=port, controller_port=controller_port, root=folder)
        self._engine: Engine = dataclasses.replace(engine, stop_signal=signal.SIGKILL)
        self._numbers = count()
        self._engine.start()

    @property
    def pid(self) -> int:
        """The id of its process."""
        pid = self._engine.pid()
        assert pid is not None
        return pid

    def start(self) -> None:
        """Start it again."""
        self._engine.start()

    def stop(self) -> None:
        """End it as a crash does."""
        self._engine.stop()

    def create(self, *, partitions: int = 2) -> str:
        """The URL of an installation's own topics, not made yet."""
        return f"{self._engine.url}/test-{next(self._numbers)}?partitions={partitions}"

    def address(self, *, partitions: int = 2) -> KafkaAddress:
        """The same, read."""
        return KafkaAddress.parse(self.create(partitions=partitions))
