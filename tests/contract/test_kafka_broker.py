"""What the broker on Kafka keeps beside the contract: nothing is lost or overtaken while the log, Kafka, a worker or an answer is away."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource

from parlour.chat.adapters.kafka import DeadLetters, KafkaBroker, RoomEvents
from parlour.chat.adapters.kafka.consuming import Work
from parlour.chat.adapters.kafka.messages import command_of, encode
from parlour.chat.adapters.kafka.telling import Telling, Told
from parlour.chat.adapters.sqlite_log import SqliteRoomLog
from parlour.chat.model import Appended, NewEvent, RoomEvent
from parlour.platform.clock import SystemClock
from parlour.platform.errors import BrokerUnavailable, Internal, ParlourError, Unavailable
from parlour.platform.kafka import KafkaAdmin
from parlour.platform.kafka_address import KafkaAddress

from ..kafka_server import KafkaServer
from .brokers import Log, MemoryAnswers, answer, start, stop
from .room_logs import a_room, saying


class DeafAnswers(MemoryAnswers):
    """Answers that are lost while it is deaf."""

    deaf = False

    def send(self, node_id: str, payload: bytes) -> None:
        if not self.deaf:
            super().send(node_id, payload)


@pytest.fixture
async def address(kafka: KafkaServer) -> KafkaAddress:
    address = kafka.address()
    await KafkaAdmin(address).make_topics()
    return address


@asynccontextmanager
async def a_broker(
    address: KafkaAddress, answers: MemoryAnswers | None = None, *, patience: float = 60
) -> AsyncIterator[KafkaBroker]:
    broker = KafkaBroker(address, answers or MemoryAnswers(), node_id="here", patience=patience, session_timeout=6)
    broker.start()
    yield broker
    await broker.close()


@asynccontextmanager
async def working(broker: KafkaBroker, work: Work) -> AsyncIterator[None]:
    running = asyncio.create_task(broker.run(work))
    yield
    await stop(running)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - of another thread's doing
            await asyncio.sleep(0.02)


async def test_while_the_log_is_away_everything_waits_in_its_order(address: KafkaAddress) -> None:
    log, room = Log(), a_room()
    log.failure = Unavailable()
    async with a_broker(address) as broker, working(broker, log):
        commands = [saying(room, str(number)) for number in range(20)]
        pending = start(broker, commands)
        await until(lambda: len(log.batches) > 2)
        assert not any(each.done() for each in pending)
        log.failure, failed = None, len(log.batches)
        await asyncio.gather(*pending)
    worked = [
        each.client_id for batch in log.batches[failed - 1 :] for each in batch
    ]  # the last may have been under way
    assert list(dict.fromkeys(worked)) == [each.client_id for each in commands]


async def test_what_was_done_of_a_batch_before_the_log_went_is_answered_and_the_rest_done_later(
    address: KafkaAddress,
) -> None:
    room, done = a_room(), list[str]()
    attempts = 0

    async def work(batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        nonlocal attempts
        attempts += 1
        does = batch if attempts > 1 else batch[: len(batch) // 2]
        done.extend(each.client_id for each in does)
        return [*(answer(each) for each in does), *[Unavailable()] * (len(batch) - len(does))]

    async with a_broker(address) as broker:
        commands = [saying(room, str(number)) for number in range(20)]
        pending = start(broker, commands)
        async with working(broker, work):
            await asyncio.gather(*pending)
    assert done == [each.client_id for each in commands]


async def test_what_cannot_be_done_is_answered_kept_and_can_be_given_again(address: KafkaAddress) -> None:
    log, room = Log(), a_room()
    bad, good = saying(room, "bad"), saying(room, "good")
    letters = DeadLetters(address)

    async def work(batch: Sequence[NewEvent]) -> list[Appended | ParlourError]:
        answers = await log(batch)
        return [
            Internal() if each.client_id in log.bad else is_now for each, is_now in zip(batch, answers, strict=True)
        ]

    async with a_broker(address) as broker, working(broker, work):
        foreign = Producer(address.options())
        foreign.produce(address.commands, b"\xff not ours", b"key")
        assert foreign.flush(30) == 0
        log.bad = {bad.client_id}
        results = await asyncio.gather(*start(broker, [bad, good]), return_exceptions=True)
        assert [type(each) for each in results] == [Internal, Appended]
        await until(lambda: any(good.client_id == each.client_id for batch in log.batches for each in batch))
        async with asyncio.timeout(60):
            while len(kept := await asyncio.to_thread(letters.all)) < 2:  # noqa: ASYNC110 - Kafka is asked
                await asyncio.sleep(0.05)
        assert {each.command and each.command.client_id for each in kept} == {None, bad.client_id}
        assert all(each.why and each.at for each in kept)
        log.bad = set()
        log.batches.clear()
        (again,) = await asyncio.to_thread(letters.replay)
        assert again.command is not None
        await until(lambda: [bad.client_id] == [each.client_id for batch in log.batches for each in batch])
    assert await asyncio.to_thread(letters.all) == []


async def test_an_answer_that_is_lost_is_given_to_the_repeat(address: KafkaAddress, tmp_path: Path) -> None:
    log = await SqliteRoomLog.open(tmp_path / "messages.db", SystemClock())
    answers, command = DeafAnswers(), saying(a_room())
    async with a_broker(address, answers, patience=5) as broker, working(broker, log.append):
        await broker.submit(saying(a_room()))  # the worker has its partitions
        answers.deaf = True
        with pytest.raises(BrokerUnavailable):
            await broker.submit(command)
        answers.deaf = False
        repeated = await broker.submit(command)
    assert repeated.repeated
    assert (repeated.event.seq, repeated.event.data) == (1, command.data)
    await log.close()


async def test_who_waits_for_an_answer_that_was_lost_is_told_once_answers_arrive_again(address: KafkaAddress) -> None:
    log, answers = Log(), DeafAnswers()
    async with a_broker(address, answers, patience=1_000) as broker, working(broker, log):
        await broker.submit(saying(a_room()))  # the worker has its partitions
        answers.deaf = True
        waiting, worked = broker.submit(saying(a_room())), len(log.batches)
        await until(lambda: len(log.batches) > worked)
        answers.deaf = False
        [lost] = answers.told_of_loss
        lost()
        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(waiting, 60)
        assert await broker.submit(saying(a_room()))


async def test_while_kafka_is_away_others_are_refused_at_once_and_what_waits_is_done_in_order(
    kafka: KafkaServer, address: KafkaAddress
) -> None:
    log, room = Log(), a_room()
    accepted: dict[str, asyncio.Future[Appended]] = {}
    refused: list[BrokerUnavailable] = []

    async with a_broker(address) as broker, working(broker, log):

        async def submit_until(condition: Callable[[], bool]) -> None:
            async with asyncio.timeout(60):
                while not condition():
                    command = saying(room)
                    try:
                        accepted[command.client_id] = broker.submit(command)
                    except BrokerUnavailable as error:
                        refused.append(error)
                    await asyncio.sleep(0.1)

        await submit_until(lambda: any(each.done() for each in accepted.values()))
        kafka.stop()
        await submit_until(lambda: len(refused) > 5)
        kafka.start()
        before = len(accepted)
        await submit_until(lambda: len(accepted) > before + 10)
        await asyncio.gather(*accepted.values())
    assert all(each.retry_after for each in refused)
    worked = [each.client_id for batch in log.batches for each in batch]
    assert list(dict.fromkeys(worked)) == list(accepted)


async def test_partitions_that_move_between_workers_leave_no_gap_and_double_nothing(
    address: KafkaAddress, tmp_path: Path
) -> None:
    """Three workers come and go while eight rooms are written to; the log, shared, is the judge."""
    log = await SqliteRoomLog.open(tmp_path / "messages.db", SystemClock())
    answers, rooms = MemoryAnswers(), [a_room() for _ in range(8)]
    sent: list[NewEvent] = []
    results: list[Appended] = []

    async def one_room(broker: KafkaBroker, room: int, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            command = saying(rooms[room], str(len(sent)))
            sent.append(command)
            results.append(await broker.submit(command))

    async with a_broker(address, answers) as gateway, contextlib.AsyncExitStack() as stack:
        others = [await stack.enter_async_context(a_broker(address)) for _ in range(3)]
        for other in others:
            other._answers = answers  # the same way back for all of them
        stopped = asyncio.Event()
        senders = [asyncio.create_task(one_room(gateway, room, stopped)) for room in range(8)]
        for first, second in [(0, 1), (1, 2), (2, 0)]:
            async with working(others[first], log.append):
                before = len(results)
                await until(lambda before=before: len(results) > before + 40)
                async with working(others[second], log.append):
                    before = len(results)
                    await until(lambda before=before: len(results) > before + 40)
        async with working(others[0], log.append):
            stopped.set()
            await asyncio.gather(*senders)
    for room in rooms:
        mine = [each.client_id for each in sent if each.room_id == room]
        events = await log.events(room, 0, len(mine) + 10)
        assert [each.client_id for each in events] == mine
        assert [each.seq for each in events] == list(range(1, len(mine) + 1))
    await log.close()


async def test_what_kafka_does_not_take_of_a_batch_is_told_again_with_all_that_was_worked_since(
    address: KafkaAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice, a batch's events are refused while others are worked behind it: whoever follows the events misses none."""
    log = await SqliteRoomLog.open(tmp_path / "messages.db", SystemClock())
    really, refusals = Telling.outcome, iter([True, False, False, True])
    rooms, heard = [a_room() for _ in range(6)], list[RoomEvent]()

    def refused(self: Telling, told: Told, message: Message, outcome: Appended | ParlourError) -> None:
        if next(refusals, False):
            told.refused = True
        else:
            really(self, told, message, outcome)

    async def hear(events: Sequence[RoomEvent]) -> None:
        heard.extend(events)

    monkeypatch.setattr(Telling, "outcome", refused)
    async with a_broker(address) as broker:
        commands = [saying(rooms[number % 6], str(number)) for number in range(60)]
        hearing = asyncio.create_task(RoomEvents(address, "followers").run(hear))
        async with working(broker, log.append):
            for command in commands:
                broker.submit(command)
                await asyncio.sleep(0.01)  # so that they are several batches
            await until(lambda: {each.client_id for each in commands} <= {event.client_id for event in heard})
        await stop(hearing)
        offsets = await asyncio.to_thread(committed, address)
    assert sum(offsets.values()) == len(commands), "in the end everything is committed"
    for room in rooms:
        mine = [each.client_id for each in commands if each.room_id == room]
        assert [event.client_id for event in await log.events(room, 0, 100)] == mine
    await log.close()


