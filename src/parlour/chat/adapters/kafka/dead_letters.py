"""Commands that no worker could do: listed, and given to the workers again."""

import logging
from collections.abc import Callable, Iterator

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from parlour.chat.adapters.kafka.messages import decode_command
from parlour.chat.model import NewEvent
from parlour.platform.errors import BrokerUnavailable
from parlour.platform.kafka_address import KafkaAddress

logger = logging.getLogger(__name__)


class DeadLetter(msgspec.Struct):
    """One of them: its place in the topic of dead letters (`partition:offset`), when it was put there (ms), why, and the command.

    `command` is None where the message is none.
    """

    place: str
    at: int
    why: str
    command: NewEvent | None


class DeadLetters:
    """Reads the topic of dead letters from where it was replayed to, in threads of the caller's: for the command line.

    Replaying is repeatable: a command that is in the log by now is found there.
    """

    def __init__(self, address: KafkaAddress, *, timeout: float = 10.0) -> None:
        self._address = address
        self._timeout = timeout

    def all(self) -> list[DeadLetter]:
        """Return those that were not replayed, the oldest of each partition first.

        Raises:
            BrokerUnavailable: Kafka does not answer.
        """
        return self._visit(lambda _message, _letter: None)

    def replay(self) -> list[DeadLetter]:
        """Give them to the workers again, those that are no commands excepted; return what was replayed.

        Raises:
            BrokerUnavailable: Kafka does not answer, or refuses one; then some may have been replayed, and all are again the next time.
        """
        producer = Producer(self._address.options(acks="all", enable_idempotence=True))
        refused: dict[str, KafkaError] = {}

        def again(message: Message, letter: DeadLetter) -> None:
            def delivered(error: KafkaError | None, _: Message | None) -> None:
                if error is not None:
                    refused[letter.place] = error

            if letter.command is None:
                return
            try:
                producer.produce(self._address.commands, message.value(), message.key(), on_delivery=delivered)
            except BufferError:  # more of them than the producer holds
                taken()
                producer.produce(self._address.commands, message.value(), message.key(), on_delivery=delivered)

        def taken() -> None:
            left = producer.flush(self._timeout)  # 0 too where all that was left has failed
            for place, error in list(refused.items())[:10]:
                logger.error("Kafka refuses a dead letter", extra={"place": place, "error": str(error)})
            if left or refused:
                raise BrokerUnavailable

        letters = self._visit(again, taken)
        return [letter for letter in letters if letter.command is not None]

    def _visit(
        self, visit: Callable[[Message, DeadLetter], None], before_commit: Callable[[], None] | None = None
    ) -> list[DeadLetter]:
        consumer = Consumer(
            self._address.options(
                group_id=self._address.prefix + "dead-letters", enable_auto_commit=False, auto_offset_reset="earliest"
            )
        )
        try:
            letters = []
            ends: list[TopicPartition] = []
            for start, end in self._ranges(consumer):
                for message in self._read(consumer, start, end):
                    letter = _letter(message)
                    letters.append(letter)
                    visit(message, letter)
                ends.append(end)
            if before_commit is not None and ends:
                before_commit()
                consumer.commit(offsets=ends, asynchronous=False)
        except KafkaException as error:
            raise BrokerUnavailable from error
        finally:
            consumer.close()
        return letters

    def _ranges(self, consumer: Consumer) -> Iterator[tuple[TopicPartition, TopicPartition]]:
        topic = self._address.dead
        partitions = consumer.list_topics(topic, timeout=self._timeout).topics[topic].partitions
        for place in consumer.committed([TopicPartition(topic, each) for each in partitions], timeout=self._timeout):
            low, high = consumer.get_watermark_offsets(place, timeout=self._timeout)
            start = max(low, place.offset)
            if start < high:
                yield TopicPartition(topic, place.partition, start), TopicPartition(topic, place.partition, high)

    def _read(self, consumer: Consumer, start: TopicPartition, end: TopicPartition) -> Iterator[Message]:
        consumer.assign([start])
        offset = start.offset
        while offset < end.offset:
            message = consumer.poll(self._timeout)
            if message is None:
                raise BrokerUnavailable
            if message.error():
                raise KafkaException(message.error())
            offset = (message.offset() or 0) + 1
            yield message


def _letter(message: Message) -> DeadLetter:
    headers = dict(message.headers() or [])
    try:
        command = decode_command(message.value() or b"").event
    except msgspec.MsgspecError:
        command = None
    why = headers.get("why", b"")
    return DeadLetter(
        place=f"{message.partition()}:{message.offset()}",
        at=message.timestamp()[1],
        why=why.decode(errors="replace") if isinstance(why, bytes) else str(why),
        command=command,
    )
