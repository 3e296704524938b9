"""What a worker tells Kafka of a batch: its events, and what could not be done. A batch is over once Kafka has all of it."""

import functools
import logging
import time
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from parlour.chat.adapters.kafka.messages import encode
from parlour.chat.model import Appended
from parlour.platform import metrics
from parlour.platform.errors import Internal, ParlourError
from parlour.platform.kafka_address import KafkaAddress

logger = logging.getLogger(__name__)

PATIENCE = 10.0
"""Seconds for Kafka to confirm what it was told of a batch."""

_GATHER_MS = 10
"""For which what is told may wait for more of its partition: a request costs Kafka more than what is in it."""

_Headers = list[tuple[str, str | bytes | None]]


class Told:
    """A batch, by partition: where it begins, and from where the partition is to be read once the batch is over."""

    def __init__(self, first: Mapping[int, int], after: Mapping[int, int]) -> None:
        self.first = dict(first)
        self.after = dict(after)
        self.abandoned = False
        """Whether it is read again, so that nothing of it may be committed."""
        self.expected = 0  # counted by the loop alone, the next by the thread that polls
        self.confirmed = 0
        self.refused = False
        self.since = time.monotonic()
        """When Kafka had been told everything."""

    @property
    def over(self) -> bool:
        """Whether Kafka has all that it was told."""
        return self.confirmed == self.expected and not self.refused

    @property
    def failed(self) -> bool:
        """Whether Kafka refused something, or says nothing."""
        return self.refused or (not self.over and time.monotonic() - self.since > PATIENCE)


class Telling:
    """Publishes without waiting, on the loop; `poll`, in one other thread, hears what Kafka says to it."""

    def __init__(self, address: KafkaAddress) -> None:
        self._address = address
        # Of its own: what this node's senders wait for holds up no batch.
        options = address.options(acks="all", enable_idempotence=True, linger_ms=_GATHER_MS)
        self._producer = Producer(options, logger=logger)

    def outcome(self, told: Told, message: Message, outcome: Appended | ParlourError) -> None:
        """Tell `room-events` of an event, and keep a command that failed for a reason of ours."""
        if isinstance(outcome, Appended):
            event = outcome.event
            self._produce(told, self._address.events, encode(event), event.room_id.encode(), [])
        elif isinstance(outcome, Internal):
            self.bury(told, message, "it failed in the worker; the log of the process has more")

    def bury(self, told: Told, message: Message, why: str) -> None:
        """Keep a message as a dead letter."""
        metrics.DEAD_LETTERS.inc()
        known = {"partition": message.partition(), "offset": message.offset()}
        logger.error("a command is kept as a dead letter", extra={"why": why, **known})
        headers: _Headers = [("why", why), *((name, str(value)) for name, value in known.items())]
        self._produce(told, self._address.dead, message.value() or b"", message.key(), headers)

    def poll(self) -> None:
        """Hear what has been confirmed or refused since."""
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait for what has been told, for `PATIENCE` at most."""
        self._producer.flush(PATIENCE)

    def _produce(self, told: Told, topic: str, value: bytes, key: Any, headers: _Headers) -> None:
        on_delivery = functools.partial(self._delivered, told)
        try:
            self._producer.produce(topic, value, key, headers=headers, on_delivery=on_delivery)
        except BufferError:  # Kafka is away, and this process full of what waits for it
            told.refused = True
        except KafkaException as error:
            self._refused(told, error.args[0])
        else:
            told.expected += 1

    def _delivered(self, told: Told, error: KafkaError | None, _: Message | None) -> None:
        if error is not None:
            self._refused(told, error)
        told.confirmed += 1

    def _refused(self, told: Told, error: KafkaError) -> None:
        logger.error("Kafka refuses what a worker has to tell", extra={"error": str(error)})
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE:  # it never will; the log has it
            metrics.ROOM_EVENTS_UNREADABLE.inc()
        else:
            told.refused = True