def committed(address: KafkaAddress) -> dict[int, int]:
    """Return how far the workers have committed, by partition."""
    options = address.options(group_id=address.prefix + "workers", enable_auto_commit=False)
    consumer = Consumer(options)
    places = [TopicPartition(address.commands, partition) for partition in range(address.partitions)]
    try:
        return {each.partition: max(0, each.offset) for each in consumer.committed(places, timeout=30)}
    finally:
        consumer.close()


async def test_committed_events_are_handed_over_in_order_and_again_where_they_were_not_dealt_with(
    address: KafkaAddress,
) -> None:
    room, begun, heard = a_room(), asyncio.Event(), list[str]()

    async def hang(_: Sequence[RoomEvent]) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def hear(events: Sequence[RoomEvent]) -> None:
        heard.extend(event.client_id for event in events)

    async with a_broker(address) as broker, working(broker, Log()):
        commands = [saying(room, str(number)) for number in range(20)]
        await asyncio.gather(*start(broker, commands))
        foreign = Producer(address.options())
        foreign.produce(address.events, b"\xff not ours", b"key")
        assert foreign.flush(30) == 0
        hanging = asyncio.create_task(RoomEvents(address, "followers").run(hang))
        async with asyncio.timeout(60):
            await begun.wait()
        await stop(hanging)
        hearing = asyncio.create_task(RoomEvents(address, "followers").run(hear))
        await until(lambda: len(heard) >= 20)
        await stop(hearing)
        assert heard == [each.client_id for each in commands]
        heard.clear()
        another = saying(room)
        await broker.submit(another)
        hearing = asyncio.create_task(RoomEvents(address, "followers").run(hear))
        await until(lambda: bool(heard))
        await stop(hearing)
        assert heard == [another.client_id], "what was dealt with is committed"


