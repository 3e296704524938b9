"""The `Broker` over Kafka."""

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import msgspec
from confluent_kafka import KafkaError, KafkaException, Producer

from parlour.chat.adapters.kafka.consuming import Consuming
from parlour.chat.adapters.kafka.messages import Answer, command_of, decode_answers, encode, outcome_of
from parlour.chat.errors import Busy
from parlour.chat.model import Appended, NewEvent
from parlour.chat.ports import Answers, Pending
from parlour.platform import metrics
from parlour.platform.errors import BrokerUnavailable, ParlourError
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.preparation import Preparation

logger = logging.getLogger(__name__)

AWAY_AFTER = 2.0
"""Seconds that a command may wait for Kafka before others are refused at once."""

PROBE_EVERY = 1.0
"""Seconds after which one is let through all the same, to find out whether Kafka is there again."""

GRACE = 1.0
"""Seconds for which answers are waited for that may have been lost: what is still to be worked has that long."""


class _Waiting(NamedTuple):
    """A command whose answer has not come, since when and until when, in seconds of the monotonic clock."""

    since: float
    until: float
    command: NewEvent
    future: Pending


class KafkaBroker:
    """A `Broker` whose commands go through Kafka's topic `room-commands`, keyed by room.

    Order: commands of one room that one node submits are in one partition in the order submitted (idempotent producer), and the
    worker that owns the partition works it in that order. Nothing that was produced is taken back: a command whose answer does not
    come within `patience` seconds fails with `BrokerUnavailable` and may be done all the same, before any that repeats it.
    Idempotency is the log's. When Kafka is away: what was submitted waits for it up to `patience`, then fails; after `AWAY_AFTER`
    seconds new ones are refused at once. When the log is away: workers keep the batch and try it until it is done. When the
    answers' way is away: what was done is not heard of; `GRACE` seconds after it is back, who still waits fails likewise, and the repeat
    gets its answer. A worker that dies: another takes its
    partitions within `session_timeout` seconds, from the last batch that was answered.
    """

    def __init__(
        self,
        address: KafkaAddress,
        answers: Answers,
        *,
        node_id: str,
        bound: int = 10_000,
        largest: int = 256,
        patience: float = 10.0,
        session_timeout: float = 6.0,
        client_id: str = "parlour",
        topics: Preparation | None = None,
    ) -> None:
        """Let at most `bound` commands wait, and hand at most `largest` to the worker at once, which others see as `client_id`.

        Until `topics` are made, commands are refused and none is worked.
        """
        self._topics = topics
        self._client_id = client_id
        self._address = address
        self._answers = answers
        self._node_id = node_id
        self._bound = bound
        self._largest = largest
        self._patience = patience
        self._session_timeout = session_timeout
        # Another process of this node's id may have left commands in Kafka whose answers are not for this one.
        self._numbers = itertools.count(time.time_ns())
        self._pending: dict[int, _Waiting] = {}  # by number, the oldest first
        self._undelivered: dict[int, float] = {}  # when those were submitted that Kafka has not confirmed
        self._lock = threading.Lock()  # over `_undelivered`, from which the poller removes
        self._no_server = False
        self._probe_at = 0.0
        self._failed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._expiry: asyncio.TimerHandle | None = None
        self._unlisten: Callable[[], None] = lambda: None
        self._producer = Producer(
            address.options(
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                message_timeout_ms=0,  # for ever: one that is given up while a later one of its room goes through breaks the order
                queue_buffering_max_messages=2 * bound + 1000,
                error_cb=self._error,
            ),
            logger=logger,
        )
        self._poller = threading.Thread(target=self._poll, name="kafka-producer", daemon=True)
        self._polling = True

    def start(self) -> None:
        """Listen for answers."""
        self._loop = asyncio.get_running_loop()
        self._unlisten = self._answers.listen(self._answered, self._hurry)
        self._poller.start()

    async def close(self) -> None:
        """Wait a little for what was produced, then let go; who still waits for an answer is refused."""
        self._stopping = True
        await asyncio.to_thread(self._producer.flush, 1.0)
        self._polling = False
        if self._poller.is_alive():
            await asyncio.to_thread(self._poller.join)
        self._unlisten()
        if self._expiry is not None:
            self._expiry.cancel()
        for waiting in self._pending.values():
            _settle(waiting.future, BrokerUnavailable(retry_after=1))
        self._pending.clear()

    # Submitting

    def submit(self, command: NewEvent) -> Pending:
        """Have a command done; who stops waiting does not undo it.

        Raises:
            Busy: too many wait already.
            BrokerUnavailable: Kafka is away, or the process is about to end.
        """
        if self._stopping or self._failed.is_set():
            raise BrokerUnavailable(retry_after=1)
        if self._topics is not None:
            self._topics.check()
        if len(self._pending) >= self._bound:
            raise Busy(retry_after=1)
        now = time.monotonic()
        if self._away(now):
            metrics.ENGINE_CALLS.labels("kafka", "refused").inc()
            raise BrokerUnavailable(retry_after=PROBE_EVERY)
        number = next(self._numbers)
        sent = command_of(self._node_id, number, command)
        with self._lock:
            self._undelivered[number] = now
        try:
            self._producer.produce(
                self._address.commands,
                encode(sent),
                command.room_id.encode(),
                on_delivery=lambda error, _: self._delivered(number, error),
            )
        except BufferError:
            self._confirm(number)
            raise Busy(retry_after=1) from None
        except KafkaException as error:
            self._confirm(number)
            raise BrokerUnavailable(retry_after=1) from error
        future: Pending = asyncio.get_running_loop().create_future()
        self._pending[number] = _Waiting(now, now + self._patience, command, future)
        if self._expiry is None:
            self._expiry = asyncio.get_running_loop().call_later(self._patience, self._expire)
        return future

    def _hurry(self) -> None:
        """Answers may have been lost: wait a little for those that are still to come, and for no others."""
        soon = time.monotonic() + GRACE
        for number, waiting in self._pending.items():
            self._pending[number] = waiting._replace(until=min(waiting.until, soon))
        if self._expiry is not None:
            self._expiry.cancel()
        self._expire()

    def _away(self, now: float) -> bool:
        with self._lock:
            oldest = next(iter(self._undelivered.values()), now)
        away = self._no_server or now - oldest > AWAY_AFTER
        metrics.ENGINE_AWAY.labels("kafka").set(away)
        if away and now >= self._probe_at:
            self._probe_at = now + PROBE_EVERY
            return False
        return away

    def _expire(self) -> None:
        """Fail what has waited too long."""
        now = time.monotonic()
        self._expiry = None
        while self._pending:
            number, waiting = next(iter(self._pending.items()))
            if now < waiting.until:
                self._expiry = asyncio.get_running_loop().call_later(waiting.until - now, self._expire)
                return
            del self._pending[number]
            metrics.ENGINE_CALLS.labels("kafka", "failed").inc()
            _settle(waiting.future, BrokerUnavailable(retry_after=1))

    def _answered(self, payload: bytes) -> None:
        try:
            answers: list[Answer] = decode_answers(payload)
        except msgspec.MsgspecError:
            logger.warning("an answer could not be read", extra={"bytes": len(payload)})
            return
        for answer in answers:
            waiting = self._pending.pop(answer.number, None)
            if waiting is None:  # it came too late
                continue
            metrics.ENGINE_CALLS.labels("kafka", "done").inc()
            metrics.ENGINE_SECONDS.labels("kafka").observe(time.monotonic() - waiting.since)
            _settle(waiting.future, outcome_of(answer, waiting.command))

    # In the poller's thread

    def _poll(self) -> None:
        while self._polling:
            self._producer.poll(0.2)

    def _delivered(self, number: int, error: KafkaError | None) -> None:
        if error is None:
            self._no_server = False
            self._confirm(number)
        else:
            logger.error("a command was not taken by Kafka", extra={"error": str(error)})
            self._confirm(number)
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._fail, number)

    def _fail(self, number: int) -> None:
        """On the loop: tell the sender of what Kafka did not take."""
        waiting = self._pending.pop(number, None)
        if waiting is not None:
            metrics.ENGINE_CALLS.labels("kafka", "failed").inc()
            _settle(waiting.future, BrokerUnavailable(retry_after=1))

    def _confirm(self, number: int) -> None:
        with self._lock:
            del self._undelivered[number]

    def _error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's own name
            if not self._no_server:
                logger.warning("no server of Kafka answers", extra={"error": str(error)})
            self._no_server = True
        if error.fatal() and self._loop is not None:
            logger.critical("Kafka's producer has failed for good", extra={"error": str(error)})
            self._loop.call_soon_threadsafe(self._failed.set)

    # Working

    async def run(self, work: Callable[[Sequence[NewEvent]], Awaitable[Sequence[Appended | ParlourError]]]) -> None:
        """Feed batches to `work`, as one worker of the group, until cancelled; then the batch under way is finished first."""
        if self._topics is not None:
            await self._topics.wait()
        await Consuming(
            self._address,
            self._answers,
            client_id=self._client_id,
            largest=self._largest,
            session_timeout=self._session_timeout,
        ).run(work)

    async def watch(self) -> None:
        """Return once the producer has failed for good: the process is of no more use.

        Raises:
            BrokerUnavailable: always, then.
        """
        await self._failed.wait()
        raise BrokerUnavailable


def _settle(future: Pending, outcome: Appended | ParlourError) -> None:
    if future.done():  # the sender has gone
        return
    if isinstance(outcome, ParlourError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
