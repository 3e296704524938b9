"""The engines of a process among others: PostgreSQL, MongoDB, Kafka and Redis."""

import contextlib
from urllib.parse import urlsplit

from parlour.app.engines import Engines
from parlour.chat.adapters.kafka import KafkaBroker, RoomEvents
from parlour.chat.adapters.mongodb_log import MongoRoomLog
from parlour.chat.adapters.postgresql_search import SERVICE as SEARCH_TABLES
from parlour.chat.adapters.postgresql_search import PostgresqlSearch, PostgresqlSearchIndex
from parlour.chat.adapters.redis_answers import RedisAnswers
from parlour.chat.adapters.redis_presence import RedisPresence
from parlour.chat.service.indexing import Indexing
from parlour.config import Settings
from parlour.platform import metrics
from parlour.platform.clock import SystemClock
from parlour.platform.errors import Unavailable
from parlour.platform.guard import Guard
from parlour.platform.kafka import KafkaAdmin
from parlour.platform.kafka_address import KafkaAddress
from parlour.platform.redis import RedisEngine
from parlour.platform.redis_bus import RedisBus
from parlour.platform.redis_ended_sessions import RedisEndedSessions
from parlour.platform.redis_rates import RedisRates
from parlour.platform.sql import Database, migrate, open_database
from parlour.realtime.redis_cluster import RedisCluster
from parlour.realtime.redis_line import RedisLine


async def open_clustered(settings: Settings, database: Database, opened: contextlib.AsyncExitStack) -> Engines:
    """Open the servers' clients, to be closed by `opened`.

    Raises:
        Unavailable, TablesNewer: one cannot be opened, or a newer Parlour wrote its collections.
    """
    log = await MongoRoomLog.open(settings.messages, SystemClock())
    opened.push_async_callback(log.close)
    redis = RedisEngine(settings.bus_url)
    opened.push_async_callback(redis.close)
    database_number = urlsplit(settings.bus_url).path.strip("/") or "0"  # which channels, unlike keys, do not know of
    line = RedisLine(settings.bus_url, prefix=f"parlour:{database_number}:", dropped=_count_dropped)
    cluster = RedisCluster(line, node_id=settings.node_id)
    opened.push_async_callback(cluster.close)
    bus = RedisBus(line)
    opened.push_async_callback(bus.close)
    presence = RedisPresence(redis, bus)
    opened.push_async_callback(presence.close)
    address = KafkaAddress.parse(settings.broker_url)
    admin = KafkaAdmin(address)
    await admin.make_topics()
    broker = KafkaBroker(
        address, RedisAnswers(line, cluster.node_id), node_id=cluster.node_id, bound=settings.max_pending_commands
    )
    opened.push_async_callback(broker.close)
    search_database = open_database(settings.search)
    opened.push_async_callback(search_database.close)
    await migrate(search_database, SEARCH_TABLES)
    guard = Guard("search", Unavailable)
    indexing = Indexing(PostgresqlSearchIndex(search_database, log, guard))
    engines = Engines(
        database,
        log,
        PostgresqlSearch(search_database, log, SystemClock(), guard),
        broker=broker,
        bus=bus,
        cluster=cluster,
        presence=presence,
        epoch=log.epoch,
    )
    engines.redis = redis
    engines.shared_rates = lambda local: RedisRates(redis, local)
    engines.ended = RedisEndedSessions(redis, SystemClock())
    engines.alone = False
    engines.connected = lambda: line.connected
    engines.checks |= {
        "broker": (admin.check, False),
        "bus": (redis.check, False),
        "search": (search_database.check, False),
    }

    async def start() -> None:
        await cluster.start()
        await presence.start()
        broker.start()

    engines.starts.append(start)
    engines.runs += [
        ("kafka", broker.watch),
        ("indexing", lambda: RoomEvents(address, "search").run(indexing.committed)),
    ]
    return engines


def _count_dropped(reason: str, count: int) -> None:
    metrics.NODE_MESSAGES_DROPPED.labels(reason).inc(count)