FOLLOWER = """
import asyncio, sys
from parlour.chat.adapters.kafka import RoomEvents
from parlour.platform.kafka_address import KafkaAddress

async def hear(events):
    print("heard", flush=True)

asyncio.run(RoomEvents(KafkaAddress(sys.argv[1], sys.argv[2]), "followers").run(hear))
"""


async def test_events_of_who_was_killed_are_handed_to_another_before_long(address: KafkaAddress) -> None:
    """Kafka waits for who does not say goodbye; 45 s where a consumer does not say how long."""
    room, heard = a_room(), list[str]()

    async def hear(events: Sequence[RoomEvent]) -> None:
        heard.extend(event.client_id for event in events)

    async with a_broker(address) as broker, working(broker, Log()):
        await broker.submit(saying(room))
        command = [sys.executable, "-c", FOLLOWER, address.servers, address.prefix]
        follower = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert follower.stdout is not None
        async with asyncio.timeout(60):
            await follower.stdout.readline()
        follower.kill()
        await follower.wait()
        another = saying(room)
        await broker.submit(another)
        hearing = asyncio.create_task(RoomEvents(address, "followers").run(hear))
        async with asyncio.timeout(35):
            while another.client_id not in heard:  # noqa: ASYNC110 - of another thread's doing
                await asyncio.sleep(0.02)
        await stop(hearing)


