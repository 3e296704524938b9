"""Kafka: its topics, whether it answers, and the failure that is clean."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from parlour.platform.errors import BrokerUnavailable
from parlour.platform.guard import Guard
from parlour.platform.kafka_address import KafkaAddress

logger = logging.getLogger(__name__)

_AGAIN = 0.2
"""Seconds between two questions about a group that nobody keeps yet."""

_CONFIGURATION = {"message.timestamp.type": "LogAppendTime"}
"""Kafka notes the time: by default it refuses a record that says it was made more than an hour from now, which a wrong clock does."""

_NO_COORDINATOR = frozenset(
    {KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR}
)


async def consume_in_thread(name: str, consume: Callable[[], None], stop: Callable[[], None]) -> None:
    """Run `consume()` in a thread of its own until it returns; when cancelled, `stop()` it and wait for what is under way."""
    with ThreadPoolExecutor(1, name) as thread:
        consuming = asyncio.get_running_loop().run_in_executor(thread, consume)
        try:
            await asyncio.shield(consuming)
        except asyncio.CancelledError:
            stop()
            await consuming
            raise


class KafkaAdmin:
    """Topics, and whether Kafka answers.

    Failure: every method raises `BrokerUnavailable` when there is no answer in time.
    """

    def __init__(self, address: KafkaAddress, *, timeout: float = 5.0) -> None:
        self._address = address
        self._timeout = timeout
        self._client = AdminClient(address.options(), logger=logger)
        self._guard = Guard("kafka_admin", BrokerUnavailable, timeout=2 * timeout)

    async def check(self) -> None:
        """Ask for an answer.

        Raises:
            BrokerUnavailable: there is none.
        """
        await self._guard.call(self._topics)

    async def members(self, group: str) -> list[str]:
        """Return the client ids of the consumers that a group has just now; who was killed counts until its session ends.

        Raises:
            BrokerUnavailable: there is no answer.
        """
        name = self._address.prefix + group

        def ask() -> list[str] | None:
            try:
                described = self._client.describe_consumer_groups([name], request_timeout=self._timeout)
                return [member.client_id for member in described[name].result().members]
            except KafkaException as error:
                code = error.args[0].code()
                if code == KafkaError.GROUP_ID_NOT_FOUND:
                    return []
                if code in _NO_COORDINATOR:
                    return None
                raise BrokerUnavailable(retry_after=1) from error

        async def found() -> list[str]:
            while True:
                members = await asyncio.to_thread(ask)
                if members is not None:
                    return members
                await asyncio.sleep(_AGAIN)  # a Kafka that never had a group is about to choose who keeps them

        return await self._guard.call(found, repeatable=True)

    async def make_topics(self) -> None:
        """Make the topics that are missing; those that are there stay as they are.

        Raises:
            BrokerUnavailable: there is no answer, or it refuses.
        """
        await self._guard.call(self._make_topics, repeatable=True)

    async def _topics(self) -> set[str]:
        def ask() -> set[str]:
            try:
                return set(self._client.list_topics(timeout=self._timeout).topics)
            except KafkaException as error:
                raise BrokerUnavailable(retry_after=1) from error

        return await asyncio.to_thread(ask)

    async def _make_topics(self) -> None:
        wanted = {self._address.commands, self._address.dead, self._address.events}
        missing = sorted(wanted - await self._topics())

        def make() -> None:
            topics = [
                NewTopic(
                    name,
                    num_partitions=self._address.partitions,
                    replication_factor=self._address.replicas,
                    config=_CONFIGURATION,
                )
                for name in missing
            ]
            made = self._client.create_topics(topics, request_timeout=self._timeout)
            for future in made.values():
                try:
                    future.result()
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                        raise BrokerUnavailable(retry_after=1) from error

        if missing:
            await asyncio.to_thread(make)
