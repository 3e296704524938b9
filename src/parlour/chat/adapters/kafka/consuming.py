"""A worker of Kafka's consumer group: batches in order, each answered, told to `room-events` and committed beside the next."""

import asyncio
import json
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from parlour.chat.adapters.kafka.messages import Answer, Command, answer_of, decode_command, encode, event_of
from parlour.chat.adapters.kafka.telling import Telling, Told
from parlour.chat.model import Appended, NewEvent
from parlour.chat.ports import Answers
from parlour.platform import metrics
from parlour.platform.errors import BrokerUnavailable, Internal, ParlourError, Unavailable
from parlour.platform.kafka import consume_in_thread
from parlour.platform.kafka_address import KafkaAddress

logger = logging.getLogger(__name__)

Work = Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]

REST = 0.3
"""Seconds before a batch that found the log away is tried again; the work itself has tried several times by then."""

HELD = 2
"""Batches that are held ready while one is worked."""

COMMIT_EVERY = 0.2
"""Seconds between two commits: of how much a worker that dies leaves, others find it done."""

_POLL = 0.1
_ASKING = 10.0
"""Seconds for Kafka to tell what was committed."""
_LONGEST_BATCH_MS = 300_000
"""Past it the group takes a worker for stuck and gives its partitions to others."""


class Consuming:
    """A consumer in a thread of its own reads ahead; on the loop one batch is worked after the other, each of all that is there by then.

    A batch ends in one of three ways for each of its commands. Done, or refused for good: it is answered, and told to `room-events`
    where it is in the log. Failed for a reason that is ours: it is answered and kept in the topic of dead letters. The log is away:
    it, and all behind it, stay in their partition and are read again after `REST` seconds. Nobody waits for Kafka to take the events
    and the dead letters, but only then is a batch committed, so that a crash at any point repeats and loses nothing; where it does
    not take them, that batch is read again with all that was worked since.
    """

    def __init__(
        self, address: KafkaAddress, answers: Answers, *, client_id: str, largest: int, session_timeout: float
    ) -> None:
        self._address = address
        self._answers = answers
        self._telling = Telling(address)
        self._largest = largest
        self._stopping = threading.Event()
        self._changed = threading.Condition()  # over the next four, which the loop and the thread share
        self._waiting: deque[Message] = deque()
        self._working: Told | None = None
        self._told: deque[Told] = deque()  # worked and not committed, the oldest first
        self._again: dict[
            int, int
        ] = {}  # by partition, from where the thread is to read again; what it has read by then is dropped
        self._task: asyncio.Task[None] | None = None
        self._gone: set[int] = set()  # the thread's: partitions that were revoked since it began to read
        self._over: dict[int, int] = {}  # by partition, what is to be committed
        self._committed_at = 0.0
        self._consumer = Consumer(
            address.options(
                client_id=client_id,
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

        def begin() -> None:
            loop.call_soon_threadsafe(self._begin, work)

        await consume_in_thread("kafka-consumer", lambda: self._consume(begin), self._stopping.set)

    # In the consumer's thread

    def _consume(self, begin: Callable[[], None]) -> None:
        self._consumer.subscribe([self._address.commands], on_revoke=self._revoked)
        try:
            while not self._stopping.is_set():
                self._go_back()
                self._gone.clear()
                messages = self._consumer.consume(1, _POLL)
                if messages:
                    messages += self._consumer.consume(self._largest - 1, 0)
                    self._hold(self._still_ours([message for message in messages if _is_sound(message)]))
                    begin()
                self._commit_told()
            with self._changed:
                self._waiting.clear()
            self._finish()
        finally:
            self._consumer.close()

    def _still_ours(self, messages: Sequence[Message]) -> list[Message]:
        """Return the messages but those of partitions that were taken from this worker while it read: what is before them is not done.

        Raises:
            BrokerUnavailable: where a partition came back at once, Kafka does not tell where it is to be read from.
        """
        back = self._gone & {each.partition for each in self._consumer.assignment()} if self._gone else set()
        if back:
            asked = [TopicPartition(self._address.commands, partition) for partition in sorted(back)]
            try:
                committed = self._consumer.committed(asked, timeout=_ASKING)
            except KafkaException as error:
                raise BrokerUnavailable from error
            with self._changed:
                for place in committed:
                    self._again[place.partition] = place.offset if place.offset >= 0 else OFFSET_BEGINNING
        return [message for message in messages if message.partition() not in self._gone]

    def _hold(self, messages: Sequence[Message]) -> None:
        """Have messages worked; wait while too many are held, for which Kafka keeps the others."""
        with self._changed:
            while len(self._waiting) >= HELD * self._largest and not self._stopping.is_set():
                self._changed.wait(_POLL)
            self._waiting += [each for each in messages if each.partition() not in self._again]

    def _revoked(self, _consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        """Finish and commit what is under way, before others read on; leave them what is not."""
        gone = {each.partition for each in partitions}
        self._gone |= gone
        logger.info("partitions revoked", extra={"partitions": sorted(gone)})
        with self._changed:
            self._waiting = deque(each for each in self._waiting if each.partition() not in gone)
            _leave(gone, self._again)
        self._finish()
        with self._changed:  # what Kafka has not confirmed yet is the next owner's to tell again, and to commit
            for told in (*self._told, *([self._working] if self._working else [])):
                _leave(gone, told.first, told.after)
            _leave(gone, self._again, self._over)
        for partition in gone:
            metrics.COMMAND_LAG.remove(str(partition))

    def _finish(self) -> None:
        with self._changed:
            working = self._working
            self._changed.wait_for(lambda: self._working is None or self._working is not working)
        self._telling.flush()
        self._commit_told(at_once=True)

    def _commit_told(self, *, at_once: bool = False) -> None:
        """Commit the batches that are over, if not just now others were; from the first that failed on, have all read again."""
        self._telling.poll()
        with self._changed:
            while self._told and self._told[0].over:
                self._over |= self._told.popleft().after
            if self._told and self._told[0].failed:
                if self._working is not None:
                    self._working.abandoned = True
                    self._told.append(self._working)
                for told in self._told:
                    self._read_again(told.first)
                self._told.clear()
        now = time.monotonic()
        if self._over and (at_once or now - self._committed_at >= COMMIT_EVERY):
            self._commit(self._over)
            self._over, self._committed_at = {}, now

    def _read_again(self, offsets: Mapping[int, int]) -> None:
        """Have partitions read again, if any, and with them, in their order, all that is held; holding the lock."""
        if not offsets:
            return
        for first in (offsets, _bounds(self._waiting, min)):
            for partition, offset in first.items():
                self._again[partition] = min(offset, self._again.get(partition, offset))
        self._waiting.clear()

    def _go_back(self) -> None:
        with self._changed:
            again, self._again = self._again, {}
        if again:
            self._rewind(again)
            self._stopping.wait(REST)

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

    # On the loop

    def _begin(self, work: Work) -> None:
        """Work what is held, unless a batch is under way: its end begins the next."""
        with self._changed:
            if self._working is not None or not self._waiting:
                return
            batch = [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
            ends = {partition: last + 1 for partition, last in _bounds(batch, max).items()}
            self._working = told = Told(_bounds(batch, min), ends)
            self._changed.notify_all()
        self._task = asyncio.ensure_future(self._deal_with(batch, told, work))

    async def _deal_with(self, batch: Sequence[Message], told: Told, work: Work) -> None:
        left: Sequence[Message] = batch
        try:
            left = await self._answer_and_tell(batch, told, work)
        except Exception:
            logger.exception("a batch could not be dealt with")
        finally:
            again = _bounds(left, min)
            with self._changed:
                self._working = None
                if not told.abandoned:
                    told.after |= again
                    told.since = time.monotonic()
                    self._told.append(told)
                    self._read_again(again)
                self._changed.notify_all()
        self._begin(work)

    async def _answer_and_tell(self, batch: Sequence[Message], told: Told, work: Work) -> list[Message]:
        """Return what is left to do."""
        commands: list[tuple[Message, Command]] = []
        for message in batch:
            try:
                commands.append((message, decode_command(message.value() or b"")))
            except msgspec.MsgspecError as error:
                self._telling.bury(told, message, f"it is no command: {error}")
        outcomes = await self._work(work, commands) if commands else []
        first_left = next((i for i, outcome in enumerate(outcomes) if isinstance(outcome, Unavailable)), len(commands))
        for (message, _), outcome in zip(commands[:first_left], outcomes, strict=False):
            self._telling.outcome(told, message, outcome)
        return [message for message, _ in commands[first_left:]]

    async def _work(self, work: Work, commands: Sequence[tuple[Message, Command]]) -> Sequence[Appended | ParlourError]:
        """Have a batch done, and answer what can be answered."""
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


def _leave(partitions: Collection[int], *offsets: dict[int, int]) -> None:
    for each in offsets:
        for partition in partitions:
            each.pop(partition, None)


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
            if each.get("fetch_state") != "active":  # statistics made before it went may have come after
                metrics.COMMAND_LAG.remove(partition)
            elif partition != "-1" and each.get("consumer_lag", -1) >= 0:
                metrics.COMMAND_LAG.labels(partition).set(each["consumer_lag"])