async def test_what_a_process_submits_whose_clock_is_wrong_by_hours_is_taken(address: KafkaAddress) -> None:
    """Kafka refuses what says that it was made more than an hour from now, unless the topic has it note the time itself."""
    producer = Producer(address.options())
    delivered: list[KafkaError | None] = []
    for topic in (address.commands, address.events, address.dead):
        for hours in (-48, 48):
            at = SystemClock().now() + hours * 3_600_000
            producer.produce(topic, b"x", timestamp=at, on_delivery=lambda error, _: delivered.append(error))
    assert await asyncio.to_thread(producer.flush, 60) == 0
    assert delivered == [None] * 6


class SmallProducers(KafkaAddress, frozen=True):
    """Of clients that hold one message at a time."""

    def options(self, **more: Any) -> dict[str, Any]:
        return KafkaAddress.options(self, **more) | {"queue.buffering.max.messages": 1}


async def buried(address: KafkaAddress, commands: Sequence[NewEvent]) -> None:
    producer = Producer(address.options())
    for number, command in enumerate(commands):
        producer.produce(address.dead, encode(command_of("here", number, command)), command.room_id.encode())
    assert await asyncio.to_thread(producer.flush, 30) == 0


async def test_a_dead_letter_that_kafka_refuses_when_it_is_replayed_stays_one(address: KafkaAddress) -> None:
    room = a_room()
    await buried(address, [saying(room, "short"), saying(room, "long " * 1000)])
    letters = DeadLetters(address)

    async def allow(size: int) -> None:
        most = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
        topic = ConfigResource(ConfigResource.Type.TOPIC, address.commands, incremental_configs=[most])
        admin = AdminClient(address.options())
        (done,) = admin.incremental_alter_configs([topic]).values()
        await asyncio.to_thread(done.result)

    await allow(1000)
    with pytest.raises(BrokerUnavailable):
        await asyncio.to_thread(letters.replay)
    assert len(await asyncio.to_thread(letters.all)) == 2
    await allow(100_000)
    assert len(await asyncio.to_thread(letters.replay)) == 2
    assert await asyncio.to_thread(letters.all) == []


async def test_more_dead_letters_than_a_producer_holds_are_replayed_all_the_same(address: KafkaAddress) -> None:
    small = SmallProducers(**msgspec.structs.asdict(address))
    commands = [saying(a_room(), str(number)) for number in range(20)]
    await buried(address, commands)
    assert len(await asyncio.to_thread(DeadLetters(small).replay)) == 20
    log = Log()
    async with a_broker(address) as broker, working(broker, log):
        await until(
            lambda: {each.client_id for batch in log.batches for each in batch} >= {each.client_id for each in commands}
        )
