"""Committed events of rooms, as a group of consumers reads them: each at least once, a room's in order."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from confluent_kafka import Consumer, KafkaException, Message

from parlour.chat.model import RoomEvent
from parlour.platform import metrics
from parlour.platform.errors import BrokerUnavailable
from parlour.platform.kafka import consume_in_thread
from parlour.platform.kafka_address import KafkaAddress

logger = logging.getLogger(__name__)

_POLL = 0.2
_GATHER = 0.1
"""Seconds for which events wait for more: what is done with a batch costs much the same however many are in it."""
_WORTHWHILE = 1 << 16
"""Bytes that Kafka answers with at once."""
_LONGEST_BATCH_MS = 600_000
_SESSION_MS = 6_000
"""After which another one reads the partitions of a process that is gone: as soon as its commands are worked by another."""
_decode = msgspec.msgpack.Decoder(RoomEvent).decode

Handle = Callable[[Sequence[RoomEvent]], Awaitable[None]]


class RoomEvents:
    """The topic `room-events` for one purpose, named by `group`: `run` hands it over in batches, and commits what was dealt with.

    A room's events come in order, but may come again: after a crash, a rebalance, or a repeat of their command. What a process that
    was killed would have read comes to another within 6 s. While Kafka is away nothing comes. What cannot be read is logged, counted and
    passed over.
    """

    def __init__(self, address: KafkaAddress, group: str, *, largest: int = 500) -> None:
        """Hand over at most `largest` events at once."""
        self._address = address
        self._group = address.prefix + group
        self._largest = largest
        self._stopping = threading.Event()

    async def run(self, handle: Handle) -> None:
        """Feed `handle` until cancelled; the batch under way is finished or given again to who comes next.

        Raises:
            BrokerUnavailable: the consumer has failed for good.
        """
        loop = asyncio.get_running_loop()
        await consume_in_thread(f"kafka-{self._group}", lambda: self._consume(handle, loop), self._stopping.set)

    def _consume(self, handle: Handle, loop: asyncio.AbstractEventLoop) -> None:
        consumer = Consumer(
            self._address.options(
                group_id=self._group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                partition_assignment_strategy="cooperative-sticky",
                session_timeout_ms=_SESSION_MS,
                heartbeat_interval_ms=_SESSION_MS // 5,
                max_poll_interval_ms=_LONGEST_BATCH_MS,
                fetch_min_bytes=_WORTHWHILE,
                fetch_wait_max_ms=int(_GATHER * 1000),
            ),
            logger=logger,
        )
        consumer.subscribe([self._address.events])
        try:
            while not self._stopping.is_set():
                messages = consumer.consume(1, _POLL)
                if messages:
                    messages += consumer.consume(self._largest - 1, _GATHER)
                    events = [event for message in messages if (event := self._read(message)) is not None]
                    if events and not self._hand_over(handle, events, loop):
                        return
                    self._commit(consumer)
        finally:
            consumer.close()

    def _hand_over(self, handle: Handle, events: Sequence[RoomEvent], loop: asyncio.AbstractEventLoop) -> bool:
        """Wait until a batch is dealt with; False where the process ends before it is."""
        dealing = asyncio.run_coroutine_threadsafe(_handled(handle, events), loop)
        while True:
            try:
                dealing.result(_POLL)
            except TimeoutError:
                if dealing.done():  # the handler's own
                    raise
                if self._stopping.is_set():
                    dealing.cancel()
                    return False
            else:
                return True

    def _read(self, message: Message) -> RoomEvent | None:
        error = message.error()
        if error is not None:
            if error.fatal():
                raise BrokerUnavailable
            logger.warning("Kafka could not be read", extra={"error": str(error)})
            return None
        try:
            return _decode(message.value() or b"")
        except msgspec.MsgspecError:
            metrics.ROOM_EVENTS_UNREADABLE.inc()
            logger.exception("an event of a room cannot be read", extra={"offset": message.offset()})
            return None

    def _commit(self, consumer: Consumer) -> None:
        try:
            consumer.commit(asynchronous=False)
        except KafkaException as error:  # they come again
            logger.warning("events of rooms could not be committed", extra={"error": str(error)})


async def _handled(handle: Handle, events: Sequence[RoomEvent]) -> None:
    await handle(events)
