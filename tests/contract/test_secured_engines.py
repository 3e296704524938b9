"""By its URL alone each engine is reached over TLS with a password; with another password or authority it is not."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.platform.clock import SystemClock
from parlour.platform.errors import ParlourError, Unavailable
from parlour.platform.kafka import KafkaAdmin
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.redis import RedisEngine
from parlour.platform.sql import open_database
from parlour.realtime.redis_line import RedisLine

from ..nginx_server import Certificate
from ..secured_engines import (
    other_authority,
    other_password,
    secured_kafka,
    secured_mongodb,
    secured_postgresql,
    secured_redis,
)


async def use_postgresql(url: str) -> None:
    database = open_database(url, timeout=5)
    try:
        await database.check()
    finally:
        await database.close()


async def use_redis(url: str) -> None:
    redis = RedisEngine(url)
    try:
        await redis.check()
    finally:
        await redis.close()


async def use_line(url: str) -> None:
    line = RedisLine(url)
    try:
        await line.start()
        if not await line.settled():
            raise Unavailable
    finally:
        await line.close()


async def use_mongodb(url: str) -> None:
    log = await MongoRoomLog.open(url, SystemClock())
    try:
        await log.check()
    finally:
        await log.close()


async def use_kafka(url: str) -> None:
    admin = KafkaAdmin(KafkaAddress.parse(url))
    await admin.make_topics()
    await admin.check()


Use = Callable[[str], Awaitable[None]]
Secured = Callable[[Path, Certificate], contextlib.AbstractContextManager[str]]
ENGINES: dict[str, tuple[Secured, list[Use]]] = {
    "postgresql": (secured_postgresql, [use_postgresql]),
    "redis": (secured_redis, [use_redis, use_line]),
    "mongodb": (secured_mongodb, [use_mongodb]),
    "kafka": (secured_kafka, [use_kafka]),
}


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[Use], Path]]:
    """The URL of a server with TLS and a password, what uses it, and the file of an authority that it does not have."""
    secured, uses = ENGINES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    other = folder / "other"
    other.mkdir()
    with secured(folder, Certificate(folder)) as url:
        yield url, uses, Certificate(other).authority_file


async def test_it_is_reached_by_its_url(engine: tuple[str, list[Use], Path]) -> None:
    url, uses, _ = engine
    for use in uses:
        await use(url)


async def test_with_another_password_or_authority_it_is_not(engine: tuple[str, list[Use], Path]) -> None:
    url, uses, other = engine
    wrong = [other_password(url), other_authority(url, other)]
    outcomes = await asyncio.gather(*(use(each) for use in uses for each in wrong), return_exceptions=True)
    assert all(isinstance(outcome, ParlourError) for outcome in outcomes), outcomes
