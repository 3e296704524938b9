"""A partition that is taken from a worker while it reads: nothing of it is worked past what was left behind, or committed."""

import asyncio
import json
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, TopicPartition

from parlour.chat.adapters.kafka import consuming
from parlour.chat.adapters.kafka.messages import command_of, encode
from parlour.chat.model import Appended, EventType, NewEvent, RoomEvent
from parlour.platform.ids import ClientId, EventId, RoomId, UserId, uuid4, uuid7
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.metrics import COMMAND_LAG

TOPIC = "test.room-commands"


class FakeMessage:
    def __init__(self, partition: int, offset: int) -> None:
        text = f"{partition}.{offset}"
        event = NewEvent(RoomId(uuid4()), EventType.MESSAGE_CREATED, UserId(uuid7()), ClientId(uuid4()), {"text": text})
        self._place, self._value = (partition, offset), encode(command_of("n", offset, event))

    def error(self) -> None:
        return None

    def partition(self) -> int:
        return self._place[0]

    def offset(self) -> int:
        return self._place[1]

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes:
        return b""


class FakeConsumer:
    """Kafka's consumer, of which each `consume` does the next step that the test gives; a step may take partitions away."""

    def __init__(self) -> None:
        self.steps: queue.Queue[Callable[[], list[FakeMessage]]] = queue.Queue()
        self.commits: list[dict[int, int]] = []
        self.seeks: list[tuple[int, int]] = []
        self.owned = {0, 1}
        self.committed_at = OFFSET_INVALID

    def subscribe(self, _topics: Sequence[str], on_revoke: Callable[[Any, list[TopicPartition]], None]) -> None:
        self._on_revoke = on_revoke

    def revoke(self, partition: int) -> None:
        self._on_revoke(self, [TopicPartition(TOPIC, partition)])

    def consume(self, _number: int, _timeout: float) -> list[FakeMessage]:
        try:
            return self.steps.get(timeout=0.01)()
        except queue.Empty:
            return []

    def assignment(self) -> list[TopicPartition]:
        return [TopicPartition(TOPIC, partition) for partition in self.owned]

    def committed(self, places: Sequence[TopicPartition], timeout: float) -> list[TopicPartition]:
        return [TopicPartition(TOPIC, place.partition, self.committed_at) for place in places]

    def commit(self, offsets: Sequence[TopicPartition], asynchronous: bool) -> None:
        self.commits.append({place.partition: place.offset for place in offsets})

    def seek(self, place: TopicPartition) -> None:
        self.seeks.append((place.partition, place.offset))

    def close(self) -> None:
        pass


class QuietTelling:
    """Kafka has at once what it is told."""

    def __init__(self, _address: KafkaAddress) -> None:
        pass

    def outcome(self, *_: object) -> None:
        pass

    bury = outcome

    def poll(self) -> None:
        pass

    flush = poll


class QuietAnswers:
    def send(self, node_id: str, payload: bytes) -> None:
        pass

    def listen(self, handler: object, lost: object) -> Callable[[], None]:
        return lambda: None


