"""A worker of Kafka's consumer group: batches in order, each answered, told to `room-events` and committed beside the next."""

import asyncio
import json
import logging
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from parlour.chat.adapters.kafka.messages import Answer, Command, answer_of, decode_command, encode, event_of
from parlour.chat.model import Appended, NewEvent
from parlour.chat.ports import Answers
from parlour.platform import metrics
from parlour.platform.errors import BrokerUnavailable, Internal, ParlourError, Unavailable
from parlour.platform.kafka import consume_in_thread
from parlour.platform.kafka_address import KafkaAddress

logger = logging.getLogger(__name__)

Work = Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]
_Headers = list[tuple[str, str | bytes | None]]

REST = 0.3
"""Seconds before a batch that found the log away is tried again; the work itself has tried several times by then."""

_POLL = 0.1
_FLUSH = 10.0
_GATHER_MS = 10
"""For which what is told to `room-events` may wait for more of its partition, unless a batch is waited for: a request costs Kafka more
than what is in it."""
_LONGEST_BATCH_MS = 300_000
"""Past it the group takes a worker for stuck and gives its partitions to others."""


class _Span(NamedTuple):
    """What of a partition a batch has: its first offset, and from where the partition is to be read once the batch is committed."""

    first: int
    next: int


class Consuming:
    """One consumer in a thread of its own, which hands batches to the loop, one at a time.

    While one is worked, Kafka confirms what the one before it has to tell, which is then committed; so nobody's answer waits for that.

    A batch ends in one of three ways for each of its commands. Done, or refused for good: it is answered, and told to `room-events`
    where it is in the log. Failed for a reason that is ours: it is answered and kept in the topic of dead letters. The log is away:
    it, and all behind it, stay in their partition and are read again after `REST` seconds. What was dealt with is committed only
    after Kafka has the events and the dead letters, so that a crash at any point repeats and loses nothing; where it does not take
    them, that batch is read again, and so is the one that was worked meanwhile.
    """

    def __init__(self, address: KafkaAddress, answers: Answers, *, largest: int, session_timeout: float) -> None:
        self._address = address
        self._answers = answers
        self._open: dict[int, _Span] = {}  # by partition, what was worked and is not committed
        self._refused = False  # whether Kafka refused something that a batch has to tell
        # Of its own: what this node's senders wait for holds up no batch.
        options = address.options(acks="all", enable_idempotence=True, linger_ms=_GATHER_MS)
        self._producer = Producer(options, logger=logger)
        self._largest = largest
        self._stopping = threading.Event()
        self._consumer = Consumer(
            address.options(
                group_id=address.prefix + "workers",
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                auto_offset_reset="earliest",
                partition_assignment_strategy="cooperative-sticky",
                session_timeout_ms=int(session_timeout * 1000),
                heartbeat_interval_ms=max(100, int(session_timeout * 1000) // 5),
                max_poll_interval_ms=_LONGEST_BATCH_MS,
                fetch_wait_max_ms=100,
                on_commit=_committed,
                statistics_interval_ms=5000,
                stats_cb=_measure,
            ),
            logger=logger,
        )

    async def run(self, work: Work) -> None:
        """Work until cancelled; then the batch under way is finished first.

        Raises:
            BrokerUnavailable: the consumer has failed for good.
        """
        loop = asyncio.get_running_loop()
        await consume_in_thread("kafka-consumer", lambda: self._consume(work, loop), self._stopping.set)

    # In the consumer's thread

    def _consume(self, work: Work, loop: asyncio.AbstractEventLoop) -> None:
        self._consumer.subscribe([self._address.commands], on_revoke=self._revoked)
        try:
            while not self._stopping.is_set():
                messages = self._consumer.consume(1, _POLL)
                if messages:
                    messages += self._consumer.consume(self._largest - 1, 0)
                sound = [message for message in messages if _is_sound(message)]
                if sound:
                    self._deal_with(sound, work, loop)
                else:
                    self._finish()
            self._finish()
        finally:
            self._consumer.close()

    def _revoked(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """No batch is worked now, between two polls: the last one is committed before others read on."""
        logger.info("partitions revoked", extra={"partitions": [each.partition for each in partitions]})
        self._finish()

    def _deal_with(self, messages: Sequence[Message], work: Work, loop: asyncio.AbstractEventLoop) -> None:
        commands = [(message, command) for message in messages if (command := self._read(message)) is not None]
        working = asyncio.run_coroutine_threadsafe(self._work(work, commands), loop) if commands else None
        before = set(self._open)
        finished = self._finish()
        outcomes: Sequence[Appended | ParlourError] = [] if working is None else working.result()
        firsts = _bounds(messages, min)
        if not finished:  # what this batch has to tell may have been refused as well
            self._rewind({partition: first for partition, first in firsts.items() if partition not in before})
            return
        first_left = next((i for i, outcome in enumerate(outcomes) if isinstance(outcome, Unavailable)), len(commands))
        for (message, _), outcome in zip(commands[:first_left], outcomes, strict=False):
            self._publish(message, outcome)
        again = _bounds([message for message, _ in commands[first_left:]], min)
        for partition, last in _bounds(messages, max).items():
            self._open[partition] = _Span(firsts[partition], again.get(partition, last + 1))
        if again and self._finish():
            self._rewind(again)
            self._stopping.wait(REST)

    def _finish(self) -> bool:
        """Commit the batch that was worked last, once Kafka has what it has to tell; else go back to its beginning and return False."""
        if not self._open:
            return True
        spans, self._open = self._open, {}
        finished = not self._producer.flush(_FLUSH) and not self._refused
        self._refused = False
        if finished:
            self._commit({partition: span.next for partition, span in spans.items()})
        else:  # neither committed nor lost: all of it is read again
            self._rewind({partition: span.first for partition, span in spans.items()})
            self._stopping.wait(REST)
        return finished

    async def _work(self, work: Work, commands: Sequence[tuple[Message, Command]]) -> Sequence[Appended | ParlourError]:
        """On the loop: have a batch done, and answer what can be answered."""
        try:
            outcomes = await work([event_of(command) for _, command in commands])
        except Unavailable as error:
            return [error] * len(commands)
        except Exception:
            logger.exception("a batch of commands failed")
            outcomes = [Internal()] * len(commands)
        answers: defaultdict[str, list[Answer]] = defaultdict(list)
        for (_, command), outcome in zip(commands, outcomes, strict=True):
            if isinstance(outcome, Unavailable):
                break
            answers[command.node_id].append(answer_of(command.number, outcome))
        for node_id, each in answers.items():
            self._answers.send(node_id, encode(each))
        return outcomes

    def _read(self, message: Message) -> Command | None:
        try:
            return decode_command(message.value() or b"")
        except msgspec.MsgspecError as error:
            self._bury(message, f"it is no command: {error}")
            return None

    def _publish(self, message: Message, outcome: Appended | ParlourError) -> None:
        if isinstance(outcome, Appended):
            event = outcome.event
            self._produce(self._address.events, encode(event), event.room_id.encode(), [])
        elif isinstance(outcome, Internal):
            self._bury(message, "it failed in the worker; the log of the process has more")

    def _bury(self, message: Message, why: str) -> None:
        metrics.DEAD_LETTERS.inc()
        known = {"partition": message.partition(), "offset": message.offset()}
        logger.error("a command is kept as a dead letter", extra={"why": why, **known})
        headers: _Headers = [("why", why), *((name, str(value)) for name, value in known.items())]
        self._produce(self._address.dead, message.value() or b"", message.key(), headers)

    def _produce(self, topic: str, value: bytes, key: Any, headers: _Headers) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, headers=headers, on_delivery=self._delivered)
            except BufferError:  # Kafka is away, and this process full of what waits for it
                self._producer.flush(_POLL)
            except KafkaException as error:
                self._delivered(error.args[0], None)
                return
            else:
                return

    def _delivered(self, error: KafkaError | None, _: Message | None) -> None:
        if error is None:
            return
        logger.error("Kafka refuses what a worker has to tell", extra={"error": str(error)})
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:  # it never will; the log has it
            metrics.ROOM_EVENTS_UNREADABLE.inc()
        else:
            self._refused = True

    def _commit(self, offsets: Mapping[int, int]) -> None:
        """Commit where each partition is to be read from, waiting for nobody: where it fails, what was dealt with is found done."""
        try:
            self._consumer.commit(offsets=self._places(offsets), asynchronous=True)
        except KafkaException as error:
            logger.warning("a batch could not be committed", extra={"error": str(error)})

    def _rewind(self, offsets: Mapping[int, int]) -> None:
        for place in self._places(offsets):
            try:
                self._consumer.seek(place)
            except KafkaException as error:
                logger.warning("a partition could not be read again", extra={"error": str(error)})
                if any(each.partition == place.partition for each in self._consumer.assignment()):
                    raise BrokerUnavailable from error  # to read on would pass over what is left; else another worker has it

    def _places(self, offsets: Mapping[int, int]) -> list[TopicPartition]:
        return [TopicPartition(self._address.commands, partition, offset) for partition, offset in offsets.items()]


def _bounds(messages: Sequence[Message], pick: Callable[[list[int]], int]) -> dict[int, int]:
    offsets: defaultdict[int, list[int]] = defaultdict(list)
    for message in messages:
        offsets[message.partition() or 0].append(message.offset() or 0)
    return {partition: pick(each) for partition, each in offsets.items()}


def _is_sound(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        logger.critical("Kafka's consumer has failed for good", extra={"error": str(error)})
        raise BrokerUnavailable
    logger.warning("Kafka could not be read", extra={"error": str(error)})
    return False


def _committed(error: KafkaError | None, _: Sequence[TopicPartition]) -> None:
    if error is not None:
        logger.warning("a batch could not be committed", extra={"error": str(error)})


def _measure(statistics: str) -> None:
    for topic in json.loads(statistics).get("topics", {}).values():
        for partition, each in topic.get("partitions", {}).items():
            if partition != "-1" and each.get("fetch_state") == "active" and each.get("consumer_lag", -1) >= 0:
                metrics.COMMAND_LAG.labels(partition).set(each["consumer_lag"])