class Worker:
    """Works what comes once it is let."""

    def __init__(self) -> None:
        self.worked: list[str] = []
        self.begun = threading.Event()
        self.let = asyncio.Event()

    async def __call__(self, batch: Sequence[NewEvent]) -> list[Appended]:
        self.begun.set()
        await self.let.wait()
        self.worked += [each.data["text"] for each in batch]
        return [
            Appended(RoomEvent(e.room_id, 1, EventId(uuid7()), e.type, e.sender_id, e.client_id, 0, e.data))
            for e in batch
        ]


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kafka, self.worker = FakeConsumer(), Worker()
        monkeypatch.setattr(consuming, "Consumer", lambda *_, **__: self.kafka)
        monkeypatch.setattr(consuming, "Telling", QuietTelling)
        address = KafkaAddress.parse("kafka://nowhere:1/test")
        self._consuming = consuming.Consuming(
            address, QuietAnswers(), client_id="parlour", largest=10, session_timeout=6.0
        )
        self.running = asyncio.create_task(self._consuming.run(self.worker))
        self._loop = asyncio.get_running_loop()

    def gives(self, *places: tuple[int, int]) -> None:
        """The next read gives these messages, and no more."""
        messages = [FakeMessage(*place) for place in places]
        self.kafka.steps.put(lambda: messages)
        self.kafka.steps.put(list)

    def gives_and_loses(
        self, first: tuple[int, int], partition: int, *later: tuple[int, int], back: bool = False
    ) -> None:
        """The next read gives a message, then the partition is taken away, and perhaps comes back with later messages."""
        self.kafka.steps.put(lambda: [FakeMessage(*first)])

        def lose() -> list[FakeMessage]:
            if not back:
                self.kafka.owned.discard(partition)
            asyncio.run_coroutine_threadsafe(self._let_once_left(partition), self._loop)
            self.kafka.revoke(partition)
            return [FakeMessage(*place) for place in later]

        self.kafka.steps.put(lose)

    async def _let_once_left(self, partition: int) -> None:
        """Let the batch under way end when what was held of the partition is left: before that it would rightly be worked."""
        await self.until(lambda: partition not in {each.partition() for each in self._consuming._waiting})
        self.worker.let.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - a thread tells nobody
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        await self.until(self.kafka.steps.empty)
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


async def test_what_was_read_as_the_partition_went_is_left_to_its_next_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    scene.gives((0, 0), (1, 0))
    await scene.until(scene.worker.begun.is_set)
    scene.gives((0, 1), (0, 2), (1, 1))
    scene.gives_and_loses((0, 3), 0)
    scene.gives((1, 2))
    await scene.until(lambda: "1.2" in scene.worker.worked)
    await scene.stop()
    assert scene.worker.worked == ["0.0", "1.0", "1.1", "1.2"]
    assert [commit[0] for commit in scene.kafka.commits if 0 in commit] == [1]
    assert scene.kafka.commits[-1] == {1: 3}
    assert scene.kafka.seeks == []


@pytest.mark.parametrize(("committed", "again"), [(1, 1), (OFFSET_INVALID, OFFSET_BEGINNING)])
async def test_a_partition_that_comes_back_at_once_is_read_from_where_it_was_committed(
    monkeypatch: pytest.MonkeyPatch, committed: int, again: int
) -> None:
    scene = Scene(monkeypatch)
    scene.kafka.committed_at = committed
    scene.gives((0, 0))
    await scene.until(scene.worker.begun.is_set)
    scene.gives((0, 1), (0, 2))
    scene.gives_and_loses((0, 3), 0, (0, 1), back=True)
    await scene.until(lambda: bool(scene.kafka.seeks))
    scene.gives((0, 1), (0, 2), (0, 3))
    await scene.until(lambda: "0.3" in scene.worker.worked)
    await scene.stop()
    assert scene.worker.worked == ["0.0", "0.1", "0.2", "0.3"]
    assert scene.kafka.seeks == [(0, again)]
    assert scene.kafka.commits[-1] == {0: 4}


async def test_the_lag_of_a_partition_is_told_by_its_owner_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch)
    COMMAND_LAG.clear()
    consuming._measure(statistics({"0": "active", "1": "active", "2": "none"}))
    assert lags() == {"0": 7.0, "1": 7.0}
    scene.gives((0, 0))
    await scene.until(scene.worker.begun.is_set)
    scene.gives_and_loses((1, 0), 0)
    await scene.stop()
    assert lags() == {"1": 7.0}
    consuming._measure(statistics({"0": "active"}))  # it was on its way when the partition went
    consuming._measure(statistics({"0": "stopped", "1": "stopped", "-1": "none"}))
    assert lags() == {}


def statistics(states: dict[str, str]) -> str:
    """What librdkafka tells of partitions with 7 commands each to come."""
    partitions = {partition: {"fetch_state": state, "consumer_lag": 7} for partition, state in states.items()}
    return json.dumps({"topics": {TOPIC: {"partitions": partitions}}})


def lags() -> dict[str, float]:
    (lag,) = COMMAND_LAG.collect()
    return {sample.labels["partition"]: sample.value for sample in lag.samples}
